package timeline

import (
	"cmp"
	"slices"
	"time"
)

// Between answers a question about the past.
func (t *Timeline) Between(q Query) Page {
	t.mu.Lock()
	entries, first := t.entries, t.first // what is appended later stands behind it
	t.mu.Unlock()
	var p Page
	if q.After == 0 {
		p.Before = inForce(entries, q.From)
	}
	p.Gaps = gaps(entries, q)
	for i := range entries {
		e := &entries[i]
		number := first + uint64(i)
		if number <= q.After || e.Time.Before(q.From) || e.Time.After(q.To) {
			continue
		}
		if len(p.Entries) == q.Limit {
			p.Next = number - 1
			break
		}
		p.Entries = append(p.Entries, *e)
	}
	return p
}

// inForce are the entries that tell the state at an instant, in order of time.
// No state reaches over the end of a process.
func inForce(entries []Entry, at time.Time) []Entry {
	lanes := map[lane]Entry{}
	for i := range entries {
		e := &entries[i]
		if e.Time.After(at) || e.Time.Equal(at) {
			continue
		}
		if e.Kind == Process {
			clear(lanes)
		}
		if e.lasts() {
			lanes[e.lane()] = *e
		} else {
			delete(lanes, e.lane())
		}
	}
	out := make([]Entry, 0, len(lanes))
	for _, e := range lanes {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// gaps are the times within a question of which nothing is known: before the
// first entry, and while no process ran.
func gaps(entries []Entry, q Query) []Gap {
	var out []Gap
	add := func(from, to time.Time, cause string) {
		if from.Before(q.From) {
			from = q.From
		}
		if to.After(q.To) {
			to = q.To
		}
		if from.Before(to) {
			out = append(out, Gap{from.UTC(), to.UTC(), cause})
		}
	}
	if len(entries) > 0 {
		add(q.From, entries[0].Time, "it is older than what is kept")
	}
	for i := range entries {
		if e := &entries[i]; e.Kind == Process && e.State == Started && e.Alive != nil {
			add(*e.Alive, e.Time, e.Cause)
		}
	}
	return out
}
