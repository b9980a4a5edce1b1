package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// book writes the history of a run, and tells of it as it goes. It is safe for
// use by several goroutines.
type book struct {
	now   func() time.Time
	step  func(Step) // told of each step
	limit int        // records at most

	mu      sync.Mutex
	epoch   time.Time
	records []history.Record
	faults  []*activeFault
	down    []string // processes that were ended or stopped
	full    bool
}

// activeFault is a fault that has not ended.
type activeFault struct {
	words string
	cuts  []history.Pair // links that it kills, at least in one direction
	halts string         // the process that it stops
	from  string         // of a link
	to    string
	until time.Time
}

// since is an instant as the history counts it, in nanoseconds.
func (b *book) since(at time.Time) int64 { return max(0, at.Sub(b.epoch).Nanoseconds()) }

// say tells a step to whoever watches.
func (b *book) say(kind StepKind, at position, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sayLocked(kind, at, text)
}

func (b *book) sayLocked(kind StepKind, at position, text string) {
	now := b.now()
	b.step(Step{At: now, Since: now.Sub(b.epoch), Kind: kind, Line: at.line, Text: text})
}

// add adds a record that took from an instant until now.
func (b *book) add(begin time.Time, r history.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addLocked(begin, r)
}

func (b *book) addLocked(begin time.Time, r history.Record) {
	if len(b.records) >= b.limit {
		b.full = true
		return
	}
	if r.ReturnNS == 0 {
		r.ReturnNS = b.since(b.now())
	}
	r.InvokeNS = min(b.since(begin), r.ReturnNS)
	b.records = append(b.records, r)
}

// history is a copy of all records so far, in the order in which they ended.
func (b *book) history() []history.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.records)
}

// note writes something that the script says, or that was drawn.
func (b *book) note(at position, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sayLocked(StepNote, at, text)
	b.addLocked(b.now(), history.Record{Client: scriptClient, Op: history.OpNote, Text: text, At: at.source()})
}

// scriptClient is the client of what the script itself does.
const scriptClient = "script"

func (p position) source() *history.SourcePos {
	if p.line == 0 {
		return nil
	}
	return &history.SourcePos{File: p.file, Line: p.line}
}

// begin notes faults that are in force since now.
func (b *book) begin(at position, begun time.Time, faults ...*activeFault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expireLocked()
	for _, f := range faults {
		b.faults = append(b.faults, f)
		b.sayLocked(StepNet, at, fmt.Sprintf("%s, for %s", f.words, f.until.Sub(begun).Round(time.Millisecond)))
	}
	b.netLocked(begun, at, faultWords(faults))
}

func faultWords(faults []*activeFault) string {
	var out []string
	for _, f := range faults {
		out = append(out, f.words)
	}
	return strings.Join(out, "; ")
}

// end notes that the faults which match have ended: they may have ended as soon
// as begun.
func (b *book) end(at position, begun time.Time, what string, match func(*activeFault) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expireLocked()
	b.faults = slices.DeleteFunc(b.faults, match)
	b.sayLocked(StepNet, at, what)
	b.netEndLocked(begun, at, what)
}

// expire notes the faults whose time is up.
func (b *book) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expireLocked()
}

func (b *book) expireLocked() {
	now := b.now()
	for {
		i := slices.IndexFunc(b.faults, func(f *activeFault) bool { return !now.Before(f.until) })
		if i < 0 {
			return
		}
		f := b.faults[i]
		b.faults = slices.Delete(b.faults, i, i+1)
		b.sayLocked(StepNet, position{}, f.words+": its time is up")
		b.netEndLocked(f.until, position{}, f.words+": its time is up")
	}
}

// mark notes which processes are down from now on.
func (b *book) mark(at position, begun time.Time, what string, change func(down []string) []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expireLocked()
	b.down = change(b.down)
	b.sayLocked(StepNet, at, what)
	b.netLocked(begun, at, what)
}

// isDown says whether a process was ended or stands still.
func (b *book) isDown(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.downLocked(), name)
}

func (b *book) downLocked() []string {
	out := slices.Clone(b.down)
	for _, f := range b.faults {
		if f.halts != "" && !slices.Contains(out, f.halts) {
			out = append(out, f.halts)
		}
	}
	slices.Sort(out)
	return out
}

// netLocked writes the network as it is now. What began a fault counts from its
// end: only then it is in force for certain.
func (b *book) netLocked(begun time.Time, at position, text string) {
	b.addLocked(begun, b.netRecord(at, text))
}

// netEndLocked writes the network after an end, which counts from its beginning.
func (b *book) netEndLocked(begun time.Time, at position, text string) {
	r := b.netRecord(at, text)
	r.ReturnNS = b.since(begun)
	b.addLocked(begun, r)
}

func (b *book) netRecord(at position, text string) history.Record {
	n := &history.Net{Cuts: []history.Pair{}, Down: b.downLocked(), Faults: []string{}}
	for _, f := range b.faults {
		for _, p := range f.cuts {
			if !slices.Contains(n.Cuts, p) {
				n.Cuts = append(n.Cuts, p)
			}
		}
		n.Faults = append(n.Faults, f.words)
	}
	for _, name := range b.down {
		n.Faults = append(n.Faults, name+" is down")
	}
	return history.Record{Client: scriptClient, Op: history.OpNet, Text: text, Net: n, At: at.source()}
}

// outcomeOf says what became of an operation (DESIGN section 6).
func outcomeOf(err error) (outcome, code string) {
	if err == nil {
		return history.OK, ""
	}
	code = string(codeOf(err))
	if client.NotApplied(err) {
		return history.Refused, code
	}
	return history.Unknown, code
}
