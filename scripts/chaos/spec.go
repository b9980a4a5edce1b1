package chaos

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/client"
)

// witnessName is what the witness of a script's cluster is called.
const witnessName = "w"

// Spec is the cluster that a script asks for.
type Spec struct {
	Data    []string      // names of the data nodes
	Witness string        // empty: none
	Beat    time.Duration // 0: the default
	Lease   time.Duration // 0: the default
	Sync    string        // storage.sync of its configuration; empty: the default
}

// How durable a commit is, as the setting storage.sync says it.
const (
	SyncFull   = "full"   // on the disk before it is answered
	SyncNormal = "normal" // a loss of power may take the last ones
)

// Members lists the names of all processes, the witness last.
func (s *Spec) Members() []string {
	if s.Witness == "" {
		return slices.Clone(s.Data)
	}
	return append(slices.Clone(s.Data), s.Witness)
}

// String is the spec in words.
func (s *Spec) String() string {
	text := "data nodes " + strings.Join(s.Data, ", ")
	if s.Witness != "" {
		text += ", witness " + s.Witness
	}
	return text
}

// FaultKind is what a fault does to a link.
type FaultKind string

// Kinds of faults on links.
const (
	Cut  FaultKind = "cut"  // nothing passes
	Slow FaultKind = "slow" // all passes, later
	Lose FaultKind = "lose" // some is lost
	Flap FaultKind = "flap" // cut and healed in turn
	// Block is a cut of one kind of traffic, both ways: PortPeer or PortGossip.
	Block FaultKind = "block"
)

// What can be blocked by itself.
const (
	PortPeer   = "peer"   // ballots and data
	PortGossip = "gossip" // who is there
)

// Fault is a fault on one link.
type Fault struct {
	Kind   FaultKind
	From   string // the member whose sending is disturbed
	To     string
	OneWay bool
	Lasts  time.Duration
	Delay  time.Duration // slow: latency of each direction; flap: the period
	Share  float64       // lose: of the packets, above 0 and at most 1
	Port   string        // block
}

// String is the fault in words.
func (f Fault) String() string {
	arrow := "↔"
	if f.OneWay {
		arrow = "→"
	}
	text := fmt.Sprintf("%s %s %s %s", f.Kind, f.From, arrow, f.To)
	switch f.Kind {
	case Slow:
		text += " by " + f.Delay.String()
	case Lose:
		text += fmt.Sprintf(" %.0f %%", f.Share*100)
	case Flap:
		text += " every " + f.Delay.String()
	case Block:
		text += " " + f.Port
	case Cut:
	}
	return text
}

// Shift is a wrong wall clock.
type Shift struct {
	Offset time.Duration // by how much it is ahead; below 0 it is behind
	Drift  float64       // how much faster it runs, as a share
	Lasts  time.Duration
}

// Ability is something that not every cluster can do.
type Ability string

// Abilities.
const (
	Processes Ability = "processes" // pause, resume, kill, start, wipe, copy, rollback
	Clocks    Ability = "clocks"    // clock
	Delays    Ability = "delays"    // slow
	Ports     Ability = "ports"     // block
)

// Cluster is a running cluster. Every fault ends by itself, at the latest when
// its time is up. Calls for one member come one after the other.
type Cluster interface {
	// Lacks says in words why the cluster cannot do something; empty: it can.
	Lacks(a Ability) string
	// Break puts a fault on a link, in force on both ends when it returns.
	Break(ctx context.Context, f Fault) error
	// Heal ends the faults of a link, of all links when both names are empty.
	Heal(ctx context.Context, a, b string) error
	// Pause stops a process as SIGSTOP does, for a time at most.
	Pause(ctx context.Context, name string, lasts time.Duration) error
	Resume(ctx context.Context, name string) error
	// Kill ends a process as kill -9 does.
	Kill(ctx context.Context, name string) error
	// Start starts a process that is down and waits until it serves.
	Start(ctx context.Context, name string) error
	// Wipe takes all that a process that is down has stored.
	Wipe(ctx context.Context, name string) error
	// Copy copies all that a process has stored that is down or stands still.
	Copy(ctx context.Context, name string) error
	// Rollback puts the last copy in the place of what a process that is down has
	// stored.
	Rollback(ctx context.Context, name string) error
	// Shift makes a wall clock wrong; a zero Shift makes it right.
	Shift(ctx context.Context, name string, s Shift) error
	// Node is a client of one data node alone, without a session.
	Node(name string) Node
}

// Node is what a run asks one data node. *client.Client is one.
type Node interface {
	Put(context.Context, client.Key, []byte, client.PutOptions) (*client.Written, error)
	Get(context.Context, client.Key, client.Options) (*client.Document, error)
	Delete(context.Context, client.Key, client.PutOptions) (*client.Written, error)
	Ops(context.Context, client.Key, client.Ops, client.PutOptions) (*client.Written, error)
	Patch(context.Context, client.Key, client.Patch, client.PutOptions) (*client.Written, error)
	RestoreVersion(context.Context, client.Key, string, client.PutOptions) (*client.Written, error)
	History(context.Context, client.Key, client.HistoryOptions) iter.Seq2[*client.HistoryPage, error]
	Explain(context.Context, client.Key, client.Options) (*client.Explanation, error)
	Bulk(context.Context, string, iter.Seq[client.BulkLine], client.BulkOptions) iter.Seq2[client.BulkResult, error]
	List(context.Context, string, client.ListOptions) iter.Seq2[*client.Document, error]
	Siblings(context.Context, client.Key, client.Options) (*client.Siblings, error)
	Changes(context.Context, client.ChangesOptions) iter.Seq2[client.Change, error]
	Conflicts(context.Context, client.ConflictsOptions) iter.Seq2[*client.Conflict, error]
	Conflict(context.Context, string, client.Options) (*client.Conflict, error)
	ConflictCounts(context.Context, client.Options) (client.ConflictCounts, error)
	Cluster(context.Context) (*client.Cluster, error)
	Verify(context.Context, client.Options) (*client.Verify, error)
	Configure(context.Context, string, client.Configuration) (*client.Collection, error)
	PutResolver(context.Context, string, []byte, client.PutOptions) (*client.Resolver, error)
}
