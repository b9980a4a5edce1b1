package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/syncline/syncline/scripts/chaos/history"
)

// faultFunctions break and heal links.
func faultFunctions() []function {
	oneWay := optional("one_way", aBool)
	return []function{
		{name: "cut", params: []param{required("a", aMember), required("b", aMember), lasts(), oneWay}, do: (*run).cut},
		{name: "slow", params: []param{required("a", aMember), required("b", aMember), required("delay", aDelay), lasts(), oneWay}, needs: Delays, do: (*run).slow},
		{name: "lose", params: []param{required("a", aMember), required("b", aMember), required("share", aShare), lasts(), oneWay}, do: (*run).lose},
		{name: "flap", params: []param{required("a", aMember), required("b", aMember), required("period", aDelay), lasts()}, do: (*run).flap},
		{name: "block", params: []param{required("a", aMember), required("b", aMember), required("port", aPort), lasts()}, needs: Ports, do: (*run).block},
		{name: "isolate", params: []param{required("node", aMember), lasts()}, do: (*run).isolate},
		{name: "halves", params: []param{required("side", aSide), required("other", aSide), lasts()}, do: (*run).halves},
		{name: "bridge", params: []param{required("node", aNode), lasts()}, do: (*run).bridge},
		{name: "ring", params: []param{lasts()}, do: (*run).ring},
		{name: "heal", params: []param{optional("a", aMember), optional("b", aMember)}, do: (*run).heal},
	}
}

// breakLinks puts faults on links, one after the other, and notes them at once:
// only when all are in force the network is what the script asked for.
func (r *run) breakLinks(a *arguments, faults ...Fault) (starlark.Value, error) {
	r.changed()
	begun := r.cfg.Now()
	var active []*activeFault
	for _, f := range faults {
		if f.From == f.To {
			return nil, errSameEnds
		}
		if err := r.cfg.Cluster.Break(r.ctx, f); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		one := &activeFault{words: f.String(), from: f.From, to: f.To, until: begun.Add(f.Lasts)}
		// Without the peer port no data travels.
		if f.Kind == Cut || f.Kind == Lose && f.Share == 1 || f.Port == PortPeer {
			one.cuts = []history.Pair{history.PairOf(f.From, f.To)}
		}
		active = append(active, one)
	}
	r.book.begin(a.at, begun, active...)
	return nil, nil
}

// link is the fault of a call that names two ends.
func link(a *arguments, kind FaultKind) Fault {
	return Fault{
		Kind: kind, From: a.text("a"), To: a.text("b"), OneWay: a.bool("one_way"),
		Lasts: a.span("lasts", 0), Share: a.number("share", 0), Port: a.text("port"), Delay: a.span("delay", a.span("period", 0)),
	}
}

func (r *run) cut(a *arguments) (starlark.Value, error)  { return r.breakLinks(a, link(a, Cut)) }
func (r *run) slow(a *arguments) (starlark.Value, error) { return r.breakLinks(a, link(a, Slow)) }
func (r *run) lose(a *arguments) (starlark.Value, error) { return r.breakLinks(a, link(a, Lose)) }
func (r *run) flap(a *arguments) (starlark.Value, error) { return r.breakLinks(a, link(a, Flap)) }

func (r *run) block(a *arguments) (starlark.Value, error) { return r.breakLinks(a, link(a, Block)) }

// cutAll cuts links, unless there is a reason not to.
func (r *run) cutAll(a *arguments, links []Pair, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return r.breakLinks(a, cuts(links, a.span("lasts", 0))...)
}

// isolate cuts one member from all others.
func (r *run) isolate(a *arguments) (starlark.Value, error) {
	links, err := r.spec.Isolate(a.text("node"))
	return r.cutAll(a, links, err)
}

// halves cuts two sides apart.
func (r *run) halves(a *arguments) (starlark.Value, error) {
	links, err := r.spec.Halves(a.names("side"), a.names("other"))
	return r.cutAll(a, links, err)
}

