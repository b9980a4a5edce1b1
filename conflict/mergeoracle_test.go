package conflict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/bits"
	"slices"
	"strings"

	"github.com/syncline/syncline/conflict"
)

// logical is one write as its client meant it.
type logical struct {
	id    int
	past  idSet          // all that its writer had really seen
	doc   map[string]any // what it wrote; nil: a delete
	added map[string]*big.Rat
	puts  map[string]map[string]bool // elements that it put into an array
	takes map[string]map[string]bool // and those that it took out
	by    map[string]*logical        // who has last changed a member
	blind bool                       // it, or one in its past, wrote over what only stood in
}

// idSet is a set of logical writes, by their ids.
type idSet []uint64

func (s idSet) has(id int) bool { return id/64 < len(s) && s[id/64]&(1<<(id%64)) != 0 }

func (s idSet) with(id int) idSet {
	out := append(slices.Clone(s), make([]uint64, max(0, id/64+1-len(s)))...)
	out[id/64] |= 1 << (id % 64)
	return out
}

func (s idSet) join(o idSet) idSet {
	out := append(slices.Clone(s), make([]uint64, max(0, len(o)-len(s)))...)
	for i, w := range o {
		out[i] |= w
	}
	return out
}

// each calls f with the writes of the set.
func (w *mergeWorld) each(s idSet, f func(*logical)) {
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			f(w.all[i*64+bits.TrailingZeros64(word)])
		}
	}
}

var (
	sumPaths   = []string{"/sum", "/deep/sum"}
	arrayPaths = []string{"/set", "/log"}
	// Members of which each write makes a value of its own: the value says who wrote it.
	namedPaths = []string{"/x", "/y", "/deep/z", "/deep/in/it", "/deep/in/at"}
)

// at is the value of a path, or nil.
func at(doc map[string]any, path string) any {
	var v any = doc
	for step := range strings.SplitSeq(path[1:], "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[step]
	}
	return v
}

// put sets or, with nil, removes the value of a path.
func put(doc map[string]any, path string, value any) {
	steps := strings.Split(path[1:], "/")
	for _, step := range steps[:len(steps)-1] {
		if _, ok := doc[step].(map[string]any); !ok {
			doc[step] = map[string]any{}
		}
		doc, _ = doc[step].(map[string]any)
	}
	if last := steps[len(steps)-1]; value == nil {
		delete(doc, last)
	} else {
		doc[last] = value
	}
}

func numberOf(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		return new(big.Rat)
	}
	r, _ := new(big.Rat).SetString(n.String())
	return r
}

func elementsOf(v any) map[string]bool {
	out := map[string]bool{}
	list, _ := v.([]any)
	for _, e := range list {
		out[fmt.Sprint(e)] = true
	}
	return out
}

func decode(body []byte) map[string]any {
	if body == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	out := map[string]any{}
	if err := d.Decode(&out); err != nil {
		panic(fmt.Sprintf("%s: %v", body, err))
	}
	return out
}

// looked is what a client was shown: the versions, and what the policy made of
// them.
type looked struct {
	versions conflict.Siblings
	doc      map[string]any
	merged   bool // the policy could tell
}

// newLogical describes a write by what it did to what its client was shown.
func (w *mergeWorld) newLogical(past idSet, shown looked, doc map[string]any) *logical {
	l := &logical{
		id: len(w.all), past: past, doc: doc, by: map[string]*logical{}, blind: !shown.merged,
		added: map[string]*big.Rat{}, puts: map[string]map[string]bool{}, takes: map[string]map[string]bool{},
	}
	w.all = append(w.all, l)
	for _, path := range sumPaths {
		l.added[path] = new(big.Rat).Sub(numberOf(at(doc, path)), w.truth(past, path))
	}
	for _, path := range arrayPaths {
		had, has := elementsOf(at(shown.doc, path)), elementsOf(at(doc, path))
		l.puts[path], l.takes[path] = map[string]bool{}, map[string]bool{}
		for e := range has {
			l.puts[path][e] = !had[e]
		}
		for e := range had {
			l.takes[path][e] = !has[e]
		}
	}
	for _, path := range namedPaths {
		value := at(doc, path)
		before := w.changers(shown.versions, path)
		switch {
		case value == nil:
		case shown.merged && value == at(shown.doc, path) && len(before) == 1:
			l.by[path] = before[0]
		default:
			l.by[path] = l
		}
	}
	return l
}

// changers are the writes whose values of a member stand, in versions.
func (w *mergeWorld) changers(of conflict.Siblings, path string) []*logical {
	var out []*logical
	for _, v := range of {
		by := w.seen[v.Dot].by[path]
		replaced := slices.ContainsFunc(of, func(u *conflict.Version) bool {
			l := w.seen[u.Dot]
			return u != v && l.by[path] != by && (l == by || by != nil && l.past.has(by.id))
		})
		if by != nil && !replaced && !slices.Contains(out, by) {
			out = append(out, by)
		}
	}
	return out
}

