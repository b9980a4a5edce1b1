package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
)

// settle lets everything happen that happens without a fault.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

// Two new nodes meet, become good, and stay equal through writes at both; with
// nothing to do they send a frame every 5 s and nothing else (DESIGN 4).
func TestTwoNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		a, b := ps[0], ps[1]
		settle()
		if a.Standing() != node.StandingGood || b.Standing() != node.StandingGood {
			t.Fatal(a.Standing(), b.Standing())
		}
		for i := range 200 {
			a.write(fmt.Sprint("id", i%20), fmt.Sprintf(`{"a":%d}`, i))
			b.write(fmt.Sprint("id", i%30), fmt.Sprintf(`{"b":%d}`, i))
			time.Sleep(time.Millisecond)
		}
		settle()
		if !equal(a.member, b.member) {
			t.Fatalf("%+v and %+v", a.verify(), b.verify())
		}
		for _, p := range ps {
			s := p.Status()[0]
			if !s.Reachable || s.NodeLacks != (replica.Lack{Known: true}) || s.PeerLacks != (replica.Lack{Known: true}) || !s.Frontier.Equal(p.Frontier()) {
				t.Errorf("%s: %+v", p.name, s)
			}
			if !p.Stable().Equal(p.Frontier()) {
				t.Errorf("%s: %s of %s is stable", p.name, p.Stable(), p.Frontier())
			}
			if alarms, all := n.alarms(p); alarms+all > 0 {
				t.Errorf("%s: %+v", p.name, p.events)
			}
		}
		frames := n.count(n.frames, "a", "b")
		time.Sleep(time.Minute)
		if got, want := n.count(n.frames, "a", "b")-frames, int(time.Minute/replica.Heartbeat); got > want || got < want-1 {
			t.Errorf("%d frames in a minute of silence", got)
		}
		if got := n.count(n.calls, "a", "b"); got != 1 {
			t.Errorf("%d streams", got)
		}
	})
}

// "Idle lag from answer to visible on the peer" (issue 3): a write is on its way
// when it is answered, and waits for no timer, unless others went before it at
// that moment.
func TestWritesTravelAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		settle()
		for i := range 5 {
			ps[i%2].write("alice", fmt.Sprintf(`{"n":%d}`, i))
			synctest.Wait()
			if live := ps[1-i%2].live("alice"); len(live) != 1 || string(live[0].Body) != fmt.Sprintf(`{"n":%d}`, i) {
				t.Fatalf("write %d is not at the peer: %d live", i, len(live))
			}
			time.Sleep(replica.TransferEvery)
		}
	})
}

// "A – C – B keeps A and B in step while A – B is cut" (DESIGN 4; FAILURES 11).
func TestRelayThroughAThird(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b", "c")
		a, b, c := ps[0], ps[1], ps[2]
		settle()
		n.sever(true)
		for i := range 50 {
			a.write(fmt.Sprint("id", i%7), fmt.Sprintf(`{"a":%d}`, i))
			b.write(fmt.Sprint("id", i%7), fmt.Sprintf(`{"b":%d}`, i))
		}
		settle()
		if !equal(a.member, b.member) || !equal(b.member, c.member) {
			t.Fatalf("%+v, %+v, %+v", a.verify(), b.verify(), c.verify())
		}
		// What c says of b is enough for a to know what is stable (PROTOCOL D7).
		if !a.Stable().Equal(a.Frontier()) {
			t.Fatalf("%s of %s is stable", a.Stable(), a.Frontier())
		}
		s := a.Status()
		if s[0].Reachable || s[0].NodeLacks.Known || s[0].PeerLacks.Known || !s[1].Reachable {
			t.Fatalf("%+v", s)
		}
	})
}

// "Each stream reports its lag: in versions, and in seconds …. Unknown is
// reported as unknown, with since when, never as 0." (DESIGN 4)
func TestLagDuringACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		a, b := ps[0], ps[1]
		settle()
		cutAt := a.Status()[0].Since + 10*time.Second
		time.Sleep(10*time.Second - time.Second)
		n.sever(true)
		synctest.Wait()
		for i := range 10 {
			a.write(fmt.Sprint("id", i), `{}`)
			time.Sleep(time.Second)
		}
		s := a.Status()[0]
		if s.Reachable || s.PeerLacks.Known || s.NodeLacks.Known || s.Since < cutAt-2*time.Second || s.Since > cutAt+time.Second {
			t.Fatalf("%+v, cut at %s", s, cutAt)
		}
		n.sever(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if s = a.Status()[0]; !s.Reachable || s.PeerLacks != (replica.Lack{Known: true}) || !equal(a.member, b.member) {
			t.Fatalf("%+v", s)
		}
		// A ballot tells of more than has arrived: that is what is missing here.
		b.Ahead("a", a.Frontier().With(dot(a.Actor(), 15)))
		time.Sleep(3 * time.Second)
		if s = b.Status()[0]; s.NodeLacks.Versions != 5 || s.NodeLacks.Age != 3*time.Second {
			t.Fatalf("%+v", s.NodeLacks)
		}
	})
}

