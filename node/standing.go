package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Standing is how sound this node's past is.
func (e *Engine) Standing() Standing {
	s, _ := e.standing.Load().(Standing)
	return s
}

// PeerStanding is told what another data node of the roster says of itself.
// A new node becomes good when every other data node says "new" too, since
// then there is nothing to catch up with; one that is not new means that there
// is. (The other way to be good is a closed transfer from a good node.)
func (e *Engine) PeerStanding(ctx context.Context, name string, s Standing) error {
	if r := e.NextStanding(name, s); r != nil {
		return e.submit(ctx, r)
	}
	return nil
}

// NextStanding is PeerStanding for a simulation: it returns the request that
// the writer has to commit, or nil.
func (e *Engine) NextStanding(name string, s Standing) *Request {
	if e.Standing() == StandingGood || !slices.Contains(e.cfg.Others, name) {
		return nil
	}
	if next := e.hear(name, s); next != e.Standing() {
		return newStanding(next)
	}
	return nil
}

func (e *Engine) hear(name string, s Standing) Standing {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard[name] = s
	allNew := e.meta.Standing == StandingNew
	for _, other := range e.cfg.Others {
		// One that has just become good because all were new is new enough only
		// if this node has not heard otherwise: it says good, so we wait for its
		// transfer, which is empty.
		allNew = allNew && e.heard[other] == StandingNew
	}
	switch {
	case allNew:
		return StandingGood
	case s != StandingNew && e.meta.Standing == StandingNew:
		return StandingCatchingUp
	}
	return e.meta.Standing
}

func (b *batch) setStanding(s Standing) {
	if b.meta.Standing == s || b.meta.Standing == StandingGood {
		return
	}
	b.meta.Standing, b.dirty = s, true
}

// standingAllows refuses local writes while the past is in doubt.
func (e *Engine) standingAllows() error {
	if e.Standing() == StandingGood {
		return nil
	}
	wait := e.waitingFor()
	return &Error{Op: "write", Kind: ReadOnly, Err: fmt.Errorf("%s is catching up and takes no writes yet", e.cfg.Node), ReadOnly: &ReadOnlyState{
		Cause: CatchingUp, WaitingFor: wait,
		Detail: fmt.Sprintf("%s has an empty or unfinished database and waits for %s. If one of them is gone for good, start this node once with --found.",
			e.cfg.Node, strings.Join(wait, ", ")),
	}}
}

// waitingFor names the data nodes that must be met before this node is good.
func (e *Engine) waitingFor() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.meta.Standing == StandingCatchingUp {
		var good []string
		for _, other := range e.cfg.Others {
			if e.heard[other] != StandingNew {
				good = append(good, other)
			}
		}
		return good
	}
	return slices.DeleteFunc(slices.Clone(e.cfg.Others), func(n string) bool { return e.heard[n] == StandingNew })
}
