package history

import (
	"slices"
	"strconv"
	"strings"
)

// splitDot takes a dot apart: actor and sequence.
func splitDot(dot string) (actor string, seq uint64, ok bool) {
	actor, digits, found := strings.Cut(dot, ":")
	seq, err := strconv.ParseUint(digits, 10, 64)
	return actor, seq, found && err == nil && actor != "" && seq > 0
}

// covers says whether a vector with loose dots holds a dot.
func covers(vector map[string]uint64, loose []string, dot string) bool {
	actor, seq, ok := splitDot(dot)
	return ok && (vector[actor] >= seq || slices.Contains(loose, dot))
}

// accounts says where a dot is: among the live versions, in their past, on
// record, or in the past of what is on record.
func (f *Final) accounts(dot string) bool {
	is := func(v Version) bool { return v.Dot == dot }
	return covers(f.Clock, f.Loose, dot) || covers(f.Past, nil, dot) || slices.ContainsFunc(f.Live, is) || slices.ContainsFunc(f.Recorded, is)
}

// checkLedger: "an acknowledged write is in the causal past of the value shown,
// or is a live sibling, or stands in a conflict record" (DESIGN section 7), on
// every node. No dot is acknowledged twice.
func checkLedger(records []Record, out *Result) {
	ends, nodes := finals(records), finished(records)
	seen := map[string]*Record{}
	for i := range records {
		r := &records[i]
		if !r.isWrite() || r.Outcome != OK || len(nodes) == 0 {
			continue
		}
		out.Checked++
		if _, _, ok := splitDot(r.Dot); !ok {
			out.finding("%s %s by %s was acknowledged without a dot: %q", r.Op, r.Key, r.Client, r.Dot)
			continue
		}
		if twin := seen[r.Dot]; twin != nil && !sameBatch(twin, r) {
			out.finding("the dot %s was acknowledged twice: to %s for %s and to %s for %s", r.Dot, twin.Client, twin.Key, r.Client, r.Key)
		}
		seen[r.Dot] = r
		for _, node := range nodes {
			final := ends[r.Key][node]
			switch {
			case final == nil || final.Final == nil:
				out.finding("%s has nothing of %s: the acknowledged %s %s by %s is lost", node, r.Key, r.Op, r.Dot, r.Client)
			case !final.Final.accounts(r.Dot):
				out.finding("at %s the acknowledged %s %s of %s by %s is neither live, nor in a causal past, nor on record", node, r.Op, r.Dot, r.Key, r.Client)
			}
		}
	}
}

// sameBatch says whether two records are of one write that was sent again.
func sameBatch(x, y *Record) bool {
	return x.Key == y.Key && x.Client == y.Client && x.Value == y.Value
}

// own are the keys that one client alone writes, at one node or with its session,
// with their writes in order. A key on which an outcome is unknown and later
// writes followed is left out: the late one may have come last.
func own(records []Record) map[string][]*Record {
	all := byKey(records, (*Record).isWrite)
	for key, list := range all {
		for i, r := range list {
			first := list[0]
			follows := r.Client == first.Client && (r.Node == first.Node || r.Session && first.Session)
			late := r.Outcome == Unknown && i < len(list)-1
			if !follows || late || r.Op != OpPut && r.Op != OpDelete {
				delete(all, key)
				break
			}
		}
	}
	return all
}

// checkValues: a key that one client alone writes shows, on every node, what was
// acknowledged last, or what an unknown outcome may have made of it; never what
// was refused.
func checkValues(records []Record, out *Result) {
	ends, nodes := finals(records), finished(records)
	keys := own(records)
	for _, key := range sorted(keys) {
		possible := []string{""} // "" is: there is no document
		for _, w := range keys[key] {
			value := w.Value
			if w.Op == OpDelete {
				value = ""
			}
			switch w.Outcome {
			case OK:
				possible = []string{value}
			case Unknown:
				possible = append(possible, value)
			}
		}
		for _, node := range nodes {
			out.Checked++
			shown := ""
			if final := ends[key][node]; final != nil && !final.Absent {
				shown = final.Value
			}
			if !slices.Contains(possible, shown) {
				out.finding("%s shows %s as %s, and it can only be %s", node, key, word(shown), words(possible))
			}
		}
	}
}

func word(value string) string {
	if value == "" {
		return "absent"
	}
	return value
}

func words(values []string) string {
	var out []string
	for _, v := range values {
		out = append(out, word(v))
	}
	return strings.Join(out, " or ")
}

// checkDeletes: a key that one client alone writes does not come back: no read
// at the node of an acknowledged delete that began after it, and no read at the
// end on any node, shows it. "Tombstones: no resurrection" (DESIGN section 3).
func checkDeletes(records []Record, out *Result) {
	reads := byKey(records, func(r *Record) bool { return r.Op == OpGet && r.Outcome == OK })
	ends, keys := finals(records), own(records)
	for _, key := range sorted(keys) {
		last := keys[key][len(keys[key])-1]
		if last.Op != OpDelete || last.Outcome != OK {
			continue
		}
		out.Checked++
		for _, r := range reads[key] {
			if r.Node == last.Node && r.InvokeNS >= last.ReturnNS && !r.Absent {
				out.finding("%s was deleted at %s by %s, and %s read it there afterwards as %s", key, last.Node, last.Dot, r.Client, r.Value)
			}
		}
		for _, node := range sorted(ends[key]) {
			if final := ends[key][node]; !final.Absent {
				out.finding("%s was deleted by %s, and is back at %s as %s", key, last.Dot, node, final.Value)
			}
		}
	}
}