// A new life of a peer's file lacks what its old one had, and has not what that
// one had announced: neither may be shown as the truth of now.
func TestLagOfANewLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(func(c *node.Config) { c.Full = c.Node == "b" }, "a", "b")
		a, b := ps[0], ps[1]
		settle()
		for i := range 5 {
			a.write(fmt.Sprint("id", i), `{}`)
		}
		settle()
		b.Ahead("a", a.Frontier().With(dot(a.Actor(), 15))) // a ballot that ran ahead of the data
		if s := b.Status()[0]; s.NodeLacks.Versions != 10 {
			t.Fatalf("%+v", s)
		}
		n.sever(true)
		a = n.restart(a, 3) // below FULL: the tail is lost, and what was announced
		n.mu.Lock()
		n.cut[[2]string{"b", "a"}] = false // b pulls again, and a does not yet
		n.mu.Unlock()
		time.Sleep(5 * time.Second)
		if s := b.Status()[0]; s.NodeLacks != (replica.Lack{Known: true}) || s.PeerLacks.Versions != 3 || s.PeerLacks.Age < 5*time.Second {
			t.Fatalf("%+v", s)
		}
		n.sever(false)
		time.Sleep(5 * time.Second)
		if s := b.Status()[0]; s.PeerLacks != (replica.Lack{Known: true}) || !equal(a.member, b.member) {
			t.Fatalf("%+v", s)
		}
	})
}

// "After 15 s [of silence] the receiver drops the stream" (PROTOCOL D4), and
// opens another one.
func TestDeadStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		settle()
		n.each(func(p *pipe) bool { return p.from == "a" }, (*pipe).mute)
		ps[0].write("alice", `{}`)
		time.Sleep(replica.Silence - 2*time.Second)
		if got := n.count(n.calls, "b", "a"); got != 1 || len(ps[1].live("alice")) != 0 {
			t.Fatalf("%d streams", got)
		}
		time.Sleep(4 * time.Second)
		if got := n.count(n.calls, "b", "a"); got != 2 || !equal(ps[0].member, ps[1].member) {
			t.Fatalf("%d streams, %+v", got, ps[1].verify())
		}
		if _, all := n.alarms(ps[1]); all != 1 || !strings.Contains(ps[1].events[0].Err.Error(), "no frame for 15s") {
			t.Fatalf("%+v", ps[1].events)
		}
	})
}

// A peer that takes the connection and never answers is silent too.
func TestStreamThatNeverOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.hangs = true
		ps := n.start(func(c *node.Config) { c.Found = true }, "a", "b")
		ps[0].write("alice", `{}`)
		time.Sleep(replica.Silence - time.Second)
		n.mu.Lock()
		n.hangs = false
		n.mu.Unlock()
		time.Sleep(5 * time.Second)
		if !equal(ps[0].member, ps[1].member) {
			t.Fatalf("%+v and %+v", ps[0].verify(), ps[1].verify())
		}
	})
}

// A node that is slow to commit is not a peer that is silent.
func TestSlowDiskIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		slow := &hookedStore{Store: nodetest.NewMemStore(nodetest.MemConfig{Full: true})}
		ps := n.start(func(c *node.Config) {
			if c.Node == "b" {
				c.Store = slow
			}
		}, "a", "b")
		settle()
		slow.during = func() { time.Sleep(replica.Silence + 5*time.Second) }
		for i := range 10 {
			ps[0].write(fmt.Sprint("id", i), `{}`)
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Minute)
		if got := n.count(n.calls, "b", "a"); got != 1 || !equal(ps[0].member, ps[1].member) {
			t.Fatalf("%d streams, %+v", got, ps[1].verify())
		}
	})
}

// Attempts grow rarer while a peer is gone, and whoever hears of it ends the
// wait (Wake). One event tells of it, not one an attempt.
func TestBackoffAndWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		settle()
		n.sever(true)
		began := time.Now()
		time.Sleep(time.Minute)
		if _, all := n.alarms(ps[0]); all > 2 { // the stream that broke, the first dial that failed
			t.Fatalf("%d events: %+v", all, ps[0].events)
		}
		ps[0].write("alice", `{}`)
		n.sever(false)
		for time.Since(began) < 2*time.Minute && !equal(ps[0].member, ps[1].member) {
			ps[1].Wake("a")
			synctest.Wait()
			if equal(ps[0].member, ps[1].member) {
				break
			}
			t.Fatal("a wake did not end the wait")
		}
		ps[1].Wake("nobody")
	})
}

