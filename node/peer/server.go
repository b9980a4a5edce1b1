package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of the server.
const (
	// headerTimeout bounds the arrival of a request's headers.
	headerTimeout = 5 * time.Second
	// bodyTimeout bounds the arrival of a request's body. A handler whose
	// request body is itself a stream moves it with http.ResponseController.
	bodyTimeout = 30 * time.Second
	// replyTimeout bounds the writing of a reply. A handler that streams moves
	// it, frame by frame, with http.ResponseController.
	replyTimeout = 30 * time.Second
	// serverIdle is how long an unused connection is kept. It is longer than
	// clientIdle, so that the client closes first and never writes into an end.
	serverIdle = 90 * time.Second
	// maxHeader bounds the headers of a request or a reply, in bytes.
	maxHeader = 16 << 10
	// MaxRequest bounds the body of a request, in bytes: a document of 16 MiB
	// with all that goes with it.
	MaxRequest = 32 << 20
	// drainTimeout is how long requests under way may take once the server's
	// context has ended.
	drainTimeout = 2 * time.Second
)

// refusedHeader carries the reason of a refusal.
const refusedHeader = "Syncline-Refused"

// Caller is who sent a request, as it has proved.
type Caller struct {
	Name string
	Role Role
}

// Handler answers the requests of one path. ctx ends with the request, with
// its connection and with the server. A handler that streams flushes each frame
// and sets a deadline for it, both with http.ResponseController.
type Handler func(ctx context.Context, caller Caller, w http.ResponseWriter, r *http.Request)

// ServerConfig is what a Server needs. Credentials and Roster must be set.
type ServerConfig struct {
	Credentials *Credentials
	Roster      Roster
	// Refused is told of callers that were refused, at a bounded rate; nil is
	// nobody.
	Refused func(Refusal)
	// Now is the clock of that rate; nil is time.Now.
	Now func() time.Time
	// Log gets what net/http has to say (panics of handlers); nil is nobody.
	Log *slog.Logger
}

// Server answers peers.
type Server struct {
	cfg      ServerConfig
	tls      *tls.Config
	handlers map[string]Handler
	report   *reporter
	// running is held for reading by each request and, in the end, for good by
	// Run: when Run returns, no handler is at work.
	running sync.RWMutex
}

// NewServer makes a server without handlers.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.Credentials == nil || cfg.Roster == nil {
		return nil, errors.New("peer: ServerConfig.Credentials and Roster must be set")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		cfg:      cfg,
		tls:      cfg.Credentials.serverTLS(),
		handlers: map[string]Handler{},
		report:   newReporter(cfg.Now, cfg.Refused),
	}, nil
}

// Handle sets the handler of POST requests to one exact path. Call it before
// Run.
func (s *Server) Handle(path string, h Handler) { s.handlers[path] = h }

// Run serves on the listener until ctx ends, and closes the listener. Then the
// contexts of all requests have ended too; the connections of those that are
// still under way after drainTimeout are closed, and Run waits for their
// handlers. The error is nil when ctx was the cause. Run once.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	sh := newShaker(s, ln)
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       serverIdle,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          s.errorLog(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, provedKey{}, c)
		},
	}
	served := make(chan error, 1)
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		sh.run(ctx)
	}()
	go func() { served <- srv.Serve(sh) }()
	var err error
	select {
	case err = <-served:
		_ = srv.Close() // it has failed already, and err says why
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if srv.Shutdown(drain) != nil {
			_ = srv.Close() // what has not finished by now is broken off
		}
		err = <-served
	}
	<-accepting
	s.running.Lock()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("peer server: %w", err)
}

func (s *Server) errorLog() *log.Logger {
	return slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn)
}

type provedKey struct{}

// judge says why a caller that proved the secret is not accepted, or nil.
func (s *Server) judge(p *proved) *RefusedError {
	self := s.cfg.Credentials.identity
	switch {
	case p.wanted != "" && p.wanted != self.Name:
		return &RefusedError{Reason: WrongName, Detail: "it wants " + p.wanted + " at the address of " + self.Name + ": check the roster's address of " + p.wanted}
	case p.id.Name == self.Name:
		return &RefusedError{Reason: WrongName, Detail: "it calls itself " + self.Name + ", as we do: two processes run under one name"}
	}
	refusal, _ := errors.AsType[*RefusedError](s.cfg.Roster.judge(p.id))
	return refusal
}

// refused reports a caller.
func (s *Server) refused(c net.Conn, name string, why *RefusedError) {
	s.report.refused(Refusal{
		Inbound: true, Remote: c.RemoteAddr().String(), Peer: name, Reason: why.Reason, Detail: why.Detail,
	})
}

// serve is the one door: who is not of the roster now gets the reason and the
// end of the connection, whatever was asked for.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.running.TryRLock() {
		return // Run is over, and the connection with it
	}
	defer s.running.RUnlock()
	p := r.Context().Value(provedKey{}).(*proved)
	if refusal := s.judge(p); refusal != nil {
		s.refused(p, p.id.Name, refusal)
		w.Header().Set(refusedHeader, string(refusal.Reason))
		w.Header().Set("Connection", "close")
		http.Error(w, refusal.Detail, http.StatusForbidden)
		return
	}
	h, ok := s.handlers[r.URL.Path]
	switch {
	case !ok:
		http.Error(w, "no such path on the peer port: is the other side of a newer version?", http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "the peer port takes POST only", http.StatusMethodNotAllowed)
		return
	}
	control := http.NewResponseController(w)
	if err := bound(control, r); err != nil {
		return // the connection has ended
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxRequest)
	h(r.Context(), Caller{Name: p.id.Name, Role: p.id.Role}, w, r)
}

// bound sets the deadlines of a request. At the end of the body net/http takes
// its deadline away and goes on reading, to notice a caller that leaves; without
// a body it does so already, and a deadline would end a silent stream.
func bound(control *http.ResponseController, r *http.Request) error {
	err := control.SetWriteDeadline(time.Now().Add(replyTimeout))
	if r.ContentLength != 0 {
		err = errors.Join(err, control.SetReadDeadline(time.Now().Add(bodyTimeout)))
	}
	return err
}
