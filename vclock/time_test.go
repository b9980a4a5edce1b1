package vclock_test

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

// "Hybrid logical clocks (48 bits of milliseconds, 16 of counter)" (DESIGN 3,
// Time): the next time is above the last, and not below the wall clock,
// whichever way the wall clock jumps.
func TestTimeNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := vclock.Time(rapid.Uint64Range(0, uint64(vclock.MaxTime)-1).Draw(t, "last"))
		wall := walls.Draw(t, "wall")
		next := vclock.Next(last, wall)
		if next <= last || next < vclock.At(wall) {
			t.Fatalf("Next(%s, %s) = %s", last, wall, next)
		}
		if next != last+1 && next != vclock.At(wall) {
			t.Fatalf("Next(%s, %s) = %s runs ahead of both", last, wall, next)
		}
	})
}

// A clock that stands still or jumps back for 65,536 writes borrows from the
// next millisecond; it never repeats.
func TestTimeBorrowsFromTheNextMillisecond(t *testing.T) {
	wall := time.UnixMilli(1_700_000_000_000)
	last := vclock.At(wall)
	for range 1 << 16 {
		next := vclock.Next(last, wall.Add(-time.Hour))
		if next <= last {
			t.Fatalf("%s after %s", next, last)
		}
		last = next
	}
	if last.Millis() != wall.UnixMilli()+1 || last.Counter() != 0 {
		t.Fatalf("after 65,536 writes: %s, counter %d", last, last.Counter())
	}
}

// At the end of time the clock stands; it never starts again at 1970.
func TestTimeNeverWrapsAround(t *testing.T) {
	far := time.UnixMilli(vclock.MaxMillis).Add(time.Hour)
	if got := vclock.Next(vclock.MaxTime, far); got != vclock.MaxTime {
		t.Fatalf("Next(%s) = %s", vclock.MaxTime, got)
	}
	if got := vclock.At(far); got.Millis() != vclock.MaxMillis {
		t.Fatalf("At(%s) = %s", far, got)
	}
	if got := vclock.At(time.UnixMilli(-1)); got != 0 {
		t.Fatalf("before 1970: %s", got)
	}
	if _, err := vclock.ParseTime(vclock.MaxTime.String()); err != nil {
		t.Fatal(err)
	}
}

// "time is RFC 3339 with the HLC's counter as its last digits" (API, Shapes):
// what is written is read again, and text order is time order.
func TestTimeText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := times.Draw(t, "x"), times.Draw(t, "y")
		if rapid.Bool().Draw(t, "near") {
			y = min(x+vclock.Time(rapid.IntRange(0, 3).Draw(t, "by")), vclock.MaxTime)
		}
		got, err := vclock.ParseTime(x.String())
		if err != nil || got != x {
			t.Fatalf("%s was read as %s, %v", x, got, err)
		}
		if strings.Compare(x.String(), y.String()) != cmp.Compare(x, y) {
			t.Fatalf("%s and %s: text order is not time order", x, y)
		}
		standard, err := time.Parse(time.RFC3339Nano, x.String())
		if err != nil || standard.UnixMilli() != x.Millis() {
			t.Fatalf("%s is not RFC 3339: %v", x, err)
		}
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &got); err != nil || got != x {
			t.Fatalf("%s was read as %s, %v", b, got, err)
		}
	})
	if got := (vclock.At(time.UnixMilli(1795269731123)) + 42).String(); got != "2026-11-21T14:02:11.12300042Z" {
		t.Fatal(got)
	}
}

func TestTimeParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := times.Draw(t, "x")
		if vclock.At(x.Wall())+vclock.Time(x.Counter()) != x || x.Wall().UnixMilli() != x.Millis() || x.Wall().Location() != time.UTC {
			t.Fatalf("%s: %s, %d", x, x.Wall(), x.Counter())
		}
	})
}

// "A peer's time beyond the permitted drift … does not pull the local clock
// along" (DESIGN 3, Time): the difference must not wrap around, however far
// ahead a peer's clock says that it is.
func TestTimeSub(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := vclock.Time(rapid.Uint64().Draw(t, "x")) // a peer may send any
		y := times.Draw(t, "y")
		by, back := x.Sub(y), y.Sub(x)
		if cmp.Compare(by, 0) != cmp.Compare(x.Millis(), y.Millis()) || cmp.Compare(back, 0) != -cmp.Compare(by, 0) {
			t.Fatalf("%d ms after %d ms is %s, and back %s", x.Millis(), y.Millis(), by, back)
		}
		if ms := x.Millis() - y.Millis(); max(ms, -ms) < 1e12 && by != time.Duration(ms)*time.Millisecond {
			t.Fatalf("%d ms after %d ms is %s", x.Millis(), y.Millis(), by)
		}
	})
}

func TestParseTimeRefuses(t *testing.T) {
	refuses(
		t, vclock.ParseTime,
		"", "2026-11-21", "2026-11-21T14:02:11Z", "2026-11-21T14:02:11.123Z", "2026-11-21T14:02:11.1230004Z",
		"2026-11-21T14:02:11.123000421Z", "2026-11-21T14:02:11.12300042z", "2026-11-21T14:02:11.12365536Z",
		"2026-13-21T14:02:11.12300042Z", "2026-11-31T14:02:11.12300042Z", "2026-11-21T24:02:11.12300042Z",
		"2026-11-21T14:02:60.12300042Z", "1969-12-31T23:59:59.99900042Z", "2026-11-21T14:02:11.1230004aZ",
		"2026-11-21T14:02:11.123+0042Z", "2026-11-21T14:02:11,12300042Z", "2026-11-21 14:02:11.12300042Z", " 026-11-21T14:02:11.12300042Z",
	)
}