// bridge splits the other data nodes into two halves that are joined through one
// node alone.
func (r *run) bridge(a *arguments) (starlark.Value, error) {
	links, err := r.spec.Bridge(a.text("node"))
	return r.cutAll(a, links, err)
}

// ring leaves each data node the links to its two neighbours.
func (r *run) ring(a *arguments) (starlark.Value, error) {
	links, err := r.spec.Ring()
	return r.cutAll(a, links, err)
}

// heal ends the faults of one link, or everything: links, paused processes and
// wrong clocks. Processes that were killed stay down.
func (r *run) heal(a *arguments) (starlark.Value, error) {
	begun := r.cfg.Now()
	from, to := a.text("a"), a.text("b")
	switch {
	case from == "" && to == "":
		return nil, r.healAll(a.at, begun)
	case from == "" || to == "":
		return nil, fmt.Errorf("heal: a link has two ends; heal() ends all faults")
	}
	if err := r.cfg.Cluster.Heal(r.ctx, from, to); err != nil {
		return nil, err
	}
	ends := []string{from, to}
	r.book.end(a.at, begun, "heal "+from+" ↔ "+to, func(f *activeFault) bool {
		return slices.Contains(ends, f.from) && slices.Contains(ends, f.to)
	})
	r.changed()
	return nil, nil
}

func (r *run) healAll(at position, begun time.Time) error {
	if err := r.cfg.Cluster.Heal(r.ctx, "", ""); err != nil {
		return fmt.Errorf("heal: %w", err)
	}
	for _, name := range r.spec.Members() {
		if r.cfg.Cluster.Lacks(Processes) == "" && !slices.Contains(r.downProcesses(), name) {
			if err := r.cfg.Cluster.Resume(r.ctx, name); err != nil {
				return fmt.Errorf("resume %s: %w", name, err)
			}
		}
		if r.cfg.Cluster.Lacks(Clocks) == "" {
			if err := r.cfg.Cluster.Shift(r.ctx, name, Shift{}); err != nil {
				return fmt.Errorf("set the clock of %s right: %w", name, err)
			}
		}
	}
	r.book.end(at, begun, "heal everything", func(*activeFault) bool { return true })
	r.changed()
	return nil
}

// processFunctions stop and start processes and turn their clocks.
func processFunctions() []function {
	return []function{
		{name: "pause", params: []param{required("node", aMember), lasts()}, needs: Processes, do: (*run).pause},
		{name: "resume", params: []param{required("node", aMember)}, needs: Processes, do: (*run).resume},
		{name: "kill", params: []param{required("node", aMember)}, many: true, needs: Processes, do: (*run).kill},
		{name: "start", params: []param{required("node", aMember)}, many: true, needs: Processes, do: (*run).start},
		{name: "wipe", params: []param{required("node", aMember)}, many: true, needs: Processes, do: (*run).wipe},
		{name: "copy", params: []param{required("node", aMember)}, many: true, needs: Processes, do: (*run).copy},
		{name: "rollback", params: []param{required("node", aMember)}, many: true, needs: Processes, do: (*run).rollback},
		{
			name:   "clock",
			params: []param{required("node", aMember), optional("offset", aShift), optional("drift", aDrift), lasts()},
			needs:  Clocks, do: (*run).clock,
		},
	}
}

func (r *run) pause(a *arguments) (starlark.Value, error) {
	name, d, begun := a.text("node"), a.span("lasts", 0), r.cfg.Now()
	if r.book.isDown(name) {
		return nil, fmt.Errorf("pause: %s does not run", name)
	}
	r.changed()
	if err := r.cfg.Cluster.Pause(r.ctx, name, d); err != nil {
		return nil, fmt.Errorf("pause %s: %w", name, err)
	}
	r.book.begin(a.at, begun, &activeFault{words: "pause " + name, halts: name, until: begun.Add(d)})
	return nil, nil
}

