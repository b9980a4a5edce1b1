package history

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// checkMembers: many clients write one document, each a member of its own, and a
// merge puts it together: "different fields both" (DESIGN section 7). At the end
// every node shows of each client what was acknowledged last, or something whose
// outcome is unknown: that may have come late.
func checkMembers(records []Record, out *Result) {
	sets := byKey(records, func(r *Record) bool { return r.Op == OpMember })
	ends := finals(records)
	for _, key := range sorted(sets) {
		possible := possibleMembers(sets[key], out)
		for _, node := range finished(records) {
			shown := map[string]json.RawMessage{}
			if final := ends[key][node]; final != nil && !final.Absent && json.Unmarshal([]byte(final.Value), &shown) != nil {
				out.finding("%s at %s is %s, which has no members", key, node, final.Value)
				continue
			}
			for _, name := range sorted(possible) {
				out.Checked++
				if have := string(shown[name]); !slices.Contains(possible[name], have) {
					out.finding("%s shows the member %s of %s as %s, and it can only be %s", node, name, key, word(have), words(possible[name]))
				}
			}
		}
	}
}

// possibleMembers are the values that each member may have. "" is: there is none.
func possibleMembers(sets []*Record, out *Result) map[string][]string {
	last, unknown := map[string]string{}, map[string][]string{}
	for _, r := range sets {
		name, value, err := memberOf(r.Value)
		if err != nil {
			out.finding("what %s wrote to %s is no member: %v", r.Client, r.Key, err)
			continue
		}
		if _, ok := last[name]; !ok {
			last[name] = ""
		}
		switch r.Outcome {
		case OK:
			last[name] = value
		case Unknown:
			unknown[name] = append(unknown[name], value)
		}
	}
	possible := map[string][]string{}
	for name, value := range last {
		possible[name] = append([]string{value}, unknown[name]...)
	}
	return possible
}

// memberOf takes {NAME:n} apart.
func memberOf(text string) (name, value string, err error) {
	var one map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &one); err != nil || len(one) != 1 {
		return "", "", fmt.Errorf("want one member, not %s", text)
	}
	name = slices.Collect(maps.Keys(one))[0]
	return name, string(one[name]), nil
}
