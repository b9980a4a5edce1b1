package conflict_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// mergeWorld is a cluster of a few data nodes that only has what D10 is about:
// versions, contexts, delays and cuts, and beside it an oracle that knows who has
// really seen what. It is the simulation of the project's model of the data rules,
// on the product's own code, with nested members, arrays, delete policies and
// changes of policy, which the model does not have.
type mergeWorld struct {
	profile mergeProfile
	rnd     *rand.Rand
	nodes   []*mergeNode
	docs    int
	now     int
	cut     map[[2]int]bool
	sent    []mergeTransfer
	all     []*logical
	seen    map[vclock.Dot]*logical       // what each version's writer had really seen
	settled map[conflict.WriteID]*logical // a settlement is one write, whoever makes it
	tokens  []mergeToken
	configs []conflict.Config
	judged  map[string]bool
	count   mergeCount
	failure string
}

// mergeCount counts conflicts, each set once, at each node that shows it first.
type mergeCount struct{ conflicts, exact, deferred, wrong, three, based int }

type mergeNode struct {
	w        *mergeWorld
	at       int
	actor    vclock.Actor
	frontier vclock.Vector
	live     map[int]conflict.Siblings
	history  map[vclock.Dot]*conflict.Version
	known    map[int]vclock.Vector
	last     vclock.Time
	config   int // of the world's
}

// mergeTransfer is a batch on its way: everything beyond what the receiver had.
type mergeTransfer struct {
	from, to, at int
	versions     []*conflict.Version
	frontier     vclock.Vector
	known        map[int]vclock.Vector
}

type mergeToken struct {
	doc   int
	seen  vclock.Context
	named []vclock.Dot
}

// mergeProfile is a case of every day (the six of the model, and three more).
type mergeProfile struct {
	name     string
	nodes    int
	old      float64 // share of writes with an old context
	cutFrom  int
	cutTo    int
	window   int  // how long the side without a majority goes on; 0: not at all
	repeated bool // cut after cut
	deletes  bool
	policies bool // the configuration changes on its way
	everyday bool // all writes are plain, under one policy: none may defer
}

const mergeTicks = 400

func newMergeWorld(p mergeProfile, seed uint64) *mergeWorld {
	w := &mergeWorld{
		profile: p, rnd: rand.New(rand.NewPCG(seed, 1)), cut: map[[2]int]bool{}, docs: 3,
		seen: map[vclock.Dot]*logical{}, settled: map[conflict.WriteID]*logical{}, judged: map[string]bool{},
	}
	if !p.repeated {
		w.docs = []int{3, 10, 30}[w.rnd.IntN(3)]
	}
	w.configs = []conflict.Config{mergeConfig(w.rnd)}
	for i := range p.nodes {
		n := &mergeNode{
			w: w, at: i, actor: vclock.Actor(fmt.Sprintf("%c~aaaaaaaa", 'a'+i)), live: map[int]conflict.Siblings{},
			history: map[vclock.Dot]*conflict.Version{}, known: map[int]vclock.Vector{},
		}
		w.nodes = append(w.nodes, n)
	}
	return w
}

// mergeConfig draws a configuration. Members without a rule are decided by LWW.
func mergeConfig(rnd *rand.Rand) conflict.Config {
	c := conflict.DefaultConfig(conflict.ConfigLimits{DefaultBody: 1 << 20, MaxBody: 1 << 20})
	c.Policy.Kind = conflict.KindMerge
	c.Policy.Rules = json.RawMessage(`{"/sum": "sum", "/deep/sum": "sum", "/deep/in/it": "lww", "/set": "union", "/log": "concat", "/top": "max"}`)
	c.Delete = []conflict.DeletePolicy{conflict.DeleteLWW, conflict.UpdateWins, conflict.DeleteWins}[rnd.IntN(3)]
	return c
}

func (n *mergeNode) policy() conflict.Policy {
	c := n.w.configs[n.config]
	return c.Build(fmt.Sprint(n.config))
}