func (r *run) resume(a *arguments) (starlark.Value, error) {
	name, begun := a.text("node"), r.cfg.Now()
	if err := r.cfg.Cluster.Resume(r.ctx, name); err != nil {
		return nil, fmt.Errorf("resume %s: %w", name, err)
	}
	r.book.end(a.at, begun, "resume "+name, func(f *activeFault) bool { return f.halts == name })
	return nil, nil
}

func (r *run) kill(a *arguments) (starlark.Value, error) {
	r.changed()
	begun := r.cfg.Now()
	for _, name := range a.rest {
		if slices.Contains(r.downProcesses(), name) {
			return nil, fmt.Errorf("kill: %s is down already", name)
		}
		if err := r.cfg.Cluster.Kill(r.ctx, name); err != nil {
			return nil, fmt.Errorf("kill %s: %w", name, err)
		}
	}
	r.book.mark(a.at, begun, "kill "+strings.Join(a.rest, ", "), func(down []string) []string { return append(down, a.rest...) })
	return nil, nil
}

func (r *run) start(a *arguments) (starlark.Value, error) {
	for _, name := range a.rest {
		if err := r.startOne(a.at, name); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// startOne starts a process, which has none of the faults that it had before.
func (r *run) startOne(at position, name string) error {
	if !slices.Contains(r.downProcesses(), name) {
		return fmt.Errorf("start: %s runs already", name)
	}
	r.changed()
	begun := r.cfg.Now()
	if err := r.cfg.Cluster.Start(r.ctx, name); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	r.book.mark(at, begun, "start "+name, func(down []string) []string {
		return slices.DeleteFunc(down, func(n string) bool { return n == name })
	})
	return nil
}

func (r *run) wipe(a *arguments) (starlark.Value, error) {
	return r.stored(a, storing{"wipe %s: it has nothing any more", r.downProcesses(), "kill it first", r.cfg.Cluster.Wipe})
}

// copy copies what a process has stored that is down, or stands still: then it is
// what a loss of power would leave.
func (r *run) copy(a *arguments) (starlark.Value, error) {
	return r.stored(a, storing{"copy %s: what it has now is kept", r.stillProcesses(), "kill or pause it first", r.cfg.Cluster.Copy})
}

func (r *run) rollback(a *arguments) (starlark.Value, error) {
	return r.stored(a, storing{"rollback %s: it has what it had when it was copied", r.downProcesses(), "kill it first", r.cfg.Cluster.Rollback})
}

// storing is something that is done to what a process has stored.
type storing struct {
	words string
	fit   []string // processes that do not run
	first string   // what is to be done about the others
	do    func(context.Context, string) error
}

func (r *run) stored(a *arguments, s storing) (starlark.Value, error) {
	r.changed()
	for _, name := range a.rest {
		if !slices.Contains(s.fit, name) {
			return nil, fmt.Errorf("%s: %s runs: %s", a.fn.name, name, s.first)
		}
		if err := s.do(r.ctx, name); err != nil {
			return nil, fmt.Errorf("%s %s: %w", a.fn.name, name, err)
		}
		r.book.note(a.at, fmt.Sprintf(s.words, name))
	}
	return nil, nil
}

func (r *run) clock(a *arguments) (starlark.Value, error) {
	name, begun := a.text("node"), r.cfg.Now()
	s := Shift{Offset: a.span("offset", 0), Drift: a.number("drift", 0), Lasts: a.span("lasts", 0)}
	if s.Offset == 0 && s.Drift == 0 {
		return nil, fmt.Errorf("clock: say offset, drift or both; heal() sets clocks right")
	}
	if err := r.cfg.Cluster.Shift(r.ctx, name, s); err != nil {
		return nil, fmt.Errorf("clock of %s: %w", name, err)
	}
	words := "clock of " + name
	if s.Offset != 0 {
		words += fmt.Sprintf(" off by %s", s.Offset)
	}
	if s.Drift != 0 {
		words += fmt.Sprintf(" drifts by %+.1f %%", s.Drift*100)
	}
	r.book.begin(a.at, begun, &activeFault{words: words, until: begun.Add(s.Lasts)})
	return nil, nil
}
