package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// joined is the longest silence within one interval of writing: two writes at a
// node that are further apart are two intervals.
const joined = 500 * time.Millisecond

// epoch is a time in which the network stayed as it was.
type epoch struct {
	from, to int64
	links    map[Pair]bool // between data nodes that run
	sides    [][]string    // components of the data nodes that run, each sorted
}

// epochs cuts a history into epochs.
func epochs(records []Record, data []string) []epoch {
	end, current := int64(0), epochOf(data, 0, &Net{})
	var out []epoch
	for i := range records {
		r := &records[i]
		if end = max(end, r.ReturnNS); r.Op != OpNet || r.Net == nil {
			continue
		}
		current.to = r.InvokeNS
		out = append(out, current)
		current = epochOf(data, r.ReturnNS, r.Net)
	}
	current.to = end
	return append(out, current)
}

// epochOf begins an epoch: data travels through data nodes, and through nothing
// else.
func epochOf(data []string, from int64, n *Net) epoch {
	e := epoch{from: from, links: map[Pair]bool{}}
	var up []string
	for _, x := range data {
		if slices.Contains(n.Down, x) {
			continue
		}
		for _, y := range up {
			if p := PairOf(x, y); !slices.Contains(n.Cuts, p) {
				e.links[p] = true
			}
		}
		up = append(up, x)
	}
	e.sides = components(up, e.links)
	return e
}

// components are the sets of nodes that paths of links join.
func components(nodes []string, links map[Pair]bool) [][]string {
	var out [][]string
	placed := map[string]bool{}
	for _, first := range nodes {
		if placed[first] {
			continue
		}
		side := []string{first}
		placed[first] = true
		for at := 0; at < len(side); at++ {
			for _, next := range nodes {
				if !placed[next] && links[PairOf(side[at], next)] {
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

// interval is a time in which a node went on acknowledging writes: from the first
// answer to the beginning of the last write. A write is taken somewhere between
// the two, so however late an answer is read, the interval is no longer for it.
type interval struct{ from, to int64 }

// writing lists the intervals in which a node acknowledged writes by its
// majority, within a time.
func writing(acks []*Record, from, to int64) []interval {
	var out []interval
	for _, r := range acks {
		if r.InvokeNS < from || r.ReturnNS > to {
			continue // it may have been taken at another time
		}
		if n := len(out); n > 0 && r.InvokeNS-out[n-1].to <= int64(joined) {
			out[n-1].to = max(out[n-1].to, r.InvokeNS)
			continue
		}
		out = append(out, interval{r.ReturnNS, r.InvokeNS})
	}
	return out
}

// apart lists the times at which no path joins two nodes over links that were up
// within a span before. A link that is being cut or healed counts as up.
func apart(all []epoch, p Pair, data []string, within time.Duration) []interval {
	bounds := []int64{all[len(all)-1].to}
	for _, e := range all {
		bounds = append(bounds, e.from, e.to, e.from+int64(within), e.to+int64(within))
	}
	slices.Sort(bounds)
	var out []interval
	for i, to := range bounds[1:] {
		from := bounds[i]
		if from == to || to > all[len(all)-1].to || linked(all, p, data, interval{from - int64(within), to}) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].to == from {
			out[n-1].to = to
			continue
		}
		out = append(out, interval{from, to})
	}
	return out
}

// linked says whether links that were up at some time of a span, together, join
// two nodes.
func linked(all []epoch, p Pair, data []string, span interval) bool {
	links := map[Pair]bool{}
	for i, e := range all {
		if i > 0 {
			e.from = all[i-1].to
		}
		if i+1 < len(all) {
			e.to = all[i+1].from
		}
		if e.from < span.to && e.to > span.from {
			maps.Copy(links, e.links)
		}
	}
	return slices.ContainsFunc(components(data, links), func(side []string) bool {
		return slices.Contains(side, p[0]) && slices.Contains(side, p[1])
	})
}

// sidesWrote compares what each two nodes wrote at times at which no path joined
// them over links that were up within a span before. Each pair of intervals of
// writing is handed over with the beginning of such a time.
func sidesWrote(records []Record, data []string, within time.Duration, each func(since int64, p, q interval)) {
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
			for _, gap := range apart(all, PairOf(x, y), data, within) {
				for _, p := range writing(acks[x], gap.from, gap.to) {
					for _, q := range writing(acks[y], gap.from, gap.to) {
						each(gap.from, p, q)
					}
				}
			}
		}
	}
}

// both is for how long two intervals overlap.
func both(p, q interval) time.Duration {
	return max(0, time.Duration(min(p.to, q.to)-max(p.from, q.from)))
}

// Overlap is the longest time in which two data nodes both went on acknowledging
// writes by a majority although no path joined them; and how many pairs of
// intervals of writing were compared, 0 when nobody wrote on two sides. While
// links that were up within the bound join two nodes in turn, their sides change
// and no time runs: such an overlap counts as the bound at most.
func Overlap(records []Record) (longest time.Duration, compared int) {
	cluster := ClusterOf(records)
	if cluster == nil {
		return 0, 0
	}
	sidesWrote(records, cluster.Data, 0, func(_ int64, p, q interval) {
		compared++
		longest = max(longest, both(p, q))
	})
	longest = min(longest, cluster.Bound)
	sidesWrote(records, cluster.Data, cluster.Bound, func(_ int64, p, q interval) {
		if late := both(p, q); late > 0 {
			longest = max(longest, cluster.Bound+late)
		}
	})
	return longest, compared
}

// checkSides: "if X and Y are both writable at time t, they are joined by links
// over which ballots went in [t − B, t]" (PROTOCOL part 2). The links need not
// all have been up at once: three nodes of which first one and then another is
// alone are joined in turn by the second.
func checkSides(records []Record, out *Result) {
	cluster := ClusterOf(records)
	if cluster == nil {
		return
	}
	sidesWrote(records, cluster.Data, 0, func(int64, interval, interval) { out.Checked++ })
	sidesWrote(records, cluster.Data, cluster.Bound, func(since int64, p, q interval) {
		if late := both(p, q); late > 0 {
			silent := time.Duration(max(p.from, q.from)-since) + cluster.Bound
			out.finding("two sides acknowledged writes for %s at once, although no path had joined them for %s; the bound is %s",
				late.Round(time.Millisecond), silent.Round(time.Millisecond), cluster.Bound)
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
