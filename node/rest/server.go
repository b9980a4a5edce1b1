package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Limits of connections.
const (
	// MaxHeaderBytes is the most bytes of a request's line and headers. A
	// session and a context take 18 KiB at most.
	MaxHeaderBytes = 64 << 10
	// headerTimeout is how long a request's headers may take to come.
	headerTimeout = 10 * time.Second
	// readTimeout is how long a request with its body may take to come; a bulk
	// may take longer, as long as it keeps coming (bulkStall).
	readTimeout = 30 * time.Second
	// writeTimeout is how long a request may take from its headers to the end
	// of the answer, its wait (maxWait) included; a bulk's results may take
	// longer, as long as they are read (writeStall).
	writeTimeout = 2 * time.Minute
	// idleTimeout is how long a connection may lie idle.
	idleTimeout = 2 * time.Minute
	// drainTimeout is how long requests may take to end when the server stops.
	drainTimeout = 10 * time.Second
	// maxStreams is how many requests one HTTP/2 connection may have open.
	maxStreams = 250
)

// Serve answers requests on a listener until the context ends; then it takes
// no new writes and no new connections, lets the requests that are under way
// end, and returns nil. An error is that of the listener, or says that
// requests had to be broken off.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := s.httpServer(base)
	served := make(chan error, 1)
	go func() { served <- server.Serve(&problemListener{Listener: listener, s: s}) }()
	select {
	case err := <-served:
		return fmt.Errorf("rest: serve %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.stopNow()
	s.engine.Drain()
	finish, stop := context.WithTimeout(base, drainTimeout)
	defer stop()
	err := server.Shutdown(finish)
	if err != nil {
		err = errors.Join(fmt.Errorf("rest: requests were broken off after %s: %w", drainTimeout, err), server.Close())
	}
	if closed := <-served; !errors.Is(closed, http.ErrServerClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

func (s *Server) httpServer(base context.Context) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return base },
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		MaxHeaderBytes:    MaxHeaderBytes,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          s.cfg.Log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
}
