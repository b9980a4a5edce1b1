package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/scripts/chaos/history"
)

// Timeline is what a run looked like: a lane for each data node, bands for
// faults, ticks for writes. It is computed from a history alone.
type Timeline struct {
	Script string        `json:"script"`
	Seed   uint64        `json:"seed"`
	Took   time.Duration `json:"took_ns"`
	Lanes  []Lane        `json:"lanes"`
	Bands  []Band        `json:"bands"`
	Marks  []Mark        `json:"marks"`
}

// Lane is one data node: its states without gaps, and its writes.
type Lane struct {
	Node   string            `json:"node"`
	States []history.Stretch `json:"states"`
	Ticks  []Tick            `json:"ticks"`
}

// Kinds of ticks, in order of what is shown where several fall together.
const (
	tickAck      = "acknowledged"
	tickUnknown  = "unknown"
	tickRefused  = "refused"
	tickConflict = "conflict"
)

// Tick counts the writes of one kind that ended in one slot of time.
type Tick struct {
	AtNS  int64  `json:"at_ns"` // the slot's beginning
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

// tickSlots is how many slots a timeline has.
const tickSlots = 240

// Band is one fault.
type Band struct {
	Fault string `json:"fault"`
	From  int64  `json:"from_ns"`
	To    int64  `json:"to_ns"`
}

// Mark is something that was done, said or claimed.
type Mark struct {
	AtNS  int64  `json:"at_ns"`
	Kind  string `json:"kind"` // net, note, claim
	Text  string `json:"text"`
	Wrong bool   `json:"wrong,omitempty"` // a claim that did not hold
	Where string `json:"where,omitempty"` // in the script
}

// TimelineOf computes the timeline of a history.
func TimelineOf(records []history.Record) *Timeline {
	t := &Timeline{Lanes: []Lane{}, Bands: []Band{}, Marks: []Mark{}}
	cluster := history.ClusterOf(records)
	if cluster == nil {
		return t
	}
	t.Script, t.Seed = cluster.Script, cluster.Seed
	for i := range records {
		t.Took = max(t.Took, time.Duration(records[i].ReturnNS))
	}
	states := history.Lanes(records)
	for _, name := range cluster.Data {
		t.Lanes = append(t.Lanes, Lane{Node: name, States: slices.Clip(append([]history.Stretch{}, states[name]...)), Ticks: t.ticks(records, name)})
	}
	t.bands(records)
	for i := range records {
		r := &records[i]
		switch r.Op {
		case history.OpNet, history.OpNote, history.OpClaim:
			t.Marks = append(t.Marks, Mark{AtNS: r.ReturnNS, Kind: r.Op, Text: r.Text, Where: r.At.String(), Wrong: r.Op == history.OpClaim && r.Outcome != history.OK})
		}
	}
	return t
}

// slot is the width of a slot.
func (t *Timeline) slot() int64 { return max(1, int64(t.Took)/tickSlots) }

// ticks counts the writes of a node by slot and kind.
func (t *Timeline) ticks(records []history.Record, node string) []Tick {
	count := map[Tick]int{}
	for i := range records {
		r := &records[i]
		kind := map[string]string{history.OK: tickAck, history.Refused: tickRefused, history.Unknown: tickUnknown}[r.Outcome]
		switch {
		case r.Node != node || kind == "":
			continue
		case r.Op == history.OpGet || r.Op == history.OpFinal || r.Op == history.OpEvent:
			continue
		case r.Conflicts > 1:
			kind = tickConflict
		}
		count[Tick{AtNS: r.ReturnNS / t.slot() * t.slot(), Kind: kind}]++
	}
	out := []Tick{}
	for tick := range maps.Keys(count) {
		tick.Count = count[Tick{AtNS: tick.AtNS, Kind: tick.Kind}]
		out = append(out, tick)
	}
	slices.SortFunc(out, func(x, y Tick) int {
		if x.AtNS != y.AtNS {
			return int(min(1, max(-1, x.AtNS-y.AtNS)))
		}
		return strings.Compare(x.Kind, y.Kind)
	})
	return out
}

// bands finds when each fault was there.
func (t *Timeline) bands(records []history.Record) {
	open := map[string]int64{}
	closeAt := func(at int64, keep []string) {
		for _, name := range slices.Sorted(maps.Keys(open)) {
			if !slices.Contains(keep, name) {
				t.Bands = append(t.Bands, Band{name, open[name], at})
				delete(open, name)
			}
		}
	}
	for i := range records {
		r := &records[i]
		if r.Op != history.OpNet || r.Net == nil {
			continue
		}
		closeAt(r.ReturnNS, r.Net.Faults)
		for _, name := range r.Net.Faults {
			if _, on := open[name]; !on {
				open[name] = r.InvokeNS
			}
		}
	}
	closeAt(int64(t.Took), nil)
	slices.SortStableFunc(t.Bands, func(x, y Band) int { return int(min(1, max(-1, x.From-y.From))) })
}

// textColumns is the width of the lanes in text.
const textColumns = 64

// signs are the four states and how they are drawn (DASHBOARD: "lanes: writable
// ▆ read-only ▨ down ▯").
func sign(state string) string {
	switch state {
	case history.Writable:
		return "▆"
	case history.ReadOnly:
		return "▨"
	case history.Down:
		return "▯"
	case history.Silent:
		return "?"
	}
	return " "
}

// Text draws the timeline for a terminal.
func (t *Timeline) Text() string {
	var b strings.Builder
	width := 6
	for _, l := range t.Lanes {
		width = max(width, len(l.Node))
	}
	fmt.Fprintf(&b, "\n%*s  0%*s\n", width, "", textColumns-1, t.Took.Round(100*time.Millisecond))
	for _, l := range t.Lanes {
		fmt.Fprintf(&b, "%*s  %s\n", width, l.Node, t.drawStates(l.States))
		fmt.Fprintf(&b, "%*s  %s\n", width, "", t.drawTicks(l.Ticks))
	}
	for _, band := range t.Bands {
		from, to := t.column(band.From), t.column(band.To)
		fmt.Fprintf(&b, "%*s  %s%s%s %s, %s\n", width, "fault", strings.Repeat(" ", from), strings.Repeat("✂", max(1, to-from)),
			strings.Repeat(" ", max(0, textColumns-max(to, from+1))), band.Fault, time.Duration(band.To-band.From).Round(10*time.Millisecond))
	}
	fmt.Fprintf(&b, "%*s  ▆ writable  ▨ read-only  ▯ down  ? silent;  writes: · acknowledged  x refused  ~ unknown  2 conflict  ✂ fault\n", width, "")
	return b.String()
}

func (t *Timeline) column(at int64) int {
	return int(min(textColumns, at*textColumns/max(1, int64(t.Took))))
}

func (t *Timeline) drawStates(states []history.Stretch) string {
	cells := slices.Repeat([]string{" "}, textColumns)
	for _, s := range states {
		for c := t.column(s.From); c < min(textColumns, max(t.column(s.To), t.column(s.From)+1)); c++ {
			cells[c] = sign(s.State)
		}
	}
	return strings.Join(cells, "")
}

func (t *Timeline) drawTicks(ticks []Tick) string {
	order := []string{"", tickAck, tickUnknown, tickRefused, tickConflict}
	signs := []string{" ", "·", "~", "x", "2"}
	cells := make([]int, textColumns)
	for _, tick := range ticks {
		c := min(textColumns-1, t.column(tick.AtNS))
		cells[c] = max(cells[c], slices.Index(order, tick.Kind))
	}
	var b strings.Builder
	for _, c := range cells {
		b.WriteString(signs[c])
	}
	return strings.TrimRight(b.String(), " ")
}
