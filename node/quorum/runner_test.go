package quorum

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

var _ node.Guard = (*Runner)(nil)

// net carries ballots between runners of one test, inside a synctest bubble.
type net struct {
	mu      sync.Mutex
	runners map[string]*Runner
	w       *witness.Witness
	roster  witness.Roster
	begin   time.Time
	cut     map[string]bool // "a b": what a sends to b is lost
	slow    map[string]time.Duration
	calls   map[string]int
	most    map[string]int
}

var errCut = errors.New("the link is cut")

func newNet(t *testing.T, names ...string) *net {
	n := &net{
		runners: map[string]*Runner{}, begin: time.Now(), cut: map[string]bool{},
		slow: map[string]time.Duration{}, calls: map[string]int{}, most: map[string]int{},
	}
	roster := witness.Roster{Cluster: "shop", Epoch: 1, Witness: "w"}
	for _, name := range names {
		roster.Data = append(roster.Data, witness.Voter{Name: name})
	}
	n.roster = roster
	timing := witness.DefaultTiming()
	var err error
	if n.w, err = witness.New(witness.Config{Roster: roster, Timing: timing, Boot: 1, Started: n.boot()}); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		n.runners[name], err = NewRunner(n.config(name, Config{
			Name: name, Roster: roster, Timing: timing, Life: witness.Life{Incarnation: 1, Starts: 1}, Random: rng.Uint64,
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *net) config(name string, k Config) RunnerConfig {
	return RunnerConfig{
		Keeper: k, Caller: caller{n, name}, Boot: n.boot, Wall: time.Now,
		Self: func() Self {
			return Self{Standing: node.StandingGood, Actor: vclock.Actor(name + "~00000000")}
		},
		OwnActor: func(string, uint64) error { return nil },
	}
}

func (n *net) boot() time.Duration { return time.Hour + time.Since(n.begin) }

type caller struct {
	n    *net
	name string
}

// Call implements Caller.
func (c caller) Call(ctx context.Context, peer string, body []byte) ([]byte, error) {
	n, way := c.n, c.name+" "+peer
	n.mu.Lock()
	n.calls[way]++
	n.most[way] = max(n.most[way], n.calls[way])
	slow, cut := n.slow[way], n.cut[way]
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.calls[way]--
	}()
	if cut {
		return nil, errCut
	}
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if peer != "w" {
		return n.runners[peer].HandleBallot(c.name, body)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var b wire.Ballot
	if err := wire.DecodeMessage(body, &b); err != nil {
		return nil, err
	}
	a := askWitness(n.w, n.boot(), b)
	a.Wall = time.Now().UnixMicro()
	return wire.Encode(&a)
}

// sever cuts or mends both directions between a and b.
func (n *net) sever(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut["a b"], n.cut["b a"] = cut, cut
}

// live runs all runners while do does its work.
func (n *net) live(t *testing.T, do func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, r := range n.runners {
		running.Go(func() {
			if err := r.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		})
	}
	do()
	cancel()
	running.Wait()
}

// passed lets time pass in the bubble, and everybody come to rest.
func passed(d time.Duration) {
	time.Sleep(d) // the bubble's clock
	synctest.Wait()
}

// FAILURES row 1: "one of them RW with no gap; the other RO within B, and its
// 503 names the node that has the vote".
func TestRunnersSurviveACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, "a", "b")
		a, b := n.runners["a"], n.runners["b"]
		n.live(t, func() {
			passed(3 * time.Second)
			for _, r := range n.runners {
				if s := r.State(); !s.Writable || s.Have != 3 || s.Of != 3 || len(s.Alerts) > 0 || !commits(r) {
					t.Fatalf("healthy: %+v", s)
				}
			}
			n.sever(true)
			passed(witness.DefaultTiming().Bound(n.roster))
			if s := a.State(); !s.Writable || !slices.Equal(s.WritableNodes, []string{"a"}) {
				t.Fatalf("a: %+v", s)
			}
			refusal, ok := errors.AsType[*node.Error](refused(b))
			if !ok || refusal.Kind != node.ReadOnly {
				t.Fatalf("b: %v", refusal)
			}
			ro := refusal.ReadOnly
			if ro.Cause != node.NoMajority || ro.Have != 1 || ro.Need != 2 || ro.Of != 3 ||
				!slices.Equal(ro.WritableNodes, []string{"a"}) || len(ro.Candidates) != 1 || ro.Candidates[0].Name != "a" {
				t.Fatalf("b: %+v", ro)
			}
			for _, part := range []string{"b lost a and the witness at ", " and has 1 of 3 votes. Reads still work. The witness said 0.", " s ago that a may write."} {
				if !strings.Contains(ro.Detail, part) {
					t.Errorf("%q lacks %q", ro.Detail, part)
				}
			}
			if s := b.State(); s.Voters[0].Problem != errCut.Error() || s.Voters[0].Reachable || !s.Voters[1].Reachable {
				t.Errorf("b's voters: %+v", s.Voters)
			}
			n.sever(false)
			passed(time.Second)
			if !b.State().Writable || !commits(b) {
				t.Errorf("b after the heal: %+v", b.State())
			}
			checkLog(t, b.Log())
		})
	})
}

// checkLog expects what b went through. API: "log of grants, refusals,
// expiries with reasons".
func checkLog(t *testing.T, log []witness.Entry) {
	t.Helper()
	for _, want := range []witness.Event{
		{Voter: "a", Node: "b", Verdict: witness.Granted},
		{Voter: "b", Node: "a", Verdict: witness.Granted},
		{Voter: "a", Node: "b", Verdict: witness.Expired},
		{Voter: "w", Node: "b", Verdict: witness.Refused, Reason: witness.Boot},
		{Voter: "w", Node: "b", Verdict: witness.Refused, Reason: witness.Other},
		{Voter: "w", Node: "b", Verdict: witness.Granted},
	} {
		if !slices.ContainsFunc(log, func(e witness.Entry) bool { return e.Event == want }) {
			t.Errorf("the log lacks %+v", want)
		}
	}
}