// run plays the profile, then heals and lets everything arrive.
func (w *mergeWorld) run() {
	rate := []float64{0.05, 0.15, 0.4}[w.rnd.IntN(3)]
	delay := 2 + w.rnd.IntN(6)
	for w.now = range mergeTicks {
		w.cuts()
		w.deliver(delay)
		for _, n := range w.nodes {
			if w.mayWrite(n) && w.rnd.Float64() < rate {
				n.client()
			}
		}
		if w.now%20 == 0 {
			w.nodes[0].settle()
			if w.rnd.IntN(3) == 0 {
				w.nodes[1].settle() // two that do not know of each other
			}
		}
		w.reconfigure()
		if w.failure != "" {
			return
		}
	}
	w.cut = map[[2]int]bool{}
	for _, n := range w.nodes {
		n.config = len(w.configs) - 1
	}
	for range 60 {
		w.now++
		w.deliver(delay)
	}
	w.agree()
}

func (w *mergeWorld) cuts() {
	p, away := w.profile, len(w.nodes)-1
	set := func(on bool) {
		for i := range away {
			w.cut[[2]int{i, away}], w.cut[[2]int{away, i}] = on, on
		}
	}
	switch {
	case p.repeated && w.now%80 == 40, !p.repeated && p.cutTo > 0 && w.now == p.cutFrom:
		set(true)
	case p.repeated && w.now%80 == 60, !p.repeated && p.cutTo > 0 && w.now == p.cutTo:
		set(false)
	}
}

func (w *mergeWorld) mayWrite(n *mergeNode) bool {
	p := w.profile
	inside := p.cutTo > 0 && w.now >= p.cutFrom && w.now < p.cutTo
	return !inside || n.at != len(w.nodes)-1 || w.now < p.cutFrom+p.window
}

// reconfigure changes the delete policy or the rules now and then; a node hears
// of it at some time.
func (w *mergeWorld) reconfigure() {
	if !w.profile.policies {
		return
	}
	if w.now%90 == 30 {
		c := mergeConfig(w.rnd)
		switch w.rnd.IntN(3) {
		case 0:
			c.Policy = conflict.PolicyConfig{Kind: conflict.KindLWW}
		case 1:
			c.Policy.Rules = json.RawMessage(`{"/sum": "sum", "/deep/sum": "sum", "/deep/in/it": "lww", "/log": "concat", "/top": "min"}`)
		}
		w.configs = append(w.configs, c)
	}
	for _, n := range w.nodes {
		if n.config < len(w.configs)-1 && w.rnd.IntN(10) == 0 {
			n.config = len(w.configs) - 1
		}
	}
}

// deliver sends and applies transfers: all rows of one, then its closing frame.
func (w *mergeWorld) deliver(delay int) {
	var later []mergeTransfer
	for _, t := range w.sent {
		if w.cut[[2]int{t.from, t.to}] {
			continue
		}
		if t.at > w.now {
			later = append(later, t)
			continue
		}
		w.nodes[t.to].apply(t)
	}
	w.sent = later
	for _, from := range w.nodes {
		for _, to := range w.nodes {
			busy := slices.ContainsFunc(w.sent, func(t mergeTransfer) bool { return t.from == from.at && t.to == to.at })
			if from == to || busy || w.cut[[2]int{from.at, to.at}] {
				continue
			}
			w.sent = append(w.sent, from.transfer(to, w.now+delay))
		}
	}
}

func (n *mergeNode) transfer(to *mergeNode, at int) mergeTransfer {
	t := mergeTransfer{from: n.at, to: to.at, at: at, frontier: n.frontier, known: maps.Clone(n.known)}
	for _, doc := range slices.Sorted(maps.Keys(n.live)) {
		for _, v := range n.live[doc] {
			if !to.frontier.Covers(v.Dot) {
				t.versions = append(t.versions, v)
			}
		}
	}
	return t
}