// "One refused, damaged … row voids it, for all actors, with an alarm"
// (PROTOCOL D4); the next stream brings it again.
func TestDamageOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		settle()
		n.each(func(p *pipe) bool { return p.from == "a" }, (*pipe).damage)
		ps[0].write("alice", `{"n":"`+strings.Repeat("x", 500)+`"}`)
		synctest.Wait()
		if f := ps[1].Frontier(); f.Len() != 0 {
			t.Fatalf("the frontier went to %s", f)
		}
		settle()
		if alarms, _ := n.alarms(ps[1]); alarms != 1 || !equal(ps[0].member, ps[1].member) {
			t.Fatalf("%+v, %+v", ps[1].events, ps[1].verify())
		}
	})
}

// A row that its holder has damaged is refused for as long as it is sent, with an
// alarm each time, and nothing around it is claimed.
func TestReusedDotIsAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		settle()
		n.sever(true)
		for i, p := range ps {
			_, err := p.Apply(t.Context(), node.Apply{Sender: actorX, Versions: []*conflict.Version{row(fmt.Sprint("id", i), dot(actorX, 1), "")}})
			p.ok(err)
		}
		ps[0].write("alice", `{}`)
		n.sever(false)
		time.Sleep(30 * time.Second)
		if alarms, _ := n.alarms(ps[1]); alarms < 2 || ps[1].Frontier().Covers(dot(ps[0].Actor(), 1)) {
			t.Fatalf("%d alarms, frontier %s", alarms, ps[1].Frontier())
		}
		ps[1].write("bob", `{}`) // the node itself goes on
	})
}

// "A node that sees more of its own actor elsewhere than it has itself stops
// with a clear message" (issue 3): by what it pulls, and by what others ask.
func TestOwnActorAheadStopsTheNode(t *testing.T) {
	for _, way := range []string{"pull", "request"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				ps := n.start(func(c *node.Config) { c.Found = true }, "a", "b")
				a, b := ps[0], ps[1]
				settle()
				n.sever(true)
				stolen := row("alice", dot(a.Actor(), 7), "")
				_, err := b.Apply(t.Context(), node.Apply{
					Sender: actorX, Versions: []*conflict.Version{stolen}, Close: &node.Closing{Frontier: a.Frontier().With(stolen.Dot)},
				})
				b.ok(err)
				if way == "request" { // a's own pulls fail; b's reach it
					n.mu.Lock()
					n.cut[[2]string{"b", "a"}] = false
					n.mu.Unlock()
				} else {
					n.sever(false)
				}
				time.Sleep(10 * time.Second)
				if _, err := a.Write(t.Context(), node.Write{Key: key("bob"), Body: []byte(`{}`)}); node.KindOf(err) != node.Draining {
					t.Fatalf("it goes on: %v", err)
				}
				if err := a.refusal(); node.KindOf(err) != node.OwnActorAhead {
					t.Fatal(err)
				}
				if err := a.stop(); node.KindOf(err) != node.OwnActorAhead {
					t.Fatalf("the process would end with %v", err)
				}
			})
		})
	}
}

// refusal says why the engine takes nothing more.
func (p *peer) refusal() error {
	_, err := p.Apply(context.Background(), node.Apply{Sender: actorX})
	return err
}

// "Peers are untrusted input: cluster id, identity, sizes … are checked before
// anything is applied" (DESIGN 4).
func TestRequestsThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		a := n.start(nil, "a", "b")[0]
		settle()
		good := wire.ChangesRequest{Wire: wire.Version, Cluster: cluster, Node: "b", Actor: "b~00000001"}
		body := func(alter func(*wire.ChangesRequest)) []byte {
			r := good
			alter(&r)
			b, err := wire.Encode(&r)
			a.ok(err)
			return b
		}
		for name, b := range map[string][]byte{
			"no CBOR":         []byte("xyz"),
			"nothing":         nil,
			"another cluster": body(func(r *wire.ChangesRequest) { r.Cluster = "other" }),
			"another node":    body(func(r *wire.ChangesRequest) { r.Node, r.Actor = "c", "c~00000001" }),
			"another wire":    body(func(r *wire.ChangesRequest) { r.Wire = 99 }),
			"no actor":        body(func(r *wire.ChangesRequest) { r.Actor = "" }),
			"too long":        bytes.Repeat([]byte{0x80}, 5<<20),
		} {
			w := httptest.NewRecorder()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, replica.PathChanges, bytes.NewReader(b))
			a.ok(err)
			a.ServeChanges(t.Context(), "b", w, req)
			if w.Code != http.StatusBadRequest || w.Body.Len() == 0 {
				t.Errorf("%s: status %d, %q", name, w.Code, w.Body)
			}
		}
	})
}

// A stream ends with its context, and so do the loops.
func TestLoopsEndWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		ps := n.start(nil, "a", "b")
		settle()
		for _, p := range ps {
			if err := p.stop(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", p.name, err)
			}
		}
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if len(n.pipes) != 0 {
			t.Errorf("%d streams are still served", len(n.pipes))
		}
	})
}
