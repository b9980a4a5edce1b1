package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/client"
)

// drawnGap is what stands at least between two moments of a diagram, in
// characters.
const drawnGap = 3

// moment is one column of a diagram: something was written.
type moment struct {
	head string          // when
	at   map[string]bool // at which nodes
	mark string
}

// drawConflict draws a conflict in space and time: a line for each node, time to
// the right, not to scale. Below it stands who had seen what.
func drawConflict(c *client.Conflict) string {
	moments := momentsOf(c)
	var b strings.Builder
	nodes := map[string]bool{}
	longest := 0
	for _, m := range moments {
		maps.Copy(nodes, m.at)
	}
	names := slices.Sorted(maps.Keys(nodes))
	for _, name := range names {
		longest = max(longest, len(name))
	}
	fmt.Fprintf(&b, "  %-*s  ", longest, "")
	for i, m := range moments {
		if i == len(moments)-1 {
			b.WriteString("  " + m.head)
			break
		}
		fmt.Fprintf(&b, "  %-*s", len(m.head)+drawnGap, m.head)
	}
	b.WriteByte('\n')
	for _, name := range names {
		fmt.Fprintf(&b, "  %-*s  ", longest, name)
		for _, m := range moments {
			mark := ""
			if m.at[name] {
				mark = m.mark
			}
			b.WriteString("--" + mark + strings.Repeat("-", len(m.head)+drawnGap-len(mark)))
		}
		b.WriteString(">\n")
	}
	b.WriteByte('\n')
	for i, one := range drawnSides(c) {
		fmt.Fprintf(&b, "  [%d] %s %s\n", i+1, one.Dot, seenText(&one))
	}
	if n := len(c.Siblings) - shownSides; n > 0 {
		fmt.Fprintf(&b, "      and %d more\n", n)
	}
	if c.Result != nil {
		fmt.Fprintf(&b, "  [*] %s had seen all of them, and ended the conflict\n", c.Result.Dot)
	}
	return b.String()
}

func drawnSides(c *client.Conflict) []client.ConflictSide {
	return c.Siblings[:min(shownSides, len(c.Siblings))]
}

// momentsOf are what was there before, the versions in the order of their times,
// and what has ended the conflict.
func momentsOf(c *client.Conflict) []moment {
	var out []moment
	before := moment{head: "before", at: map[string]bool{}, mark: "o"}
	for _, one := range drawnSides(c) {
		for _, dot := range seenDots(&one) {
			before.at[nodeOf(dot)] = true
		}
	}
	if len(before.at) > 0 {
		out = append(out, before)
	}
	for i, one := range drawnSides(c) {
		head := shortTime(one.Time)
		if i > 0 {
			head = sinceText(c.Siblings[0].Time, one.Time)
		}
		out = append(out, moment{head: head, at: map[string]bool{one.Node: true}, mark: fmt.Sprintf("[%d]", i+1)})
	}
	if c.Result != nil {
		out = append(out, moment{head: "the end", at: map[string]bool{nodeOf(c.Result.Dot): true}, mark: "[*]"})
	}
	return out
}

// sinceText is how much later a moment is than the first.
func sinceText(first, later string) string {
	from, err := time.Parse(time.RFC3339Nano, first)
	to, err2 := time.Parse(time.RFC3339Nano, later)
	if err != nil || err2 != nil {
		return later
	}
	// The digits below the millisecond count writes.
	return fmt.Sprintf("+%.3f s", to.Truncate(time.Millisecond).Sub(from.Truncate(time.Millisecond)).Seconds())
}

// nodeOf is the node at which the version with a dot was written: the name
// before the tilde.
func nodeOf(dot string) string {
	name, _, _ := strings.Cut(dot, "~")
	return name
}

// seenDots are the last versions of each actor that a writer had seen.
func seenDots(one *client.ConflictSide) []string {
	var out []string
	for _, actor := range sortedKeys(one.Clock) {
		out = append(out, fmt.Sprintf("%s:%d", actor, one.Clock[actor]))
	}
	return append(out, one.Loose...)
}

// seenText says what the writer of a version had seen.
func seenText(one *client.ConflictSide) string {
	seen := seenDots(one)
	said := "had seen nothing of the document"
	switch {
	case one.Clock == nil:
		said = "has no account of what it had seen: that is not on record"
	case len(seen) > 0:
		said = "had seen " + strings.Join(seen, ", ")
	}
	if one.Hidden {
		said += "; it is another attempt of a write that is here too"
	}
	return said
}
