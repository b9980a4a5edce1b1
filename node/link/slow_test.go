package link_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/node/link"
)

// DESIGN section 5: latency. What is written arrives later, in order, and the
// writer does not wait for it.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		atB := collect(far)
		p.add(link.Fault{From: "a", To: "b", Kind: link.Delay, Delay: span(50 * time.Millisecond), Duration: span(time.Second)})
		begun := time.Now()
		for _, s := range []string{"one ", "two ", "three"} {
			write(t, near, s)
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(begun); took != 30*time.Millisecond {
			t.Errorf("the writer was held up: %s", took)
		}
		if data, _ := atB.got(); data != "" {
			t.Errorf("%q arrived early", data)
		}
		time.Sleep(time.Second)
		data, err := atB.got()
		if data != "one two three" || err != nil {
			t.Fatalf("b got %q, %v", data, err)
		}
		for i, at := range atB.at {
			if late := at.Sub(begun); late != time.Duration(50+10*i)*time.Millisecond {
				t.Errorf("piece %d arrived after %s", i, late)
			}
		}
		// The fault is over, and so is the latency.
		now := time.Now()
		write(t, near, "!")
		if _, _ = atB.got(); !atB.at[len(atB.at)-1].Equal(now) {
			t.Errorf("after the fault a write arrives after %s", atB.at[len(atB.at)-1].Sub(now))
		}
	})
}

// A queue is bounded: above QueueBytes a writer waits, as on a full window,
// until its deadline.
func TestDelayIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		atB := collect(far)
		p.add(link.Fault{From: "a", To: "b", Kind: link.Delay, Delay: span(time.Second), Duration: span(time.Hour)})
		if err := near.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		n, err := io.WriteString(near, strings.Repeat("x", link.QueueBytes+1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n != link.QueueBytes || time.Since(begun) != 500*time.Millisecond {
			t.Fatalf("wrote %d, %v after %s; want %d and the deadline", n, err, time.Since(begun), link.QueueBytes)
		}
		if err := near.SetWriteDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		write(t, near, "y") // waits for room
		if waited := time.Since(begun); waited != time.Second {
			t.Errorf("there was room after %s, want when the first piece had left", waited)
		}
		time.Sleep(2 * time.Second)
		if data, _ := atB.got(); len(data) != link.QueueBytes+1 || !strings.HasSuffix(data, "xy") {
			t.Errorf("b got %d bytes", len(data))
		}
	})
}

// Close does not take back what was written.
func TestDelayedBytesOutliveClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		atB := collect(far)
		atA := collect(near)
		p.add(link.Fault{From: "a", To: "b", Kind: link.Delay, Delay: span(time.Second), Duration: span(time.Hour)})
		write(t, near, "last words")
		if err := near.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := atA.got(); err == nil {
			t.Error("a closed connection can still be read")
		}
		if _, err := near.Write([]byte("x")); err == nil {
			t.Error("a closed connection can still be written")
		}
		time.Sleep(2 * time.Second)
		if data, err := atB.got(); data != "last words" || !errors.Is(err, io.EOF) {
			t.Errorf("b got %q, %v", data, err)
		}
		if b := p.Snapshot()[0]; b.Connections != 0 || b.BytesOut != 10 {
			t.Errorf("figures of an ended connection: %+v", b)
		}
	})
}

// A cut during a delay takes what is under way; a stream with a hole ends.
func TestCutTakesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		atB := collect(far)
		p.add(link.Fault{From: "a", To: "b", Kind: link.Delay, Delay: span(time.Second), Duration: span(time.Hour)})
		write(t, near, "under way")
		p.add(link.Fault{From: "a", To: "b", Kind: link.Cut, Duration: span(3 * time.Second)})
		time.Sleep(2 * time.Second)
		if data, err := atB.got(); data != "" || err != nil {
			t.Errorf("b got %q, %v during the cut", data, err)
		}
		time.Sleep(2 * time.Second)
		if data, err := atB.got(); data != "" || !errors.Is(err, io.EOF) {
			t.Errorf("b got %q, %v after the cut; want the end", data, err)
		}
	})
}

// On TCP a loss is lateness: the retransmission timer, doubled for each
// further loss of the same bytes.
func TestLossOnTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		atB := collect(far)
		p.add(link.Fault{From: "a", To: "b", Kind: link.Loss, Loss: 0.5, Duration: span(time.Minute)})
		begun := time.Now()
		p.draws = []float64{0.4, 0.1, 0.5, 0.9} // lost twice, then not; the next one not
		write(t, near, "late ")
		write(t, near, "behind it")
		time.Sleep(time.Second)
		data, _ := atB.got()
		if data != "late behind it" {
			t.Fatalf("b got %q", data)
		}
		want := link.RetransmitTimeout + 2*link.RetransmitTimeout
		for i, at := range atB.at {
			if late := at.Sub(begun); late != want {
				t.Errorf("piece %d arrived after %s, want %s", i, late, want)
			}
		}
	})
}

// FAILURES row 10: a link that flaps. Cut in the first half of each period.
func TestFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		f := p.add(link.Fault{From: "a", To: "b", Kind: link.Flap, Both: true, Delay: span(400 * time.Millisecond), Duration: span(time.Second)})
		if time.Duration(f.Delay) != 400*time.Millisecond {
			t.Fatalf("period %s", f.Delay)
		}
		var cut []bool
		for range 12 {
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			_, err := p.Dial(t.Context(), "b", "tcp", "b:1")
			cut = append(cut, errors.Is(err, link.ErrCut))
			if err == nil {
				_ = (<-p.far).Close()
			}
			time.Sleep(50 * time.Millisecond)
		}
		T, F := true, false
		if want := []bool{T, T, F, F, T, T, F, F, T, T, F, F}; !slices.Equal(cut, want) {
			t.Errorf("cut at 50, 150, … ms: %v, want %v", cut, want)
		}
		if f := p.add(link.Fault{From: "a", To: "b", Kind: link.Flap, Duration: span(time.Second)}); time.Duration(f.Delay) != link.DefaultFlapPeriod {
			t.Errorf("the default period is %s", f.Delay)
		}
	})
}

// Latency and loss never change what a stream carries, whatever comes and goes
// while it is under way.
func TestStreamIsWholeUnderSlowFaults(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 30).Draw(rt, "steps")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 200_000), len(steps), len(steps)).Draw(rt, "sizes")
		draws := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(rt, "draws")
		var sent, received string
		synctest.Test(t, func(t *testing.T) {
			p := newPlace(t)
			p.draws = draws
			near, far := p.dial("b")
			atB := collect(far)
			var all strings.Builder
			for i, step := range steps {
				switch step {
				case 0:
					p.add(link.Fault{From: "a", To: "b", Kind: link.Delay, Delay: span(time.Duration(sizes[i]) * time.Microsecond), Duration: span(time.Hour)})
				case 1:
					p.add(link.Fault{From: "a", To: "b", Kind: link.Loss, Loss: 0.4, Duration: span(time.Duration(sizes[i]) * time.Microsecond)})
				case 2:
					p.Heal(link.Which{})
				case 3:
					time.Sleep(time.Duration(sizes[i]) * time.Microsecond)
				case 4:
					s := strings.Repeat(string(rune('a'+i%26)), sizes[i])
					all.WriteString(s)
					write(t, near, s)
				}
			}
			_ = near.Close()
			time.Sleep(time.Minute)
			received, _ = atB.got()
			sent = all.String()
		})
		if received != sent {
			rt.Fatalf("sent %d bytes, received %d, or others", len(sent), len(received))
		}
	})
}
