package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// joined is the longest silence within one interval of writing: two
	// acknowledgements of a node that are further apart are two intervals.
	joined = 500 * time.Millisecond
	// Delivery is what an acknowledgement may need from the node to the client
	// on a busy machine, beyond the bound.
	Delivery = 500 * time.Millisecond
)

// epoch is a time in which the network stayed as it was.
type epoch struct {
	from, to int64
	sides    [][]string // components of the data nodes that run, each sorted
}

// epochs cuts a history into epochs.
func epochs(records []Record, data []string) []epoch {
	end, current := int64(0), epoch{sides: sidesOf(data, &Net{})}
	var out []epoch
	for i := range records {
		r := &records[i]
		if end = max(end, r.ReturnNS); r.Op != OpNet || r.Net == nil {
			continue
		}
		current.to = r.InvokeNS
		out = append(out, current)
		current = epoch{from: r.ReturnNS, sides: sidesOf(data, r.Net)}
	}
	current.to = end
	return append(out, current)
}

// sidesOf are the components of the data nodes that run: data travels through
// data nodes, and through nothing else.
func sidesOf(data []string, n *Net) [][]string {
	var out [][]string
	placed := map[string]bool{}
	for _, first := range data {
		if placed[first] || slices.Contains(n.Down, first) {
			continue
		}
		side := []string{first}
		placed[first] = true
		for at := 0; at < len(side); at++ {
			for _, next := range data {
				if !placed[next] && !slices.Contains(n.Down, next) && !slices.Contains(n.Cuts, PairOf(side[at], next)) {
					placed[next] = true
					side = append(side, next)
				}
			}
		}
		slices.Sort(side)
		out = append(out, side)
	}
	return out
}

// interval is a time in which a node went on acknowledging writes.
type interval struct{ from, to int64 }

// writing lists the intervals in which a node acknowledged writes by its
// majority, within a time.
func writing(acks []*Record, from, to int64) []interval {
	var out []interval
	for _, r := range acks {
		if r.ReturnNS < from || r.ReturnNS > to {
			continue
		}
		if n := len(out); n > 0 && r.ReturnNS-out[n-1].to <= int64(joined) {
			out[n-1].to = r.ReturnNS
			continue
		}
		out = append(out, interval{r.ReturnNS, r.ReturnNS})
	}
	return out
}

// apart lists the times in which no path joined two nodes that both run.
func apart(all []epoch, x, y string) []interval {
	var out []interval
	for _, e := range all {
		with := func(name string) int {
			return slices.IndexFunc(e.sides, func(s []string) bool { return slices.Contains(s, name) })
		}
		if with(x) < 0 || with(y) < 0 || with(x) == with(y) {
			continue
		}
		if n := len(out); n > 0 && e.from-out[n-1].to < int64(joined) && !together(all, x, y, out[n-1].to, e.from) {
			out[n-1].to = e.to
			continue
		}
		out = append(out, interval{e.from, e.to})
	}
	return out
}

// together says whether some epoch between two instants joined two nodes.
func together(all []epoch, x, y string, from, to int64) bool {
	return slices.ContainsFunc(all, func(e epoch) bool {
		return e.from >= from && e.to <= to && slices.ContainsFunc(e.sides, func(s []string) bool {
			return slices.Contains(s, x) && slices.Contains(s, y)
		})
	})
}

// sidesWrote compares what each two nodes wrote while no path joined them.
// Each pair of intervals of writing is handed over with the instant since when
// there was no path.
func sidesWrote(records []Record, data []string, each func(since int64, p, q interval)) {
	acks := map[string][]*Record{}
	for i := range records {
		if r := &records[i]; r.isWrite() && r.Outcome == OK && !r.Minority {
			acks[r.Node] = append(acks[r.Node], r)
		}
	}
	for _, list := range acks {
		slices.SortFunc(list, func(x, y *Record) int { return cmp.Compare(x.ReturnNS, y.ReturnNS) })
	}
	all := epochs(records, data)
	for i, x := range data {
		for _, y := range data[i+1:] {
			for _, gap := range apart(all, x, y) {
				for _, p := range writing(acks[x], gap.from, gap.to) {
					for _, q := range writing(acks[y], gap.from, gap.to) {
						each(gap.from, p, q)
					}
				}
			}
		}
	}
}

// both is for how long two intervals overlap, from an instant on.
func both(p, q interval, from int64) time.Duration {
	return max(0, time.Duration(min(p.to, q.to)-max(p.from, q.from, from)))
}

