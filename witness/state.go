package witness

import "time"

// State is what a witness shows of itself.
type State struct {
	Opens   time.Duration // until nothing is granted after a start; 0: it has passed
	Holders []Holder      // who has the vote
	Nodes   []NodeState   // in the order of names
}

// NodeState is one data node as the witness sees it.
type NodeState struct {
	Name       string
	Life       Life
	Known      bool          // it sent a ballot that was accepted in this run
	Live       bool          // that ballot is fresh
	Age        time.Duration // of its stamp
	Promised   time.Duration // what is left of the promise to it
	Chosen     bool          // it is one of those who share the vote
	Lists      []string      // whom it exchanged ballots with
	CatchingUp bool
	Wants      bool
	Held       time.Duration // since its last lease of the witness; below 0: never
	Component  []string      // whom it reaches, with itself
}

// State returns what the witness knows and has promised.
func (w *Witness) State(now time.Duration) State {
	s := State{Opens: max(0, w.opens-now), Holders: w.holders(now)}
	k := w.components(now)
	for y, d := range w.roster.Data {
		v := &w.views[y]
		n := NodeState{
			Name: d.Name, Life: w.lives[y], Known: v.known, Live: w.live(now, y),
			Promised: max(0, w.until[y]-now), Chosen: w.chosen.has(y),
			CatchingUp: w.catchingUp(now, y), Wants: v.want, Held: -1,
			Component: w.names(k[y]),
		}
		if v.known {
			n.Age, n.Lists = now-v.stamp, w.names(v.lists)
		}
		if v.known && v.heldAt != never {
			n.Held = max(0, now-v.heldAt)
		}
		s.Nodes = append(s.Nodes, n)
	}
	return s
}

func (w *Witness) names(g group) []string {
	var out []string
	for y, d := range w.roster.Data {
		if g.has(y) {
			out = append(out, d.Name)
		}
	}
	return out
}
