package conflict_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// client is one write of somebody: read, change a little, write. Some write with
// what they read long ago.
func (n *mergeNode) client() {
	w := n.w
	doc := min(w.rnd.IntN(w.docs), w.rnd.IntN(w.docs)) // some are hot
	if w.rnd.IntN(10) == 0 {
		w.tokens = append(w.tokens, mergeToken{doc, n.live[doc].Seen(n.frontier), dotsIn(n.live[doc])})
	}
	live := n.live[doc]
	var token *mergeToken
	if len(w.tokens) > 0 && w.rnd.Float64() < w.profile.old {
		t := w.tokens[max(0, len(w.tokens)-1-w.rnd.IntN(6))]
		token, doc, live = &t, t.doc, nil
		for _, d := range t.named {
			live = append(live, w.version(d))
		}
	}
	past := w.pastOf(live)
	shown := looked{versions: live, doc: map[string]any{}, merged: len(live.Visible()) < 2}
	if len(live) > 0 {
		s := n.policy().Show(live)
		if !s.Deleted {
			shown.doc = decode(s.Body)
		}
		shown.merged = shown.merged || s.Merged > 1 && !s.Open && !hasTombstone(live)
	}
	var body []byte
	changed := decode(encode(shown.doc))
	if w.profile.deletes && len(n.live[doc]) > 0 && w.rnd.IntN(5) == 0 {
		changed = nil
	} else {
		w.change(changed)
		body = encode(changed)
	}
	v := n.write(doc, body, token, conflict.Origin{})
	w.seen[v.Dot] = w.newLogical(past, shown, decode(body))
	w.judge(n, doc)
}

func (w *mergeWorld) version(d vclock.Dot) *conflict.Version {
	for _, n := range w.nodes {
		if v := n.history[d]; v != nil {
			return v
		}
	}
	panic("a token names a version that nobody made")
}

func dotsIn(s conflict.Siblings) []vclock.Dot {
	var out []vclock.Dot
	for _, v := range s {
		out = append(out, v.Dot)
	}
	return out
}

func encode(doc map[string]any) []byte {
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return b
}

// change alters one to three members.
func (w *mergeWorld) change(doc map[string]any) {
	id := fmt.Sprint("w", len(w.all))
	for range 1 + w.rnd.IntN(3) {
		switch w.rnd.IntN(6) {
		case 0, 1:
			path := sumPaths[w.rnd.IntN(len(sumPaths))]
			by := big.NewRat(int64(w.rnd.IntN(2000)-1000), int64([]int{1, 10, 100}[w.rnd.IntN(3)]))
			put(doc, path, json.Number(new(big.Rat).Add(numberOf(at(doc, path)), by).FloatString(2)))
		case 2:
			path := arrayPaths[w.rnd.IntN(len(arrayPaths))]
			list, _ := at(doc, path).([]any)
			if path == "/set" && len(list) > 0 && w.rnd.IntN(3) == 0 {
				list = slices.Delete(list, 0, 1)
			} else if !slices.Contains(list, any(path+id)) {
				list = append(list, path+id)
			}
			put(doc, path, list)
		case 3:
			put(doc, "/top", json.Number(fmt.Sprint(w.rnd.IntN(1000))))
		case 4:
			put(doc, namedPaths[w.rnd.IntN(len(namedPaths))], id)
		default:
			path := namedPaths[w.rnd.IntN(len(namedPaths))]
			if w.rnd.IntN(4) == 0 {
				put(doc, path, nil)
			} else {
				put(doc, path, id+"."+path)
			}
		}
	}
}