// truth is what all writes of a past added, each once.
func (w *mergeWorld) truth(past idSet, path string) *big.Rat {
	sum := new(big.Rat)
	w.each(past, func(l *logical) {
		if l.added[path].Sign() != 0 {
			sum.Add(sum, l.added[path])
		}
	})
	return sum
}

// pastOf is the union of the pasts of versions, with themselves.
func (w *mergeWorld) pastOf(s conflict.Siblings) idSet {
	var out idSet
	for _, v := range s {
		l := w.seen[v.Dot]
		out = out.join(l.past).with(l.id)
	}
	return out
}

// settledAs notes a settlement, which is one write whoever makes it.
func (w *mergeWorld) settledAs(id conflict.WriteID, v *conflict.Version, live conflict.Siblings, past idSet) {
	l := w.settled[id]
	if l == nil {
		doc := decode(v.Body)
		l = w.newLogical(past, looked{live, doc, !hasTombstone(live)}, doc)
		w.settled[id] = l
	}
	w.seen[v.Dot] = l
}

// judge holds what a node shows against the truth, once for each set and policy.
func (w *mergeWorld) judge(n *mergeNode, doc int) {
	live := n.live[doc]
	policy := n.policy()
	name := fmt.Sprint(n.config) + dotsOf(live)
	if len(live) < 2 || w.judged[name] {
		return
	}
	w.judged[name] = true
	shown := policy.Show(live)
	w.pure(policy, live, shown)
	alive := slices.DeleteFunc(slices.Clone(live.Visible()), func(v *conflict.Version) bool { return v.Deleted })
	if len(live.Visible()) < 2 {
		return
	}
	w.deletes(policy, live.Visible(), shown)
	if _, merges := policy.(conflict.Merge); !merges || len(alive) < 2 || shown.Deleted {
		return
	}
	w.count.conflicts++
	if len(alive) > 2 {
		w.count.three++
	}
	if shown.Open {
		w.count.deferred++
		if w.profile.everyday {
			w.fail("plain writes alone were deferred: %s: %s", shown.Detail, dotsOf(live))
		}
		return
	}
	before := w.failure
	w.judgeNumbers(alive, decode(shown.Body))
	w.judgeMembers(alive, decode(shown.Body))
	w.judgeArrays(alive, decode(shown.Body))
	w.judgeBase(n, alive)
	if w.failure == before {
		w.count.exact++
	} else {
		w.count.wrong++
	}
}

func (w *mergeWorld) fail(format string, args ...any) {
	if w.failure == "" {
		w.failure = fmt.Sprintf("tick %d: ", w.now) + fmt.Sprintf(format, args...)
	}
}

// pure: "the shown value is the same for every order and every way in which the
// siblings arrived".
func (w *mergeWorld) pure(policy conflict.Policy, live conflict.Siblings, want conflict.Shown) {
	for range 3 {
		other := slices.Clone(live)
		w.rnd.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		got := policy.Show(other)
		if !bytes.Equal(got.Body, want.Body) || got.Deleted != want.Deleted || got.Open != want.Open {
			w.fail("%s: the order of %s decides: %s and %s", policy.Name(), dotsOf(live), want.Body, got.Body)
		}
	}
}

// deletes: a delete beside an update goes by the collection's policy.
func (w *mergeWorld) deletes(policy conflict.Policy, seen conflict.Siblings, shown conflict.Shown) {
	m, ok := policy.(conflict.Merge)
	dead := slices.ContainsFunc(seen, func(v *conflict.Version) bool { return v.Deleted })
	if !ok || !dead || !seen.Alive() {
		return
	}
	newest := slices.MaxFunc(seen, func(a, b *conflict.Version) int {
		if conflict.Newer(a, b) {
			return 1
		}
		return -1
	})
	want := map[conflict.DeletePolicy]bool{conflict.DeleteWins: true, conflict.UpdateWins: false, conflict.DeleteLWW: newest.Deleted}[m.Delete]
	if shown.Deleted != want {
		w.fail("delete policy %s: %s shows deleted=%v", m.Delete, dotsOf(seen), shown.Deleted)
	}
}

// judgeNumbers: "every write of the union of the pasts counts once".
func (w *mergeWorld) judgeNumbers(alive conflict.Siblings, got map[string]any) {
	union := w.pastOf(alive)
	for _, path := range sumPaths {
		if at(got, path) == nil {
			continue // a member that is gone, which judgeMembers does not excuse for others
		}
		if want := w.truth(union, path); numberOf(at(got, path)).Cmp(want) != 0 {
			w.fail("%s of %s is %v, and all writes together make %s", path, dotsOf(alive), at(got, path), want.RatString())
		}
	}
}