func (n *mergeNode) apply(t mergeTransfer) {
	for _, v := range t.versions {
		doc := docOf(v)
		n.live[doc] = n.live[doc].Add(v, n.frontier).Live
		n.history[v.Dot] = v
		n.w.judge(n, doc)
	}
	n.frontier = n.frontier.Join(t.frontier)
	n.hear(t.from, t.frontier)
	for at, f := range t.known {
		if at != n.at && n.frontier.Dominates(f) {
			n.hear(at, f)
		}
	}
}

func (n *mergeNode) hear(at int, f vclock.Vector) { n.known[at] = n.known[at].Join(f) }

func (n *mergeNode) others() []vclock.Vector {
	var out []vclock.Vector
	for i := range n.w.nodes {
		if i != n.at {
			out = append(out, n.known[i])
		}
	}
	return out
}

func (n *mergeNode) stable() vclock.Vector {
	stable := n.frontier
	for _, f := range n.others() {
		stable = stable.Meet(f)
	}
	return stable
}

func docKey(doc int) conflict.Key {
	return conflict.Key{Collection: "accounts", ID: conflict.DocID(fmt.Sprint(doc))}
}

func docOf(v *conflict.Version) int {
	var doc int
	if _, err := fmt.Sscan(string(v.Key.ID), &doc); err != nil {
		panic(err) // a key of docKey
	}
	return doc
}

// write stamps a version as the engine does.
func (n *mergeNode) write(doc int, body []byte, token *mergeToken, origin conflict.Origin) *conflict.Version {
	live := n.live[doc]
	seen, shown, blind := live.Seen(n.frontier), live, false
	if token != nil {
		seen, shown = token.seen, nil
		for _, d := range token.named {
			if v := n.history[d]; v != nil {
				shown = append(shown, v)
			} else {
				blind = true
			}
		}
	}
	s := conflict.Stamp(live, seen, n.frontier)
	n.last = max(vclock.Time(n.w.now*100+n.w.rnd.IntN(99)), n.last.Above(), s.After.Above())
	v := &conflict.Version{
		Key: docKey(doc), Dot: dot(n.actor, n.frontier.Get(n.actor)+1), Time: n.last, Deleted: body == nil, Clock: s.Clock, Body: body,
	}
	if origin.Settles {
		v.Time = 0
		for _, u := range live {
			v.Time = max(v.Time, u.Time)
		}
	}
	origin.Past = s.Covered.Attempts(n.stable())
	v.Origin = &origin
	config := n.w.configs[n.config]
	if rules := config.Lineages(); rules != nil {
		lineage, err := conflict.Lineage(rules, conflict.Writing{
			New: v, Shown: shown, Covered: s.Covered, Blind: blind, Aside: token != nil && dotsOf(shown) != dotsOf(live), By: n.policy(), Others: n.others(), Stable: n.stable(),
		})
		if err != nil {
			panic(err)
		}
		v.Origin.Lineage = lineage
	}
	v.Sum = v.ComputeSum()
	n.frontier = n.frontier.With(v.Dot)
	n.live[doc] = live.Stamped(v, s).Live
	n.history[v.Dot] = v
	return v
}

// settle ends what can be ended, as the engine does.
func (n *mergeNode) settle() {
	stable, policy := n.stable(), n.policy()
	for _, doc := range slices.Sorted(maps.Keys(n.live)) {
		live := n.live[doc]
		if len(live) < 2 || slices.ContainsFunc(live, func(v *conflict.Version) bool { return !stable.Covers(v.Dot) }) {
			continue
		}
		shown := policy.Show(live)
		if shown.Open {
			continue
		}
		body := shown.Body
		if shown.Deleted {
			body = nil
		}
		id := live.SettlementID()
		past := n.w.pastOf(live)
		v := n.write(doc, body, nil, conflict.Origin{Write: id, Settles: true, Policy: vclock.Time(n.config + 1)})
		n.w.settledAs(id, v, live, past)
		n.w.judge(n, doc)
	}
}
