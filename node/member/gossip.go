package member

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"
)

// Limits and times of gossip.
const (
	// KeyBytes is the length of the gossip key.
	KeyBytes = 32
	// MaxBuild is how much of a build version is told to others, in bytes.
	MaxBuild = 64
	// reconnectTimeout is how long serf tries to reach a member that failed.
	// It would forget one after a day; the roster does not.
	reconnectTimeout = 10 * 365 * 24 * time.Hour
	// tombstoneTimeout is how long a member that left is shown as left.
	tombstoneTimeout = 24 * time.Hour
	// reclaimTime is how soon a failed member may come back at another address.
	reclaimTime = 30 * time.Second
	// streamTimeout bounds a gossip stream, and so each attempt to join.
	streamTimeout = 3 * time.Second
	// leaveTimeout bounds the end of joining, and each of the two broadcasts of
	// leaving.
	leaveTimeout = 500 * time.Millisecond
	// leavePause lets the last broadcast out before the sockets close.
	leavePause = 100 * time.Millisecond
	// probeEvery is the default of Config.ProbeEvery.
	probeEvery = time.Second
	// joinFirst and joinMost are the shortest and the longest pause between
	// attempts to join members that are not alive.
	joinFirst = 250 * time.Millisecond
	joinMost  = 15 * time.Second
	// eventBuffer is how many events of serf may wait to be read.
	eventBuffer = 256
	// buildTag is the name of the tag with the build version.
	buildTag = "build"
)

// ErrNoGossip says that the roster gives this node no gossip address, so that
// it takes no part, as a witness does not.
var ErrNoGossip = errors.New("the roster has no gossip address for this node")

// Contact is a member of the roster. Without a gossip address it takes no part.
type Contact struct {
	Name   string
	Gossip string // host:port, for packets and streams
}

// Network is the link layer.
type Network interface {
	Dial(ctx context.Context, peer, network, addr string) (net.Conn, error)
	Wrap(net.Listener) net.Listener
	WrapPacket(pc net.PacketConn, peerOf func(net.Addr) string) net.PacketConn
}

// Config is what a Gossip needs. All but the last five must be set.
type Config struct {
	Self     string
	Cluster  string // the label of every packet and stream
	Key      []byte // KeyBytes, derived from the cluster secret
	Roster   func() []Contact
	Network  Network
	Listener net.Listener   // bound; Run closes it
	Packets  net.PacketConn // bound, UDP; Run closes it
	// Build is this process's version, told to others up to MaxBuild.
	Build string
	// OnAlive is told the name of each other member that comes alive. It must
	// not block. nil is nobody.
	OnAlive func(name string)
	// Log gets serf's lines; nil is nobody.
	Log *slog.Logger
	// Now is the clock of Member.Since; nil is time.Now.
	Now func() time.Time
	// ProbeEvery is how often a member is probed; a silent one fails after
	// about five times that. 0 is one second.
	ProbeEvery time.Duration
}

// Status is what serf thinks of a member.
type Status string

// The statuses.
const (
	Alive  Status = "alive"
	Failed Status = "failed" // does not answer
	Left   Status = "left"   // said goodbye
)

// Member is a member as serf sees it: a hint.
type Member struct {
	Name   string
	Addr   string // host:port of its gossip
	Build  string
	Status Status
	Since  time.Time // when the status began, as seen here
}

// Gossip is this process's part in serf.
type Gossip struct {
	cfg   Config
	table *addresses
	wake  chan struct{} // a member went: join again soon

	mu      sync.Mutex
	members map[string]Member
}

// New makes a Gossip; Run starts it. The error is ErrNoGossip when this node
// takes no part.
func New(cfg Config) (*Gossip, error) {
	switch {
	case cfg.Self == "" || cfg.Cluster == "" || cfg.Roster == nil || cfg.Network == nil || cfg.Listener == nil || cfg.Packets == nil:
		return nil, errors.New("member: Config is not complete")
	case len(cfg.Key) != KeyBytes:
		return nil, fmt.Errorf("member: the gossip key has %d bytes, want %d", len(cfg.Key), KeyBytes)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.OnAlive == nil {
		cfg.OnAlive = func(string) {}
	}
	if cfg.ProbeEvery == 0 {
		cfg.ProbeEvery = probeEvery
	}
	cfg.Build = cfg.Build[:min(len(cfg.Build), MaxBuild)]
	g := &Gossip{cfg: cfg, table: newAddresses(cfg.Roster), wake: make(chan struct{}, 1), members: map[string]Member{}}
	if g.table.contact(cfg.Self) == nil {
		return nil, fmt.Errorf("member %s: %w", cfg.Self, ErrNoGossip)
	}
	return g, nil
}

// Members returns what serf thinks now, by name, this node included.
func (g *Gossip) Members() []Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.SortedFunc(maps.Values(g.members), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
}

// Run gossips until ctx ends, then says goodbye, which takes two seconds at
// most. The error is nil when ctx was the cause. Run once.
func (g *Gossip) Run(ctx context.Context) error {
	t := newTransport(ctx, g.cfg, g.table)
	defer func() { _ = t.Shutdown() }() // serf has done it, unless it never began
	addr, ok := g.findSelf(ctx)
	if !ok {
		return nil
	}
	events := make(chan serf.Event, eventBuffer)
	s, err := serf.Create(g.serfConfig(t, addr, events))
	if err != nil {
		return fmt.Errorf("start gossip: %w", err)
	}
	var loops sync.WaitGroup
	over := make(chan struct{})
	loops.Go(func() { g.watch(events, over) })
	joined := make(chan struct{})
	loops.Go(func() {
		defer close(joined)
		g.join(ctx, s)
	})
	<-ctx.Done()
	// An attempt to join ends with the word that this node is there. After the
	// goodbye it would take that back, and the node would be shown as failed.
	select {
	case <-joined:
	case <-time.After(leaveTimeout):
	}
	err = errors.Join(s.Leave(), s.Shutdown())
	close(over)
	loops.Wait()
	return err
}

// findSelf resolves this node's own address, which it tells to others. It goes
// on trying, since a name server may be late, and says false when ctx has ended
// first.
func (g *Gossip) findSelf(ctx context.Context) (netip.AddrPort, bool) {
	pause := newPause()
	for {
		err := error(ErrNoGossip)
		if c := g.table.contact(g.cfg.Self); c != nil {
			var addr netip.AddrPort
			if addr, err = g.table.resolve(ctx, *c); err == nil {
				return addr, true
			}
		}
		g.cfg.Log.Warn("gossip waits for its own address", "error", err)
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
			return netip.AddrPort{}, false
		}
	}
}