// judgeMembers: "a sibling's value stands unless another sibling's clock covers
// its mark and has another mark, or lacks the member".
func (w *mergeWorld) judgeMembers(alive conflict.Siblings, got map[string]any) {
	for _, path := range namedPaths {
		var standing []any
		for _, l := range w.changers(alive, path) {
			standing = append(standing, at(l.doc, path))
		}
		value := at(got, path)
		if len(standing) == 0 && value != nil || len(standing) > 0 && !slices.Contains(standing, value) {
			w.fail("%s of %s is %v; standing are %v", path, dotsOf(alive), value, standing)
		}
	}
}

func hasTombstone(s conflict.Siblings) bool {
	return slices.ContainsFunc(s, func(v *conflict.Version) bool { return v.Deleted })
}

// judgeArrays: what was added is there once unless somebody took it out who had
// seen it. What only stood in for a merge hid elements from its reader.
func (w *mergeWorld) judgeArrays(alive conflict.Siblings, got map[string]any) {
	union := w.pastOf(alive)
	blind := w.profile.policies // the set is none under every configuration
	w.each(union, func(l *logical) {
		blind = blind || l.blind || l.doc == nil // a delete took out what a change that had not seen it kept
	})
	for _, path := range arrayPaths {
		if blind || slices.ContainsFunc(alive, func(v *conflict.Version) bool { return at(w.seen[v.Dot].doc, path) == nil }) {
			continue // "a change beats a removal of the same member", elements and all
		}
		list, _ := at(got, path).([]any)
		has := elementsOf(at(got, path))
		if len(list) != len(has) {
			w.fail("%s of %s has an element twice: %v", path, dotsOf(alive), list)
		}
		want := map[string]bool{}
		w.each(union, func(l *logical) { maps.Copy(want, trueOnes(l.puts[path])) })
		w.each(union, func(l *logical) {
			maps.DeleteFunc(want, func(e string, _ bool) bool { return l.takes[path][e] })
		})
		if !maps.Equal(want, has) {
			w.fail("%s of %s is %v, and all writes together make %v", path, dotsOf(alive), list, want)
		}
	}
}

func trueOnes(of map[string]bool) map[string]bool {
	out := maps.Clone(of)
	maps.DeleteFunc(out, func(_ string, on bool) bool { return !on })
	return out
}

// judgeBase: what is called exact is what the pasts have in common.
func (w *mergeWorld) judgeBase(n *mergeNode, alive conflict.Siblings) {
	config := n.w.configs[n.config]
	p, err := conflict.PastOf(config.Lineages(), alive)
	if err != nil {
		w.fail("the base of %s: %v", dotsOf(alive), err)
		return
	}
	if !p.Base.Exact {
		return
	}
	w.count.based++
	base := decode(p.Base.Body)
	var common []*logical
	w.each(w.seen[alive[0].Dot].past, func(l *logical) {
		if !slices.ContainsFunc(alive, func(v *conflict.Version) bool { return !w.seen[v.Dot].past.has(l.id) }) {
			common = append(common, l)
		}
	})
	for _, path := range namedPaths {
		var last []any // of the common past: the changes that nobody in it came after
		for _, l := range common {
			if l.by[path] == l && !slices.ContainsFunc(common, func(o *logical) bool { return o.past.has(l.id) && o.by[path] != l }) {
				last = append(last, at(l.doc, path))
			}
		}
		if value := at(base, path); len(last) > 0 && !slices.Contains(last, value) {
			w.fail("%s of the base of %s is %v, and what they have in common has %v", path, dotsOf(alive), value, last)
		}
	}
	for path, text := range p.Sums {
		want := w.truth(w.pastOf(alive), path)
		if got := numberOf(json.Number(text)); got.Cmp(want) != 0 {
			w.fail("the sum of %s over %s is %s, not %s", path, dotsOf(alive), text, want.RatString())
		}
	}
}

// agree: at the end all nodes have the same siblings and show the same.
func (w *mergeWorld) agree() {
	first := w.nodes[0]
	for _, n := range w.nodes[1:] {
		for doc := range w.docs {
			a, b := first.live[doc], n.live[doc]
			if dotsOf(a) != dotsOf(b) {
				w.fail("at the end the nodes have %s and %s", dotsOf(a), dotsOf(b))
				return
			}
			if len(a) > 0 && !bytes.Equal(first.policy().Show(a).Body, n.policy().Show(b).Body) {
				w.fail("equal siblings %s are shown differently", dotsOf(a))
			}
		}
	}
}
