package main

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

const (
	// redrawEvery is how often the line of progress is drawn again on a terminal.
	redrawEvery = 200 * time.Millisecond

	// reportEvery is how often it is printed anew where there is no terminal.
	reportEvery = 5 * time.Second

	// clearLine moves a terminal's cursor to the beginning of its line, and clears
	// the line.
	clearLine = "\r\x1b[K"
)

// progress tells of long work while it goes on: on a terminal by one line that
// is redrawn, elsewhere by a line now and then. It is for one goroutine.
type progress struct {
	out    io.Writer
	live   bool
	what   string // what is counted, such as "documents imported"
	begun  time.Time
	shown  time.Time
	drawn  bool
	count  int64
	detail func() string // more to say; nil: nothing
}

// newProgress begins to count now.
func newProgress(out io.Writer, live bool, what string) *progress {
	now := time.Now()
	return &progress{out: out, live: live, what: what, begun: now, shown: now}
}

// add counts, and shows the count when it is time.
func (p *progress) add(n int64, now time.Time) {
	p.count += n
	p.status(now, func() string {
		line := fmt.Sprintf("%s %s, %s/s", grouped(p.count), p.what, grouped(p.rate(now)))
		if p.detail != nil {
			line += p.detail()
		}
		return line
	})
}

// status shows a line when it is time for one.
func (p *progress) status(now time.Time, line func() string) {
	every := reportEvery
	if p.live {
		every = redrawEvery
	}
	if now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	if p.live {
		p.drawn = true
		fmt.Fprint(p.out, clearLine+printable(line()))
		return
	}
	fmt.Fprintln(p.out, printable(line()))
}

// rate is how many a second there have been.
func (p *progress) rate(now time.Time) int64 {
	return int64(float64(p.count) / max(now.Sub(p.begun).Seconds(), 0.001))
}

// end takes the redrawn line away, so that what is printed next stands alone.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprint(p.out, clearLine)
		p.drawn = false
	}
}

// grouped shows a number with its thousands apart.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
