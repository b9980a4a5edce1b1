package link_test

import (
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
)

// API.md: "a duration is mandatory"; errors say which field and what to do.
func TestFaultsAreChecked(t *testing.T) {
	good := link.Fault{From: "a", To: "b", Kind: link.Cut, Both: true, Duration: span(time.Second)}
	for name, c := range map[string]struct {
		change func(*link.Fault)
		field  string // empty: no error
		says   string
	}{
		"good":               {func(*link.Fault) {}, "", ""},
		"the other way":      {func(f *link.Fault) { f.From, f.To = "b", "a" }, "", ""},
		"unknown from":       {func(f *link.Fault) { f.From = "x" }, "from", "roster"},
		"unknown to":         {func(f *link.Fault) { f.To = "" }, "to", "roster"},
		"one end only":       {func(f *link.Fault) { f.To = "a" }, "to", "two ends"},
		"not ours":           {func(f *link.Fault) { f.From, f.To = "b", "w" }, "from", "send the fault to b or w"},
		"no duration":        {func(f *link.Fault) { f.Duration = 0 }, "duration", "30s"},
		"negative duration":  {func(f *link.Fault) { f.Duration = -1 }, "duration", "30s"},
		"long duration":      {func(f *link.Fault) { f.Duration = span(link.MaxDuration) + 1 }, "duration", "at most 24h"},
		"longest duration":   {func(f *link.Fault) { f.Duration = span(link.MaxDuration) }, "", ""},
		"no kind":            {func(f *link.Fault) { f.Kind = "" }, "kind", "cut, delay, loss, flap"},
		"delay without one":  {func(f *link.Fault) { f.Kind = link.Delay }, "delay", "above 0"},
		"delay too long":     {func(f *link.Fault) { f.Kind, f.Delay = link.Delay, span(time.Minute) }, "delay", "at most 10s"},
		"loss without one":   {func(f *link.Fault) { f.Kind = link.Loss }, "loss", "above 0"},
		"loss of more":       {func(f *link.Fault) { f.Kind, f.Loss = link.Loss, 1.1 }, "loss", "at most 1"},
		"all is lost":        {func(f *link.Fault) { f.Kind, f.Loss = link.Loss, 1 }, "", ""},
		"flap too fast":      {func(f *link.Fault) { f.Kind, f.Delay = link.Flap, 1 }, "delay", "20ms"},
		"delay of another":   {func(f *link.Fault) { f.From, f.To, f.Both, f.Kind, f.Delay = "b", "a", false, link.Delay, 1 }, "from", "send it to that process"},
		"delay of both ends": {func(f *link.Fault) { f.From, f.To, f.Kind, f.Delay = "b", "a", link.Delay, 1 }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			f := good
			c.change(&f)
			got, err := p.Add(f)
			if c.field == "" {
				if err != nil || got.ID == "" || !got.Expires.Equal(got.Started.Add(time.Duration(f.Duration))) {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			e, ok := errors.AsType[*node.Error](err)
			if !ok || e.Kind != node.Invalid || e.Key != c.field || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want one about %q that says %q", err, c.field, c.says)
			}
			if left := p.List(); len(left) != 0 {
				t.Errorf("a refused fault is listed: %v", left)
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	p := newPlace(t)
	f := link.Fault{From: "a", To: "b", Kind: link.Cut, Duration: span(time.Hour)}
	for range link.MaxFaults {
		p.add(f)
	}
	if _, err := p.Add(f); node.KindOf(err) != node.Invalid {
		t.Errorf("one fault more: %v", err)
	}
	ids := map[string]bool{}
	for _, f := range p.List() {
		ids[f.ID] = true
	}
	if len(ids) != link.MaxFaults {
		t.Errorf("%d different ids", len(ids))
	}
	if n := p.Heal(link.Which{}); n != link.MaxFaults {
		t.Errorf("healed %d", n)
	}
	if err := p.Remove("f1"); node.KindOf(err) != node.NotFound {
		t.Errorf("healing a healed fault: %v", err)
	}
}

// API.md, shapes: the fields of a fault, durations as Go writes them.
func TestFaultJSON(t *testing.T) {
	var f link.Fault
	in := `{"from":"a","to":"b","kind":"delay","both":true,"duration":"30s","delay":"50ms","loss":0.3}`
	if err := json.Unmarshal([]byte(in), &f); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	out, err := json.Marshal(p.add(f))
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(out, &back); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"id": "f1", "from": "a", "to": "b", "kind": "delay", "both": true, "duration": "30s", "delay": "50ms",
		"loss": nil, // a delay loses nothing, and the answer shows what is done
	} {
		if back[field] != want {
			t.Errorf("%s is %v, want %v", field, back[field], want)
		}
	}
	if _, err := time.Parse(time.RFC3339Nano, back["expires"].(string)); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal([]byte(`{"duration":"30"}`), &f); err == nil || !strings.Contains(err.Error(), "30s") {
		t.Errorf("a duration without unit: %v", err)
	}
}

// DESIGN section 5: "packets vanish"; loss and latency of packets.
func TestPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		wire := &packets{in: make(chan packet, 8)}
		pc := p.WrapPacket(wire, func(a net.Addr) string { return strings.TrimSuffix(a.String(), ":1") })
		send := func(to string) {
			t.Helper()
			if n, err := pc.WriteTo([]byte("hi"), addr(to+":1")); n != 2 || err != nil {
				t.Fatalf("write: %d, %v", n, err)
			}
		}
		check := func(what string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := strings.Join(wire.take(), " "); got != strings.Join(want, " ") {
				t.Errorf("%s: packets to %q left, want %q", what, got, want)
			}
		}
		cut := p.add(link.Fault{From: "a", To: "b", Kind: link.Cut, Duration: span(time.Minute)})
		send("b")
		send("w")
		check("cut", "w:1")
		_ = p.Remove(cut.ID)

		p.add(link.Fault{From: "b", To: "a", Kind: link.Cut, Duration: span(time.Minute)})
		wire.in <- packet{addr("b:1"), "from b"}
		wire.in <- packet{addr("w:1"), "from w"}
		buf := make([]byte, 20)
		if n, from, err := pc.ReadFrom(buf); string(buf[:n]) != "from w" || from != addr("w:1") || err != nil {
			t.Errorf("read %q from %v, %v; want only w's", buf[:n], from, err)
		}
		p.Heal(link.Which{})

		p.add(link.Fault{From: "a", To: "b", Kind: link.Loss, Loss: 0.3, Duration: span(time.Minute)})
		p.draws = []float64{0.29, 0.3}
		send("b")
		check("lost")
		send("b")
		check("not lost", "b:1")
		p.Heal(link.Which{})

		p.add(link.Fault{From: "a", To: "b", Kind: link.Delay, Delay: span(time.Second), Duration: span(time.Minute)})
		for range link.MaxPackets + 1 {
			send("b")
		}
		check("delayed")
		time.Sleep(time.Second)
		synctest.Wait()
		if got := len(wire.take()); got != link.MaxPackets {
			t.Errorf("%d packets arrived, want the %d that a socket may have under way", got, link.MaxPackets)
		}
	})
}

