package merge

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/syncline/syncline/vclock"
)

// item is an element of an array that is merged by elements. Elements have no
// names, so the mark of who added one tells it from an equal one: two writers who
// both append "x" have appended two.
type item struct {
	itemKey

	value  json.RawMessage
	height uint64 // of its mark
}

// itemKey is what makes two elements one.
type itemKey struct {
	same string     // the value, the same for all spellings
	dot  vclock.Dot // of the version that added it; zero: who writes it next
	turn int        // among equal ones of that version
}

// list reads a unit that is merged by elements. Any other one is none.
func (r *Rules) list(u unit) ([]json.RawMessage, bool) {
	var out []json.RawMessage
	if !r.rule(u.path).byElements() || u.value[0] != '[' || json.Unmarshal(u.value, &out) != nil {
		return nil, false
	}
	return out, true
}

// itemsOf joins elements with their marks. Where there are none, the array's own
// mark is theirs.
func itemsOf(list []json.RawMessage, marks []mark, whole mark) []item {
	out := make([]item, len(list))
	turns := map[itemKey]int{}
	for i, value := range list {
		m := whole
		if len(marks) == len(list) {
			m = marks[i]
		}
		key := itemKey{same: canonical(value), dot: m.Dot}
		turns[key]++
		key.turn = turns[key]
		out[i] = item{key, value, m.Height}
	}
	return out
}

// list merges the arrays of siblings: what any of them has, unless another one's
// writer had seen who added it, and does not have it. The order is that in which
// elements were added, so that it is the same in each merge.
func (m *merging) list(path string, standing []*sibling) ([]item, bool) {
	have := make([]map[itemKey]bool, len(standing))
	for i, s := range standing {
		if s.value[path][0] != '[' {
			return nil, false
		}
		have[i] = map[itemKey]bool{}
		for _, it := range s.items[path] {
			have[i][m.past.once(it.itemKey)] = true
		}
	}
	var out []item
	done := map[itemKey]bool{}
	for _, s := range standing {
		for _, it := range s.items[path] {
			same := m.past.attemptsOf(it.dot)
			it.itemKey = m.past.once(it.itemKey)
			takenOut := false
			for i, u := range standing {
				takenOut = takenOut || !have[i][it.itemKey] && slices.ContainsFunc(same, u.covers)
			}
			if !takenOut && !done[it.itemKey] {
				done[it.itemKey] = true
				out = append(out, it)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b item) int { return cmp.Or(cmp.Compare(a.height, b.height), a.dot.Compare(b.dot)) })
	if m.rules.rule(path) == Union {
		out = distinct(out)
	}
	return out, true
}

// once is the key of an element that attempts of one write have added.
func (p *past) once(k itemKey) itemKey {
	k.dot = p.attemptsOf(k.dot)[0]
	return k
}

// distinct keeps the first of equal values. One that several have added is added
// anew by who writes it: who takes out what one of them added has not seen the
// others.
func distinct(items []item) []item {
	var out []item
	first := map[string]int{}
	for _, it := range items {
		if at, ok := first[it.same]; ok {
			out[at].dot = vclock.Dot{}
			continue
		}
		first[it.same] = len(out)
		out = append(out, it)
	}
	return out
}

// arrayOf writes items.
func arrayOf(items []item) []byte {
	values := make([]json.RawMessage, len(items))
	for i, it := range items {
		values[i] = it.value
	}
	return array(values)
}

// changeItems lays down who added the elements of an array: of those that were
// shown as before, and this version of all others.
func (t *stamping) changeItems(path string, list []json.RawMessage) []mark {
	shown := map[string][]mark{}
	for _, it := range t.items[path] {
		if !t.reset {
			shown[it.same] = append(shown[it.same], mark{it.dot, it.height})
		}
	}
	out := make([]mark, len(list))
	for i, value := range list {
		same := canonical(value)
		out[i] = t.own
		if before := shown[same]; len(before) > 0 {
			if !before[0].Dot.IsZero() {
				out[i] = before[0]
			}
			shown[same] = before[1:]
		}
	}
	return out
}
