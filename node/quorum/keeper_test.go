package quorum

import (
	"slices"
	"testing"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// desk is one keeper, a, whose voters are played by the test.
type desk struct {
	t   *testing.T
	k   *Keeper
	now Now
}

func newDesk(t *testing.T, n int) *desk {
	t.Helper()
	r := witness.Roster{Cluster: "shop", Epoch: 1, Witness: "w"}
	for i := range n {
		r.Data = append(r.Data, witness.Voter{Name: string(rune('a' + i))})
	}
	var drawn uint64
	k, err := NewKeeper(Config{
		Name: "a", Roster: r, Timing: witness.DefaultTiming(), Life: witness.Life{Incarnation: 1, Starts: 1},
		Random: func() uint64 { drawn++; return drawn },
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, k: k, now: Now{Boot: time.Hour, Wall: time.Unix(1_000_000_000, 0)}}
	d.self(node.StandingGood)
	return d
}

func (d *desk) self(s node.Standing) {
	d.k.Know(Self{Standing: s, Actor: "a~00000000", Frontier: vclock.VectorOf(vclock.Dot{Actor: "a~00000000", Seq: 4})})
}

func (d *desk) pass(span time.Duration) {
	d.now.Boot += span
	d.now.Wall = d.now.Wall.Add(span)
}

// beat returns the ballot to one voter.
func (d *desk) beat(to string) wire.Ballot {
	d.t.Helper()
	for _, o := range d.k.Beat(d.now) {
		if o.To == to {
			return o.Ballot
		}
	}
	d.t.Fatalf("no ballot to %s", to)
	return wire.Ballot{}
}

// reply is the answer of a voter; "" grants.
func reply(from string, b wire.Ballot, why witness.Reason) wire.Answer {
	a := wire.Answer{Cluster: "shop", From: from, Nonce: b.Nonce, Granted: why == "", Reason: string(why)}
	if from == "w" {
		a.Stamp = wire.Stamp{Boot: 9, At: time.Minute}
		return a
	}
	a.Life = wire.Life{Incarnation: 1, Starts: 1, Boot: 1}
	a.Standing, a.Actor = wire.StandingGood, vclock.Actor(from+"~00000000")
	return a
}

func (d *desk) answered(a wire.Answer) []Outgoing {
	d.t.Helper()
	again, err := d.k.Answered(d.now, a)
	if err != nil {
		d.t.Fatal(err)
	}
	return again
}

func (d *desk) left() time.Duration {
	left, _ := d.k.Writable(d.now)
	return left
}

// X2: "Grant: direct[V] = s + T"; "(Lease from the *send* time: from the
// reply's, two sides write.)"; "s; not above the last processed: late, stop";
// "unknown nonce …: drop".
func TestX2LeaseCountsFromTheSending(t *testing.T) {
	d := newDesk(t, 2)
	old := d.beat("b")
	d.pass(100 * time.Millisecond)
	newer := d.beat("b")
	d.pass(200 * time.Millisecond)
	d.answered(reply("b", newer, ""))
	if want := witness.DefaultLease - 200*time.Millisecond; d.left() != want {
		t.Errorf("%v are left, want %v", d.left(), want)
	}
	d.answered(reply("b", old, witness.CatchingUp))   // overtaken
	d.answered(reply("b", newer, witness.CatchingUp)) // again
	forged := reply("b", newer, witness.CatchingUp)
	forged.Nonce = 12345
	d.answered(forged)
	if d.left() == 0 {
		t.Error("an answer that does not count took the vote away")
	}
	d.pass(witness.DefaultLease - 200*time.Millisecond)
	if d.left() != 0 || d.k.State(d.now).Voters[0].Left != 0 {
		t.Errorf("%v are left at the end", d.left())
	}
}

// X2: "Refused with {other, ineligible, behind, catching_up, duplicate}:
// direct[V] = 0 (catching_up: ex[V] = s, it is still a path). With {boot,
// stale, epoch, busy}: keep what is held".
func TestX2Refusals(t *testing.T) {
	for why, keeps := range map[witness.Reason]bool{
		witness.Other: false, witness.Ineligible: false, witness.Behind: false, witness.CatchingUp: false, witness.Duplicate: false,
		witness.Boot: true, witness.Stale: true, witness.Epoch: true, witness.Busy: true,
	} {
		for _, from := range []string{"b", "w"} {
			d := newDesk(t, 2)
			d.answered(reply(from, d.beat(from), ""))
			d.pass(time.Second)
			d.answered(reply(from, d.beat(from), why))
			if held := d.left() > 0; held != keeps {
				t.Errorf("%s of %s: held %v", why, from, held)
			}
			seen := d.beat("w").View
			path := slices.Contains(seen, wire.Seen{Name: "b", CatchingUp: true})
			if path != (why == witness.CatchingUp && from == "b") {
				t.Errorf("%s of %s: view %v", why, from, seen)
			}
		}
	}
}

// X1: "view = data voters with ex ≥ t − D".
func TestX1View(t *testing.T) {
	d := newDesk(t, 3)
	d.answered(reply("c", d.beat("c"), ""))
	d.pass(witness.DefaultTiming().Exchange)
	if seen := d.beat("w").View; !slices.Equal(seen, []wire.Seen{{Name: "c"}}) {
		t.Errorf("view %v", seen)
	}
	d.pass(1)
	if seen := d.beat("w").View; len(seen) != 0 {
		t.Errorf("view %v of an old exchange", seen)
	}
}

// X1: what a ballot says: "{cluster, epoch, from, incarnation, boot, seq++,
// nonce, … standing, frontier, … want, held, T, stamp}".
func TestX1Ballot(t *testing.T) {
	d := newDesk(t, 2)
	b := d.beat("w")
	if err := b.Check(); err != nil {
		t.Error(err)
	}
	if b.From != "a" || !b.Want || b.Held != wire.NeverHeld || b.Stamp != (wire.Stamp{}) || b.Lease != witness.DefaultLease ||
		b.Standing != wire.StandingGood || b.Frontier.Get("a~00000000") != 4 || b.Life.Boot == 0 {
		t.Errorf("%+v", b)
	}
	d.answered(reply("w", b, ""))
	d.pass(time.Second)
	next := d.beat("w")
	if next.Held != time.Second || next.Stamp != (wire.Stamp{Boot: 9, At: time.Minute}) || next.Seq <= b.Seq || next.Nonce == b.Nonce {
		t.Errorf("%+v", next)
	}
	d.k.Know(Self{Standing: node.StandingGood, Actor: "a~00000000", DiskLow: true})
	if d.beat("w").Want || d.k.State(d.now).Cause != node.DiskLow {
		t.Error("it wants votes on a full disk")
	}
	d.self(node.StandingCatchingUp)
	if d.beat("w").Want || d.k.State(d.now).Cause != node.CatchingUp {
		t.Error("it wants votes before it has caught up")
	}
	var wide vclock.Vector
	for i := range wire.MaxBallotFrontier + 1 {
		actor, err := vclock.NewActor("z", [5]byte{0, 0, 0, byte(i >> 8), byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		wide = wide.With(vclock.Dot{Actor: actor, Seq: 1})
	}
	d.k.Know(Self{Standing: node.StandingGood, Actor: "a~00000000", Frontier: wide.With(vclock.Dot{Actor: "a~00000000", Seq: 4})})
	if b = d.beat("w"); b.Check() != nil || b.Frontier.Get("a~00000000") != 4 {
		t.Errorf("a wide frontier: %d entries", b.Frontier.Len())
	}
}

// X2: "stale: send one ballot again at once with the new stamp"; "Take W's
// stamp if newer".
func TestX2StaleIsAskedAgainOnce(t *testing.T) {
	d := newDesk(t, 2)
	first := d.beat("w")
	again := d.answered(reply("w", first, witness.Stale))
	if len(again) != 1 || again[0].To != "w" || again[0].Ballot.Stamp != (wire.Stamp{Boot: 9, At: time.Minute}) {
		t.Fatalf("again %+v", again)
	}
	if more := d.answered(reply("w", again[0].Ballot, witness.Stale)); len(more) != 0 {
		t.Errorf("asked a third time: %+v", more)
	}
	older := reply("w", d.beat("w"), "")
	older.Stamp.At = time.Second
	d.answered(older)
	if got := d.beat("w").Stamp.At; got != time.Minute {
		t.Errorf("an older stamp was taken: %v", got)
	}
	restarted := reply("w", d.beat("w"), witness.Boot)
	restarted.Stamp = wire.Stamp{Boot: 10, At: time.Second}
	d.answered(restarted)
	if got := d.beat("w").Stamp.Boot; got != 10 {
		t.Errorf("the stamp of the witness's new run was not taken: %v", got)
	}
}

// X2: "wrong incarnation or cluster: drop"; FAILURES row 26: "counted as no
// vote".
func TestX2ForeignAnswers(t *testing.T) {
	for name, change := range map[string]func(*wire.Answer){
		"cluster":    func(a *wire.Answer) { a.Cluster = "elsewhere" },
		"no voter":   func(a *wire.Answer) { a.From = "z" },
		"itself":     func(a *wire.Answer) { a.From = "a" },
		"older life": func(a *wire.Answer) { a.Life.Starts = 0 },
		"clone":      func(a *wire.Answer) { a.Life.Boot = 2 },
		"as witness": func(a *wire.Answer) { a.Stamp = wire.Stamp{Boot: 1, At: 1} },
		"reason":     func(a *wire.Answer) { a.Granted, a.Reason = false, "mood" },
	} {
		d := newDesk(t, 2)
		first := d.beat("b")
		d.answered(reply("b", first, witness.Busy))
		a := reply("b", d.beat("b"), "")
		change(&a)
		if _, err := d.k.Answered(d.now, a); err == nil || d.left() != 0 {
			t.Errorf("%s: %v, %v left", name, err, d.left())
		}
	}
}

// X5: "A commit begins only while the M-th largest expiry is at least the guard
// away, and is checked again after the commit and before the answer".
func TestX5GuardOfACommit(t *testing.T) {
	d := newDesk(t, 2)
	d.answered(reply("b", d.beat("b"), ""))
	d.pass(witness.DefaultLease - witness.Guard)
	term, err := d.k.Begin(d.now)
	if err != nil {
		t.Errorf("with the guard left: %v", err)
	}
	d.pass(1)
	_, err = d.k.Begin(d.now)
	if node.KindOf(err) != node.ReadOnly || err.Error() != "write: The lease of a ends in a moment, unless it is renewed. Reads still work." {
		t.Errorf("with less than the guard left: %v", err)
	}
	if !d.k.Held(d.now, term) {
		t.Error("the lease still runs")
	}
	d.pass(witness.Guard - 1)
	if d.k.Held(d.now, term) {
		t.Error("the lease has ended")
	}
}

// X5: "votes = 1 + those with max(direct, shared) > now"; M of four data nodes
// and a witness is three.
func TestX5MthLargestExpiry(t *testing.T) {
	d := newDesk(t, 4)
	for i, from := range []string{"b", "c", "w"} {
		if d.left() != 0 && i < 2 {
			t.Errorf("writable with %d votes", i+1)
		}
		d.answered(reply(from, d.beat(from), ""))
		d.pass(100 * time.Millisecond)
	}
	// b's vote ends first; without it a, c and w remain.
	if want := witness.DefaultLease - 200*time.Millisecond; d.left() != want {
		t.Errorf("%v left, want %v: when c's vote ends", d.left(), want)
	}
	if s := d.k.State(d.now); s.Have != 4 || s.Need != 3 || s.Of != 5 || s.Expires != d.left() {
		t.Errorf("%+v", s)
	}
}

// A single data node needs nobody's vote.
func TestAlone(t *testing.T) {
	d := newDesk(t, 1)
	if left, ok := d.k.Writable(d.now); !ok || left != Forever {
		t.Errorf("%v %v", left, ok)
	}
	if term, err := d.k.Begin(d.now); err != nil || !d.k.Held(d.now, term) {
		t.Errorf("a commit is refused: %v", err)
	}
	if s := d.k.State(d.now); s.Have != 1 || s.Of != 1 || s.Expires != Forever || len(s.Alerts) > 0 || s.Voters[0].Counts {
		t.Errorf("%+v", s)
	}
}

// doc.go: "a machine whose clocks stood still holds nothing when it wakes"; a
// boot-time clock that runs back is the same, for as long as it is behind.
func TestClockThatRunsBack(t *testing.T) {
	d := newDesk(t, 2)
	d.answered(reply("b", d.beat("b"), ""))
	d.now.Boot -= time.Second
	if d.left() != 0 || d.k.State(d.now).Cause != node.ClockBad || d.beat("w").Want {
		t.Errorf("it goes on: %+v", d.k.State(d.now))
	}
	d.pass(time.Second)
	d.answered(reply("b", d.beat("b"), ""))
	if d.left() != witness.DefaultLease {
		t.Errorf("it does not recover: %+v", d.k.State(d.now))
	}
}

// X1: "Beat, staggered by name".
func TestBeatsAreStaggered(t *testing.T) {
	beat := witness.DefaultBeat
	var phases []time.Duration
	for _, name := range []string{"a", "b", "c"} {
		d := newDesk(t, 3)
		d.k.name = name
		next := d.k.NextBeat(d.now.Boot)
		if wait := next - d.now.Boot; wait < beat/2 || wait > beat*3/2 {
			t.Errorf("%s waits %v", name, wait)
		}
		if after := d.k.NextBeat(next); after != next+beat {
			t.Errorf("%s beats after %v", name, after-next)
		}
		if early := d.k.NextBeat(next - 1); early != next+beat {
			t.Errorf("%s beats twice when its timer fires early", name)
		}
		phases = append(phases, next%beat)
	}
	slices.Sort(phases)
	if got := slices.Compact(phases); len(got) != 3 {
		t.Errorf("phases %v", got)
	}
}

// HOUSE, habits: "Every queue … has a named limit": ballots without an answer.
func TestOpenBallotsAreBounded(t *testing.T) {
	d := newDesk(t, 2)
	for range 10 * MaxOpen {
		d.beat("b")
	}
	if n := len(d.k.voter("b").open); n > MaxOpen {
		t.Errorf("%d ballots wait", n)
	}
	last := d.beat("b")
	d.answered(reply("b", last, ""))
	if d.left() == 0 {
		t.Error("the newest ballot was given up")
	}
	d.pass(witness.DefaultLease)
	d.beat("b")
	if n := len(d.k.voter("b").open); n != 1 {
		t.Errorf("%d ballots wait whose answers could give nothing", n)
	}
}

func TestNewKeeperRefuses(t *testing.T) {
	r := witness.Roster{Cluster: "shop", Data: []witness.Voter{{Name: "a"}}, Witness: "w"}
	for _, c := range []Config{{Name: "a"}, {Name: "w", Roster: r}, {Name: "z", Roster: r}} {
		if _, err := NewKeeper(c); err == nil {
			t.Errorf("%+v passed", c)
		}
	}
}
