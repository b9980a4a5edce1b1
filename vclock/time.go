package vclock

import (
	"fmt"
	"math"
	"time"
)

// Time is a hybrid logical time: 48 bits of milliseconds since 1970 UTC, and
// 16 bits of counter. The zero Time is before every write.
type Time uint64

const (
	counterBits = 16
	maxCounter  = 1<<counterBits - 1
	// MaxMillis is the last millisecond of the year 9999, where the text form
	// ends. 48 bits would hold more.
	MaxMillis = 253_402_300_799_999
	// MaxTime is the last Time. What comes from a peer is held against it, so
	// that no write can be asked to be later than the last.
	MaxTime Time = MaxMillis<<counterBits | maxCounter
	// layout is RFC 3339 in UTC with milliseconds; the counter follows as
	// five more digits of the fraction, so that text order is time order.
	layout     = "2006-01-02T15:04:05.000"
	layoutLen  = len(layout)
	counterLen = 5
)

// At is the first Time of a wall clock's millisecond.
func At(wall time.Time) Time {
	ms := wall.UnixMilli()
	return Time(min(max(ms, 0), MaxMillis)) << counterBits
}

// Next is the time of a write: above last, which is the time of all that went
// before, and not below the wall clock. At MaxTime it stands still: it must
// not wrap around.
func Next(last Time, wall time.Time) Time { return max(last.Above(), At(wall)) }

// Above is the time right above t; above MaxTime there is none but MaxTime.
func (t Time) Above() Time { return min(t, MaxTime-1) + 1 }

// Millis returns the milliseconds since 1970 UTC.
func (t Time) Millis() int64 { return int64(t >> counterBits) }

// Counter tells apart the writes of one millisecond.
func (t Time) Counter() uint16 { return uint16(t & maxCounter) }

// Wall returns the millisecond as a wall clock's time in UTC.
func (t Time) Wall() time.Time { return time.UnixMilli(t.Millis()).UTC() }

// Sub returns how much later t is than o, by the milliseconds alone. A
// difference above 290 years is cut to what a Duration holds.
func (t Time) Sub(o Time) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(min(max(t.Millis()-o.Millis(), -most), most)) * time.Millisecond
}

// String is RFC 3339 with the counter as the last five digits of the
// fraction: 2026-11-21T14:02:11.12300042Z.
func (t Time) String() string {
	b := t.Wall().AppendFormat(make([]byte, 0, layoutLen+counterLen+1), layout)
	return string(fmt.Appendf(b, "%05dZ", t.Counter()))
}

// ParseTime reads what String writes.
func ParseTime(s string) (Time, error) {
	if len(s) != layoutLen+counterLen+1 || s[len(s)-1] != 'Z' {
		return 0, fmt.Errorf("time %.60q: want RFC 3339 in UTC with 8 digits of fraction, such as 2026-11-21T14:02:11.12300042Z", s)
	}
	wall, err := time.Parse(layout, s[:layoutLen])
	if err != nil {
		return 0, fmt.Errorf("time %q: %w", s, err)
	}
	var n uint64
	for _, c := range []byte(s[layoutLen : layoutLen+counterLen]) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("time %q: the last five digits of the fraction are not digits", s)
		}
		n = n*10 + uint64(c-'0')
	}
	if n > maxCounter || wall.UnixMilli() < 0 {
		return 0, fmt.Errorf("time %q: out of range", s)
	}
	t := At(wall) | Time(n)
	if t.String() != s { // package time takes a comma for the point
		return 0, fmt.Errorf("time %q: write it %s", s, t)
	}
	return t, nil
}

// MarshalText implements encoding.TextMarshaler with String.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseTime.
func (t *Time) UnmarshalText(text []byte) error {
	p, err := ParseTime(string(text))
	if err != nil {
		return err
	}
	*t = p
	return nil
}
