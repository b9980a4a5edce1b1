package quorum

import (
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// ballotOf is a ballot of b.
func ballotOf(from string) wire.Ballot {
	return wire.Ballot{
		Cluster: "shop", Epoch: 1, From: from, Life: wire.Life{Incarnation: 5, Starts: 3, Boot: 1}, Seq: 1, Nonce: 77,
		Lease: witness.DefaultLease, Standing: wire.StandingGood, Actor: vclock.Actor(from + "~00000000"), Want: true, Held: wire.NeverHeld,
	}
}

// V1: "refuse unless cluster and epoch fit and X's T is not above V's own …;
// V keeps per name the newest incarnation and boot counter …: an older one, or
// an equal counter with another boot, is refused `duplicate`".
func TestV1(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*wire.Ballot)
		want   witness.Reason
	}{
		"fits":             {func(*wire.Ballot) {}, ""},
		"sick":             {func(b *wire.Ballot) { b.Want = false }, ""}, // "otherwise grant, to everyone"
		"shorter lease":    {func(b *wire.Ballot) { b.Lease /= 2 }, ""},
		"cluster":          {func(b *wire.Ballot) { b.Cluster = "elsewhere" }, witness.Epoch},
		"epoch":            {func(b *wire.Ballot) { b.Epoch = 2 }, witness.Epoch},
		"longer lease":     {func(b *wire.Ballot) { b.Lease++ }, witness.Epoch},
		"no data node":     {func(b *wire.Ballot) { b.From = "z" }, witness.Epoch},
		"the witness":      {func(b *wire.Ballot) { b.From = "w" }, witness.Epoch},
		"own name":         {func(b *wire.Ballot) { b.From = "a" }, witness.Duplicate},
		"next start":       {func(b *wire.Ballot) { b.Life.Starts, b.Life.Boot = 4, 2 }, ""},
		"thawed":           {func(b *wire.Ballot) { b.Life.Thaws, b.Life.Boot = 1, 2 }, ""},
		"wiped":            {func(b *wire.Ballot) { b.Life = wire.Life{Incarnation: 6, Starts: 1, Boot: 2} }, ""},
		"clone":            {func(b *wire.Ballot) { b.Life.Boot = 2 }, witness.Duplicate},
		"older start":      {func(b *wire.Ballot) { b.Life.Starts, b.Life.Boot = 2, 2 }, witness.Duplicate},
		"older life":       {func(b *wire.Ballot) { b.Life.Incarnation = 4 }, witness.Duplicate},
		"old of the clone": {func(b *wire.Ballot) { b.Life.Starts, b.Life.Boot = 2, 1 }, witness.Duplicate},
	} {
		d := newDesk(t, 2)
		if a := d.k.Vote(d.now, ballotOf("b")); !a.Granted || a.Check() != nil || a.Nonce != 77 {
			t.Fatalf("%+v", a)
		}
		b := ballotOf("b")
		c.change(&b)
		if a := d.k.Vote(d.now, b); a.Granted != (c.want == "") || a.Reason != string(c.want) || a.Check() != nil {
			t.Errorf("%s: %+v, want %q", name, a, c.want)
		}
	}
}

// V2: "refuse `catching_up` while V's own standing is not good".
func TestV2(t *testing.T) {
	for _, s := range []node.Standing{node.StandingNew, node.StandingCatchingUp} {
		d := newDesk(t, 2)
		d.self(s)
		if a := d.k.Vote(d.now, ballotOf("b")); a.Reason != string(witness.CatchingUp) || a.Standing != wire.Standing(s) {
			t.Errorf("%s: %+v", s, a)
		}
	}
}

// X1: an answer holds "names of who has it, until when … standing, frontier,
// what the voter knows of X's actor"; D14: in a frontier or in a ballot.
func TestVoteTells(t *testing.T) {
	d := newDesk(t, 3)
	b := ballotOf("b")
	if a := d.k.Vote(d.now, b); len(a.Have) != 0 || a.Knows != 0 || a.Frontier.Get("a~00000000") != 4 || a.Wall != d.now.Wall.UnixMicro() {
		t.Errorf("%+v", a)
	}
	d.answered(reply("c", d.beat("c"), ""))
	if a := d.k.Vote(d.now, b); len(a.Have) != 1 || a.Have[0] != (wire.Holder{Name: "a", Left: witness.DefaultLease}) {
		t.Errorf("%+v", a)
	}
	c := ballotOf("c") // c has heard of b's ninth write
	c.Life = wire.Life{Incarnation: 1, Starts: 1, Boot: 1}
	c.Frontier = vclock.VectorOf(vclock.Dot{Actor: "b~00000000", Seq: 9})
	d.k.Vote(d.now, c)
	c.Frontier = vclock.Vector{}
	d.k.Vote(d.now, c)
	if a := d.k.Vote(d.now, b); a.Knows != 9 {
		t.Errorf("it knows %d, want 9", a.Knows)
	}
	if s := d.k.State(d.now).Voters[1]; s.Name != "c" || s.Frontier.Get("b~00000000") != 9 || s.Standing != node.StandingGood || !s.LastHeard.Equal(d.now.Wall) {
		t.Errorf("%+v", s)
	}
}

// API: "`detail` says which; clients try both in this order": plain words for
// each cause.
func TestDetail(t *testing.T) {
	d := newDesk(t, 2)
	says := func(want string) {
		t.Helper()
		if got := d.k.State(d.now).Detail(); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
	says("a started at 01:46:40Z, waits for the votes of b and the witness, and has 1 of 3 votes. Reads still work.")
	d.self(node.StandingCatchingUp)
	says("a has not caught up with the other data nodes yet. Reads still work.")
	d.self(node.StandingGood)
	d.answered(reply("b", d.beat("b"), ""))
	says("a takes writes: it has 2 of 3 votes.")
	d.pass(witness.DefaultLease)
	a := reply("w", d.beat("w"), witness.Other)
	a.Have = []wire.Holder{{Name: "b", Left: 2 * time.Second}}
	d.answered(a)
	d.pass(400 * time.Millisecond)
	says("a lost b and the witness at 01:46:41Z and has 1 of 3 votes. Reads still work. The witness said 0.4 s ago that b may write.")
	d.pass(witness.DefaultLease)
	says("a lost b and the witness at 01:46:41Z and has 1 of 3 votes. Reads still work.")
}

// FAILURES row 17: "excess drift flagged"; row 21: "the later is refused".
func TestAlerts(t *testing.T) {
	for code, change := range map[AlertCode]func(*wire.Answer){
		DuplicateName:    func(a *wire.Answer) { a.Granted, a.Reason = false, string(witness.Duplicate) },
		DifferentCluster: func(a *wire.Answer) { a.Granted, a.Reason = false, string(witness.Epoch) },
		ClockOffset:      func(a *wire.Answer) { a.Wall += int64(time.Second / time.Microsecond) },
	} {
		d := newDesk(t, 2)
		a := reply("b", d.beat("b"), "")
		a.Wall = d.now.Wall.UnixMicro()
		d.answered(a)
		for _, al := range d.k.State(d.now).Alerts {
			if al.Code != NoSpareVote { // the witness was not asked
				t.Errorf("in good order: %+v", al)
			}
		}
		a = reply("b", d.beat("b"), "")
		a.Wall = d.now.Wall.UnixMicro()
		change(&a)
		d.answered(a)
		found := false
		for _, al := range d.k.State(d.now).Alerts {
			found = found || al.Code == code && strings.Contains(al.Detail, "b")
		}
		if !found {
			t.Errorf("%s: %+v", code, d.k.State(d.now).Alerts)
		}
	}
}