// Overlap is the longest time in which two data nodes without a path between
// them both went on acknowledging writes by a majority; and how many pairs of
// intervals of writing were compared, 0 when nobody wrote on two sides.
func Overlap(records []Record) (longest time.Duration, compared int) {
	cluster := ClusterOf(records)
	if cluster == nil {
		return 0, 0
	}
	sidesWrote(records, cluster.Data, func(_ int64, p, q interval) {
		compared++
		longest = max(longest, both(p, q, 0))
	})
	return longest, compared
}

// checkSides: "if X and Y are both writable at time t, they are joined by links
// over which ballots went in [t − B, t]" (PROTOCOL part 2). So two sides both
// write for at most B after a cut, and from then on never again.
func checkSides(records []Record, out *Result) {
	cluster := ClusterOf(records)
	if cluster == nil {
		return
	}
	sidesWrote(records, cluster.Data, func(since int64, p, q interval) {
		out.Checked++
		whole := both(p, q, 0)
		late := both(p, q, since+int64(cluster.Bound))
		switch {
		case whole > cluster.Bound+Delivery:
			out.finding("two sides acknowledged writes for %s at once; the bound is %s", whole.Round(time.Millisecond), cluster.Bound)
		case late > Delivery:
			out.finding("two sides acknowledged writes for %s at once, although no path had joined them for %s; the bound is %s",
				late.Round(time.Millisecond), time.Duration(max(p.from, q.from)-since).Round(time.Millisecond), cluster.Bound)
		}
	})
}

// Outage says how long one side of a cut took no writes.
type Outage struct {
	Side    string        `json:"side"` // its nodes, joined by +
	Lasted  time.Duration `json:"lasted_ns"`
	NoWrite time.Duration `json:"no_writer_ns"` // the longest time in which no node of it was writable
}

// Outages lists the sides of every cut, each with the longest time in which none
// of its nodes called itself writable. Sides that come again are summed up.
func Outages(records []Record) []Outage {
	cluster := ClusterOf(records)
	if cluster == nil {
		return nil
	}
	lanes := Lanes(records)
	found := map[string]*Outage{}
	for _, e := range epochs(records, cluster.Data) {
		if len(e.sides) < 2 {
			continue
		}
		for _, side := range e.sides {
			name := strings.Join(side, "+")
			if found[name] == nil {
				found[name] = &Outage{Side: name}
			}
			found[name].Lasted += time.Duration(e.to - e.from)
			found[name].NoWrite = max(found[name].NoWrite, quiet(lanes, side, e))
		}
	}
	var out []Outage
	for _, name := range sorted(found) {
		out = append(out, *found[name])
	}
	return out
}

// quiet is the longest time of an epoch without a writable node on a side.
func quiet(lanes map[string][]Stretch, side []string, e epoch) time.Duration {
	var busy []interval
	for _, name := range side {
		for _, s := range lanes[name] {
			if from, to := max(s.From, e.from), min(s.To, e.to); s.State == Writable && from < to {
				busy = append(busy, interval{from, to})
			}
		}
	}
	slices.SortFunc(busy, func(x, y interval) int { return cmp.Compare(x.from, y.from) })
	longest, last := int64(0), e.from
	for _, b := range append(busy, interval{e.to, e.to}) {
		longest, last = max(longest, b.from-last), max(last, b.to)
	}
	return time.Duration(longest)
}

// Stretch is a time in which a node was in one state.
type Stretch struct {
	From  int64  `json:"from_ns"`
	To    int64  `json:"to_ns"`
	State string `json:"state"`
}

// Lanes are the states of each node over time, without gaps.
func Lanes(records []Record) map[string][]Stretch {
	out := map[string][]Stretch{}
	end := int64(0)
	for i := range records {
		r := &records[i]
		if end = max(end, r.ReturnNS); r.Op != OpState {
			continue
		}
		lane := out[r.Node]
		if n := len(lane); n > 0 {
			lane[n-1].To = r.ReturnNS
		}
		out[r.Node] = append(lane, Stretch{From: r.ReturnNS, State: r.Value})
	}
	for _, lane := range out {
		lane[len(lane)-1].To = end
	}
	return out
}

// String is an outage in words.
func (o Outage) String() string {
	return fmt.Sprintf("%s: no writer for %s of %s", o.Side, o.NoWrite.Round(time.Millisecond), o.Lasted.Round(time.Millisecond))
}
