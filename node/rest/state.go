package rest

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// Names of headers in the form in which a http.Header keeps them, so that the
// map can be used directly.
const (
	headETag       = "Etag"
	headContext    = "Causal-Context"
	headSession    = "Session"
	headConflicts  = "Conflict-Count"
	headReason     = "Conflict-Reason"
	headNode       = "Node"
	headWriteState = "Write-State"
	headLag        = "Replication-Lag"
	headApplied    = "Preference-Applied"
	headLink       = "Link"
	headLocation   = "Location"
	headCache      = "Cache-Control"
	headType       = "Content-Type"
	headLength     = "Content-Length"
	headRetry      = "Retry-After"
)

// Values of headers. They are shared by all replies and never written to.
var (
	valueWritable   = []string{"writable"}
	valueReadOnly   = []string{"read-only"}
	valueMinority   = []string{"minority"}
	valueNosniff    = []string{"nosniff"}
	valueOrigin     = []string{"Origin"}
	valueNoCache    = []string{"no-cache"}
	valueNoStore    = []string{"no-store"}
	valueNone       = []string{"0"}
	valueJSON       = []string{typeJSON}
	valueNDJSON     = []string{typeNDJSON}
	valueProblem    = []string{typeProblem}
	valueNoReferrer = []string{"no-referrer"}
	valuePatches    = []string{typeMerge + ", " + typePatch}
)

// Lag says how far somebody is behind.
type Lag struct {
	Versions uint64
	Seconds  float64 // the age of the oldest version that is missing
	// UnknownSince, when not zero, says that nobody knows, and since when.
	UnknownSince time.Time
}

// text is the value of Replication-Lag.
func (l Lag) text() string {
	if !l.UnknownSince.IsZero() {
		return "unknown, since=" + l.UnknownSince.UTC().Format(time.RFC3339)
	}
	b := strconv.AppendUint([]byte("versions="), l.Versions, 10)
	return string(strconv.AppendFloat(append(b, ", seconds="...), l.Seconds, 'f', 1, 64))
}

// MarshalJSON shows what is not known as null beside unknown_since, never as 0.
func (l Lag) MarshalJSON() ([]byte, error) { return l.appendJSON([]byte{'{'}), nil }

// appendJSON writes the members and the closing brace.
func (l Lag) appendJSON(b []byte) []byte {
	if !l.UnknownSince.IsZero() {
		b = append(b, `"versions":null,"seconds":null,"unknown_since":"`...)
		return append(l.UnknownSince.UTC().AppendFormat(b, time.RFC3339Nano), `"}`...)
	}
	b = strconv.AppendUint(append(b, `"versions":`...), l.Versions, 10)
	b = strconv.AppendFloat(append(b, `,"seconds":`...), l.Seconds, 'f', -1, 64)
	return append(b, '}')
}

// stateHeaders keeps the values of the headers that every reply has, so that
// they are formatted when they change and not once a request.
type stateHeaders struct {
	node    []string
	lag     atomic.Pointer[lagValue]
	session atomic.Pointer[sessionValue]
}

type lagValue struct {
	of    Lag
	value []string
}

type sessionValue struct {
	of    *node.Published
	value []string
}

// stamp sets what every reply says: which node it is, whether it takes writes,
// what it lacks, and its session.
func (s *Server) stamp(h http.Header) {
	h[headNode] = s.state.node
	h[headWriteState] = s.writeState()
	h[headLag] = s.lag()
	h[headSession] = s.session(s.engine.Published())
	h["X-Content-Type-Options"] = valueNosniff
}

// speakOf makes Write-State speak of the collection that was asked for, which may
// take writes on a node that has no majority.
func (s *Server) speakOf(c echo.Context) {
	h := c.Response().Header()
	if h.Get(headWriteState) != valueReadOnly[0] {
		return
	}
	name, err := conflict.ParseCollection(c.Param("c"))
	if err != nil {
		return // the handler says what is wrong with it
	}
	if minority, _ := s.engine.MayWriteTo(name); minority {
		h[headWriteState] = valueMinority
	}
}

func (s *Server) writeState() []string {
	if s.engine.MayWrite() != nil {
		return valueReadOnly
	}
	return valueWritable
}

func (s *Server) lag() []string {
	lag := s.cfg.Cluster.Lag()
	if v := s.state.lag.Load(); v != nil && v.of == lag {
		return v.value
	}
	v := &lagValue{of: lag, value: []string{lag.text()}}
	s.state.lag.Store(v)
	return v.value
}

// session is the header's value for what the node has published.
func (s *Server) session(p *node.Published) []string {
	if v := s.state.session.Load(); v != nil && v.of == p {
		return v.value
	}
	v := &sessionValue{of: p, value: []string{p.Session}}
	s.state.session.Store(v)
	return v.value
}

// setSession makes the reply's session cover a snapshot that was read for it.
// What the node has published since is as good, and has its text already.
func (s *Server) setSession(h http.Header, frontier vclock.Vector, live conflict.Siblings) {
	p := s.engine.Published()
	if p.Frontier.Dominates(frontier) && within(live, p.Frontier) {
		h[headSession] = s.session(p)
		return
	}
	d := node.Document{Live: live, Frontier: frontier}
	h[headSession] = []string{s.engine.SessionToken(d.Session())}
}

func within(live conflict.Siblings, frontier vclock.Vector) bool {
	for _, v := range live {
		if !frontier.Covers(v.Dot) {
			return false
		}
	}
	return true
}

// setDocument sets all that a reply about one document says of it. A conflict
// is never hidden.
func (s *Server) setDocument(h http.Header, d *node.Document) {
	values := make([]string, 0, 2) // one allocation for all
	values = append(values, s.engine.ContextToken(d))
	h[headContext] = values[:1:1]
	if d.Tag != "" {
		values = append(values, `"`+d.Tag+`"`)
		h[headETag] = values[1:2:2]
	}
	h[headConflicts] = valueNone
	if n := d.Live.Conflicts(); n > 0 {
		h[headConflicts] = []string{strconv.Itoa(n)}
		h[headLink] = []string{"<" + path(d.Key) + `/siblings>; rel="siblings"`}
	}
	if d.Shown.Reason != "" {
		h[headReason] = []string{string(d.Shown.Reason)}
	}
	h[headCache] = valueNoCache
	s.setSession(h, d.Frontier, d.Live)
}
