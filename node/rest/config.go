package rest

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/stream"
	"github.com/syncline/syncline/vclock"
)

// Config says what a Server is made of.
type Config struct {
	Engine    *node.Engine
	Node      string // this node's name
	ClusterID string // the cluster's id, as /v1/cluster shows it
	Roster    Roster
	Timing    Timing // of the vote
	// Listen are the addresses that this process has bound for the API,
	// host:port. Together with those of the roster they are the hosts that a
	// request may name.
	Listen  []string
	Cluster Cluster
	Chaos   Chaos                // nil without --chaos
	Build   string               // of this program, for /version
	UI      Page                 // below /ui/; nil: there is none
	Docs    fs.FS                // holds problems.md, shown below /docs/; nil: the table's titles are shown
	Scripts script.Evaluator     // runs resolvers; nil: none can be stored, tried or tested here
	Log     hclog.Logger         // nil: nowhere
	Metrics *prometheus.Registry // nil: one of its own
	// Events keeps what /v1/events tells; nil: one of its own. Whoever makes the
	// parts of a process may add to it.
	Events *stream.Log
	// Timeline keeps what /v1/timeline tells; nil: nothing is kept, and the route
	// answers so.
	Timeline Timeline
	// Differences finds documents that differ between nodes; nil: it is not built in.
	Differences Differences
	// ChaosRuns and ChaosPresets are for chaos scripts and presets; nil without
	// --chaos.
	ChaosRuns    ChaosRuns
	ChaosPresets ChaosPresets
	Examples     []ResolverExample // resolvers that come with the program
}

// Roster is the list of members, as the API shows it.
type Roster struct {
	Epoch   uint64   `json:"epoch"`
	Members []Member `json:"members"`
}

// Member is one process of the roster.
type Member struct {
	Name     string `json:"name"`
	Role     string `json:"role"` // data, replica or witness
	API      string `json:"api"`  // host:port as others dial it; a witness may have none
	Peer     string `json:"peer"`
	Priority int    `json:"priority"`
}

// Cluster is what the API tells of the rest of the cluster. All answers are
// from memory, and quick.
type Cluster interface {
	// Lag is what this node lacks, the worst over the data nodes. It is asked
	// with every request.
	Lag() Lag
	// Status is the state of votes, disk and peers.
	Status() Status
	// Links is the matrix of links, as far as this node knows it.
	Links() []Link
	// Votes tells of the vote in detail.
	Votes() Votes
	// Divergence says, for each node and actor, how far behind it is.
	Divergence() []Gap
	// Fresh names the other nodes that are known to have what a session names.
	Fresh(session vclock.Context) []string
	// Lacking names the other data nodes that are not known to have a version
	// (PROTOCOL D7).
	Lacking(dot vclock.Dot) []string
}

// Chaos puts faults on the links of this process. *link.Link is one.
type Chaos interface {
	Add(link.Fault) (link.Fault, error)
	Remove(id string) error
	Heal(link.Which) int
	List() []link.Fault
}

// Page is the files of the page. Paths begin with a slash; "/" is the page
// itself. ServeHTTP is asked only for paths that it has.
type Page interface {
	http.Handler
	Has(path string) bool
}

// Server answers the API. It is an http.Handler; Serve runs it on a listener.
type Server struct {
	cfg     Config
	engine  *node.Engine
	echo    *echo.Echo
	origins *origins
	cross   *http.CrossOriginProtection
	state   stateHeaders
	metrics *metrics
	pages   map[string]string // problem pages by code
	policy  []string          // Content-Security-Policy of the page
	places  stream.Places     // of streams
	watch   watch             // what /v1/events was told last

	started time.Time
	// overdue is a context that has ended: the wait of those who do not wait.
	overdue context.Context
	// stop ends waits when the server drains.
	stop    context.Context
	stopNow context.CancelFunc
}

// New makes a Server. It starts nothing.
func New(cfg Config) (*Server, error) {
	if cfg.Engine == nil || cfg.Cluster == nil || cfg.Node == "" {
		return nil, errors.New("rest: Config.Engine, Config.Cluster and Config.Node must be set")
	}
	if cfg.Log == nil {
		cfg.Log = hclog.NewNullLogger()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	if cfg.Events == nil {
		cfg.Events = stream.NewLog(stream.Config{Life: newTrace()})
	}
	s := &Server{cfg: cfg, engine: cfg.Engine, cross: http.NewCrossOriginProtection(), started: time.Now()}
	s.state.node = []string{cfg.Node}
	s.watch.poke = make(chan struct{}, 1)
	s.origins = newOrigins(cfg.Roster, cfg.Listen)
	for origin := range s.origins.allowed {
		if err := s.cross.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	s.policy = []string{s.origins.policy()}
	var err error
	if s.pages, err = problemPages(cfg.Docs); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(cfg.Metrics); err != nil {
		return nil, err
	}
	overdue, cancel := context.WithCancel(context.Background())
	cancel()
	s.overdue = overdue
	s.stop, s.stopNow = context.WithCancel(context.Background())
	s.route()
	return s, nil
}

// url is the address of a member's API, empty when it has none.
func (s *Server) url(name string) string {
	for _, m := range s.cfg.Roster.Members {
		if m.Name == name && m.API != "" {
			return "http://" + m.API
		}
	}
	return ""
}

// urls are the addresses of members' APIs, without those that have none. It is
// never nil, so that JSON shows an empty list.
func (s *Server) urls(names []string) []string {
	out := []string{}
	for _, name := range names {
		if u := s.url(name); u != "" {
			out = append(out, u)
		}
	}
	return out
}