// A ballot may take longer than a beat: "bounded", and the other voters are
// asked as before.
func TestRunnerBoundsBallotsOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, "a", "b")
		n.slow["a b"] = time.Hour
		n.live(t, func() {
			passed(10 * time.Second)
			s := n.runners["a"].State()
			if n.most["a b"] > MaxInFlight || n.most["a b"] < 5 {
				t.Errorf("%d ballots were on their way to b at once", n.most["a b"])
			}
			if !s.Writable || s.Voters[0].Problem == "" || s.Voters[1].Problem != "" {
				t.Errorf("a: %+v", s)
			}
		})
	})
}

// X1: beats; X2: "stale: send one ballot again at once with the new stamp", so
// a node that starts beside a witness that grants needs one exchange.
func TestRunnerStartsFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, "a", "b")
		n.sever(true)
		passed(n.w.State(n.boot()).Opens + time.Millisecond)
		n.live(t, func() {
			synctest.Wait()
			a, b := n.runners["a"].State(), n.runners["b"].State()
			if a.Writable == b.Writable {
				t.Errorf("want one: %+v and %+v", a, b)
			}
		})
	})
}

// Changed is told of each change once, in order.
func TestRunnerTellsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, "a", "b")
		var told []bool
		n.runners["b"].cfg.Changed = func(s State) { told = append(told, s.Writable) }
		n.live(t, func() {
			passed(3 * time.Second)
			n.sever(true)
			passed(3 * time.Second)
			n.sever(false)
			passed(3 * time.Second)
		})
		if !slices.Equal(told, []bool{true, false, true}) {
			t.Errorf("told %v", told)
		}
	})
}

// D14: "The first write after a start waits until every vote that it counts
// has said what it knows of my actor"; more than it assigned: stop.
func TestVoteOfWhoeverKnowsMoreDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, "a", "b")
		actor := vclock.Actor("a~00000000")
		b := n.runners["b"]
		b.cfg.Self = func() Self {
			return Self{
				Standing: node.StandingGood, Actor: "b~00000000",
				Frontier: vclock.VectorOf(vclock.Dot{Actor: actor, Seq: 7}),
			}
		}
		var mu sync.Mutex
		var told []string
		a := n.runners["a"]
		a.cfg.OwnActor = func(from string, seq uint64) error {
			if seq > 5 {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, from)
				return errors.New("the file went back")
			}
			return nil
		}
		n.live(t, func() {
			passed(time.Second)
			if s := a.State(); s.Writable || s.Voters[0].Left > 0 || !strings.Contains(s.Voters[0].Problem, "the file went back") {
				t.Errorf("a: %+v", s)
			}
		})
		if !slices.Contains(told, "b") {
			t.Errorf("told of %v", told)
		}
	})
}

// DESIGN section 4: "Peers are untrusted input". FAILURES row 26: "refused with
// the reason; counted as no vote".
func TestHandleBallotRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, "a", "b")
		r := n.runners["a"]
		var good wire.Ballot
		n.runners["b"].step(func(k *Keeper, now Now) { good = k.Beat(now)[0].Ballot })
		encode := func(b wire.Ballot) []byte {
			body, err := wire.Encode(&b)
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
		forged, foreign, other := good, good, good
		forged.From, forged.Actor = "a", "a~00000000"
		foreign.Cluster = "elsewhere"
		other.Epoch = 2
		for name, c := range map[string]struct {
			caller string
			body   []byte
		}{
			"garbage":      {"b", []byte{0xff, 0x01}},
			"empty":        {"b", nil},
			"too big":      {"b", bytes.Repeat([]byte{0}, wire.MaxBallotBytes+1)},
			"not its own":  {"b", encode(forged)},
			"of another":   {"c", encode(good)},
			"out of range": {"b", encode(wire.Ballot{})},
		} {
			if _, err := r.HandleBallot(c.caller, c.body); err == nil {
				t.Errorf("%s passed", name)
			}
		}
		for name, b := range map[string]wire.Ballot{"another cluster": foreign, "another epoch": other} {
			var a wire.Answer
			if body, err := r.HandleBallot("b", encode(b)); err != nil || wire.Decode(body, &a) != nil || a.Reason != string(witness.Epoch) {
				t.Errorf("%s: %v %+v", name, err, a)
			}
		}
	})
}

// X2: with `busy` the asker keeps what it holds.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(t, "a", "b")
		b := n.runners["b"]
		n.live(t, func() {
			passed(3 * time.Second)
			for range MaxBallots {
				b.ballots <- struct{}{}
			}
			passed(witness.DefaultTiming().Beat * 2)
			s := n.runners["a"].State()
			if v := s.Voters[0]; v.Reason != witness.Busy || v.Left <= 0 || !s.Writable {
				t.Errorf("%+v", v)
			}
			for range MaxBallots {
				<-b.ballots
			}
			passed(witness.DefaultTiming().Beat * 2)
			if v := n.runners["a"].State().Voters[0]; !v.Granted {
				t.Errorf("%+v", v)
			}
		})
	})
}

// commits says whether a commit that begins now holds.
func commits(r *Runner) bool {
	term, err := r.Begin()
	return err == nil && r.Held(term)
}

// refused is what a commit that begins now is told.
func refused(r *Runner) error {
	_, err := r.Begin()
	return err
}
