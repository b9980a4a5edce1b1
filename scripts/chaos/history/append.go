package history

import (
	"encoding/json"
	"slices"
)

// list is the body of a document of list-append: {"list":[…]}.
type list struct {
	List []string `json:"list"`
}

func elements(value string) []string {
	var l list
	if json.Unmarshal([]byte(value), &l) != nil {
		return nil // no list of ours: it holds no element
	}
	return l.List
}

// checkAppend: clients read a list and put it back with one element more and
// If-Match. Of two such writes at one node with one ETag, one is acknowledged at
// most (else one is lost with no fault at all). Every acknowledged element is in
// the list at the end, or in another version that is live or on record. Refused ones are nowhere, none
// is there twice, and nobody ever saw two elements in the other order.
func checkAppend(records []Record, out *Result) {
	appends := byKey(records, func(r *Record) bool { return r.Op == OpAppend })
	ends := finals(records)
	for _, key := range sorted(appends) {
		checkBases(appends[key], out)
		for _, node := range sorted(ends[key]) {
			checkList(appends[key], ends[key][node], out)
		}
	}
	checkOrder(records, appends, ends, out)
}

// checkBases looks for two acknowledged writes at one node on one base.
func checkBases(appends []*Record, out *Result) {
	type place struct{ node, base string }
	first := map[place]*Record{}
	for _, r := range appends {
		if r.Outcome != OK {
			continue
		}
		out.Checked++
		at := place{r.Node, r.Base}
		if other := first[at]; other != nil {
			out.finding("%s took two appends to %s on one If-Match %s: %s by %s and %s by %s", r.Node, r.Key, r.Base, other.Value, other.Client, r.Value, r.Client)
		}
		first[at] = r
	}
}

// checkList looks for every element in one final list.
func checkList(appends []*Record, final *Record, out *Result) {
	shown := elements(final.Value)
	count := map[string]int{}
	for _, e := range shown {
		if count[e]++; count[e] == 2 {
			out.finding("%s at %s has %s twice", final.Key, final.Node, e)
		}
	}
	kept := map[string]bool{}
	if final.Final != nil {
		for _, v := range slices.Concat(final.Final.Live, final.Final.Recorded) {
			for _, e := range elements(v.Value) {
				kept[e] = true
			}
		}
	}
	outcome := map[string]string{}
	for _, r := range appends {
		outcome[r.Value] = r.Outcome
		if r.Outcome == OK && count[r.Value] == 0 && !kept[r.Value] {
			out.finding("%s was appended to %s by %s and acknowledged, and %s has it neither in the list, nor in a sibling, nor on record", r.Value, r.Key, r.Client, final.Node)
		}
	}
	for _, e := range shown {
		if o, known := outcome[e]; !known || o == Refused {
			out.finding("%s at %s has %s, which was %s", final.Key, final.Node, e, map[bool]string{true: "refused", false: "never appended"}[known])
		}
	}
}

// checkOrder compares every list that was read with the one at the end.
func checkOrder(records []Record, appends map[string][]*Record, ends map[string]map[string]*Record, out *Result) {
	for i := range records {
		r := &records[i]
		if r.Op != OpGet || r.Outcome != OK || appends[r.Key] == nil {
			continue
		}
		seen := elements(r.Value)
		for _, node := range sorted(ends[r.Key]) {
			last := -1
			for _, e := range seen {
				at := slices.Index(elements(ends[r.Key][node].Value), e)
				if at >= 0 && at < last {
					out.finding("%s saw %s of %s after another element that %s has behind it", r.Client, e, r.Key, node)
					break
				}
				last = max(last, at)
			}
		}
	}
}
