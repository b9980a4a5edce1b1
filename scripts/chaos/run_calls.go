package chaos

import (
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/syncline/syncline/scripts/chaos/history"
)

// runFunctions are about the run itself: time, chance, loads, words.
func runFunctions() []function {
	return []function{
		{name: "wait", params: []param{required("time", aWait)}, do: (*run).wait},
		{name: "note", params: []param{required("text", aText)}, do: (*run).noteCall},
		{name: "timeline", do: (*run).showTimeline},
		{name: "random", params: []param{required("below", aCount)}, do: (*run).randomCall},
		{name: "choose", params: []param{required("among", aList)}, do: (*run).choose},
		{name: "load", params: []param{
			optional("kind", aLoad), optional("rate", aCount), optional("clients", aCount), optional("nodes", aNodeList),
			optional("keys", aCount), optional("deletes", aRatio), optional("reads", aRatio), optional("at_least", aCount), optional("collection", aText),
		}, do: (*run).load},
		{name: "quiet", do: (*run).quiet},
		{name: "feed", params: []param{required("at", aNode)}, do: (*run).feed},
	}
}

func (r *run) wait(a *arguments) (starlark.Value, error) {
	d := a.span("time", 0)
	r.book.say(StepWait, a.at, fmt.Sprintf("wait %s", d))
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil, nil
	case <-r.ctx.Done():
		return nil, r.ctx.Err()
	}
}

func (r *run) noteCall(a *arguments) (starlark.Value, error) {
	r.book.note(a.at, a.text("text"))
	return nil, nil
}

// showTimeline shows the timeline so far.
func (r *run) showTimeline(a *arguments) (starlark.Value, error) {
	r.book.say(StepTimeline, a.at, TimelineOf(r.book.history()).Text())
	return nil, nil
}

// randomCall draws a number from 0 on. What was drawn is said.
func (r *run) randomCall(a *arguments) (starlark.Value, error) {
	below := a.count("below", 1)
	n := r.random.IntN(below)
	r.book.note(a.at, fmt.Sprintf("drawn: %d of %d (seed %d)", n, below, r.cfg.Seed))
	return starlark.MakeInt(n), nil
}

// choose draws an element of a list.
func (r *run) choose(a *arguments) (starlark.Value, error) {
	list, ok := a.values["among"].(starlark.Indexable)
	if !ok {
		return nil, fmt.Errorf("choose: want a list, not %s", a.values["among"])
	}
	v := list.Index(r.random.IntN(list.Len()))
	r.book.note(a.at, fmt.Sprintf("drawn: %s (seed %d)", v, r.cfg.Seed))
	return v, nil
}

// quiet ends every load.
func (r *run) quiet(*arguments) (starlark.Value, error) {
	r.stopLoads()
	return nil, r.ctx.Err()
}

// load starts background clients.
func (r *run) load(a *arguments) (starlark.Value, error) {
	l := &load{
		kind: a.text("kind"), clients: a.count("clients", 1), nodes: a.names("nodes"), keys: a.count("keys", 4),
		deletes: a.number("deletes", 0.1), reads: a.number("reads", 0.3), enough: a.count("at_least", enoughAcks),
		collection: a.text("collection"), number: len(r.loads) + 1,
	}
	rate := a.count("rate", 100)
	if l.kind == "" {
		l.kind = loadLedger
	}
	if l.collection == "" {
		l.collection = l.kind
	}
	if l.nodes == nil {
		l.nodes = r.spec.Data
	}
	if rate > MaxRate || l.clients > MaxClients {
		return nil, fmt.Errorf("load: at most %d operations a second and %d clients at each node", MaxRate, MaxClients)
	}
	l.every = time.Second * time.Duration(l.clients*len(l.nodes)) / time.Duration(rate)
	r.changed()
	if err := l.prepare(r); err != nil {
		return nil, err
	}
	r.book.note(a.at, fmt.Sprintf("load %d: %s, %d operations a second by %d clients at each of %s", l.number, l.kind, rate, l.clients, strings.Join(l.nodes, ", ")))
	r.loads = append(r.loads, l)
	l.start(r)
	return starlark.MakeInt(l.number), nil
}

// stopLoads ends all loads and consumers of the feed, and notes which had too
// little to do.
func (r *run) stopLoads() {
	for _, l := range r.loads {
		if l.stop == nil {
			continue
		}
		l.end()
		if acked := l.acked.Load(); acked < int64(l.enough) {
			r.voids = append(r.voids, fmt.Sprintf("load %d (%s) had only %d acknowledged writes, and needs %d", l.number, l.kind, acked, l.enough))
		}
		r.book.say(StepClient, position{}, fmt.Sprintf("load %d has ended: %d writes acknowledged, %d refused, %d unknown", l.number, l.acked.Load(), l.refused.Load(), l.unknown.Load()))
		r.changed()
	}
}

// tally counts the outcome of a write of a load.
func (l *load) tally(outcome string) {
	switch outcome {
	case history.OK:
		l.acked.Add(1)
	case history.Refused:
		l.refused.Add(1)
	default:
		l.unknown.Add(1)
	}
}