// API.md: "A field that is not known is null beside an unknown_since, never 0."
func TestFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		begun := time.Now()
		figures := p.Snapshot()
		if len(figures) != 2 || figures[0].Peer != "b" || figures[1].Peer != "w" {
			t.Fatalf("figures of %v, want b and w", figures)
		}
		if b := figures[0]; b.LastHeard != nil || b.RoundTripMS != nil || b.UnknownSince == nil || !b.UnknownSince.Equal(begun) {
			t.Errorf("never heard: %+v", b)
		}
		near, far := p.dial("b")
		atA, atB := collect(near), collect(far)
		write(t, near, "four")
		time.Sleep(time.Second)
		write(t, far, "seven77")
		_, _ = atA.got()
		_, _ = atB.got()
		heard := time.Now()
		time.Sleep(time.Second)
		p.ObserveRoundTrip("b", 1500*time.Microsecond)
		for _, open := range []int{1, 0} {
			b := p.Snapshot()[0]
			if b.BytesOut != 4 || b.BytesIn != 7 || b.Connections != open || b.UnknownSince != nil ||
				!b.LastHeard.Equal(heard) || *b.RoundTripMS != 1.5 || !b.RoundTripAt.Equal(time.Now()) {
				t.Errorf("with %d connections: %+v", open, b)
			}
			_ = near.Close()
		}
		f := p.add(link.Fault{From: "a", To: "b", Both: true, Kind: link.Cut, Duration: span(time.Minute)})
		if _, err := p.Dial(t.Context(), "b", "tcp", "b:1"); err == nil {
			t.Fatal("dial through a cut")
		}
		b := p.Snapshot()[0]
		if b.DialFailures != 1 || !strings.Contains(b.LastError, f.ID) || !b.CutIn || !b.CutOut || b.Faults[0] != f.ID {
			t.Errorf("with a cut: %+v", b)
		}
	})
}

type (
	addr   string
	packet struct {
		from addr
		data string
	}
	// packets is a packet socket made of channels.
	packets struct {
		net.PacketConn
		in  chan packet
		mu  sync.Mutex
		out []string
	}
)

func (addr) Network() string  { return "udp" }
func (a addr) String() string { return string(a) }

func (p *packets) ReadFrom(b []byte) (int, net.Addr, error) {
	got := <-p.in
	return copy(b, got.data), got.from, nil
}

func (p *packets) WriteTo(b []byte, to net.Addr) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = append(p.out, to.String())
	return len(b), nil
}

func (p *packets) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.out
	p.out = nil
	return out
}