func newPause() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = joinFirst, joinMost, 2
	b.Reset()
	return b
}

// serfConfig is where serf is told to be no more than a source of hints.
func (g *Gossip) serfConfig(t *transport, addr netip.AddrPort, events chan<- serf.Event) *serf.Config {
	logger := newLogger(g.cfg.Log)
	ml := memberlist.DefaultLANConfig()
	ml.Transport = t
	ml.Label = g.cfg.Cluster
	ml.SecretKey = slices.Clone(g.cfg.Key)
	ml.AdvertiseAddr, ml.AdvertisePort = addr.Addr().String(), int(addr.Port())
	ml.BindPort = int(addr.Port())
	ml.TCPTimeout = streamTimeout
	ml.ProbeInterval, ml.ProbeTimeout = g.cfg.ProbeEvery, g.cfg.ProbeEvery/2
	ml.DeadNodeReclaimTime = reclaimTime
	ml.LogOutput, ml.Logger = nil, logger // serf does not pass its own on

	sc := serf.DefaultConfig()
	sc.MemberlistConfig = ml
	sc.NodeName = g.cfg.Self
	sc.Tags = map[string]string{buildTag: g.cfg.Build}
	sc.EventCh = events
	sc.LogOutput, sc.Logger = nil, logger
	sc.ReconnectTimeout = reconnectTimeout
	sc.TombstoneTimeout = tombstoneTimeout
	sc.BroadcastTimeout, sc.LeavePropagateDelay = leaveTimeout, leavePause
	sc.EnableNameConflictResolution = false // it would shut one of the two down
	sc.DisableCoordinates = true
	return sc
}

// join tries to reach every contact that is not alive, until ctx ends.
func (g *Gossip) join(ctx context.Context, s *serf.Serf) {
	pause := newPause()
	for {
		missing := g.missing(ctx)
		if len(missing) == 0 {
			pause.Reset()
		} else {
			_, _ = s.Join(missing, true) // serf has logged why; the next round tries again
		}
		wait := joinMost
		if len(missing) > 0 {
			wait = pause.NextBackOff()
		}
		select {
		case <-time.After(wait):
		case <-g.wake:
			pause.Reset()
		case <-ctx.Done():
			return
		}
	}
}

// missing returns the contacts that are not alive, as serf wants them named.
func (g *Gossip) missing(ctx context.Context) []string {
	var out []string
	for _, c := range g.cfg.Roster() {
		if c.Name == g.cfg.Self || c.Gossip == "" || g.status(c.Name) == Alive {
			continue
		}
		addr, err := g.table.resolve(ctx, c)
		if err != nil {
			g.cfg.Log.Debug("gossip cannot find a member", "error", err)
			continue
		}
		out = append(out, c.Name+"/"+addr.String())
	}
	return out
}

func (g *Gossip) status(name string) Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members[name].Status
}

// watch keeps the table of members until serf is over.
func (g *Gossip) watch(events <-chan serf.Event, over <-chan struct{}) {
	for {
		select {
		case e := <-events:
			if e, ok := e.(serf.MemberEvent); ok {
				g.note(e)
			}
		case <-over:
			return
		}
	}
}

func (g *Gossip) note(e serf.MemberEvent) {
	for _, m := range e.Members {
		gone := false
		switch e.Type {
		case serf.EventMemberJoin:
			g.set(m, Alive)
			if m.Name != g.cfg.Self {
				g.cfg.OnAlive(m.Name)
			}
		case serf.EventMemberUpdate:
			g.set(m, Alive)
		case serf.EventMemberFailed:
			g.set(m, Failed)
			gone = true
		case serf.EventMemberLeave:
			g.set(m, Left)
			gone = true
		case serf.EventMemberReap:
			g.mu.Lock()
			delete(g.members, m.Name)
			g.mu.Unlock()
		case serf.EventUser, serf.EventQuery: // not about members
		}
		if gone {
			select {
			case g.wake <- struct{}{}:
			default:
			}
		}
	}
}

func (g *Gossip) set(m serf.Member, status Status) {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.members[m.Name]
	since := old.Since
	if old.Status != status {
		since = g.cfg.Now()
	}
	g.members[m.Name] = Member{
		Name: m.Name, Build: m.Tags[buildTag], Status: status, Since: since,
		Addr: net.JoinHostPort(m.Addr.String(), strconv.Itoa(int(m.Port))),
	}
}
