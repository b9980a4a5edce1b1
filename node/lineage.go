package node

import (
	"context"
	"errors"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// recallNamed finds the versions that a write's context names, as far as this
// node has them: live, or kept in its history. It looks before the writer does, since
// versions do not change; what is not found makes the write a blind one
// (PROTOCOL D10b).
func (e *Engine) recallNamed(ctx context.Context, w *Write) error {
	if w.Context == nil || e.setting(w.Key.Collection).lineages == nil {
		return nil
	}
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return e.storeError("write", w.Key.String(), err)
	}
	live, err := view.Document(w.Key)
	for _, d := range w.Context.Shown {
		if v := live.Find(d); v != nil {
			w.named = append(w.named, v)
			continue
		}
		var f *Former
		if err == nil {
			f, err = view.Former(d)
		}
		if f != nil && f.Version.Key == w.Key {
			w.named = append(w.named, f.Version)
		}
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return e.storeError("write", w.Key.String(), err)
	}
	return nil
}

// layDown says in a version what its write changed, against what its writer was
// shown, where the collection's policy needs it (PROTOCOL D10).
func (b *batch) layDown(p plan, covered conflict.Siblings, v *conflict.Version) error {
	set := b.e.setting(v.Key.Collection)
	if set.lineages == nil {
		return nil
	}
	w := conflict.Writing{
		New: v, Shown: p.live, Covered: covered, By: set.policy, Others: b.e.cfg.Known(), Stable: b.e.cfg.Stable(),
	}
	if p.w.Context != nil {
		w.Shown, w.Blind = p.named()
		w.Aside = !sameDots(w.Shown, p.live)
	}
	lineage, err := conflict.Lineage(set.lineages, w)
	if err != nil {
		return &Error{Op: "write", Kind: Corrupt, Key: v.Key.String(), Err: err}
	}
	if len(lineage) == 0 {
		return nil
	}
	if v.Origin == nil {
		v.Origin = &conflict.Origin{}
	}
	v.Origin.Lineage = lineage
	return nil
}

// named are the versions that the write's context names, and whether one of them
// is not here, or the context knows of more than this node.
func (p *plan) named() (shown conflict.Siblings, blind bool) {
	have := append(slices.Clip(p.live), p.w.named...)
	for _, d := range p.w.Context.Shown {
		if v := have.Find(d); v != nil {
			shown = append(shown, v)
		} else {
			blind = true
		}
	}
	return shown, blind
}

func sameDots(a, b conflict.Siblings) bool {
	if len(a) != len(b) {
		return false
	}
	for _, v := range a {
		if b.Find(v.Dot) == nil {
			return false
		}
	}
	return true
}

// noneKnown is what a node without others, or one that was not told, knows of
// them.
func noneKnown() []vclock.Vector { return nil }
