package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/scripts/chaos"
)

// presetWithin is how long the processes of the cluster may take to set a preset,
// or to end their faults.
const presetWithin = 5 * time.Second

// nodePresets puts faults on the processes of the cluster, over the API of each.
// It implements rest.ChaosPresets.
type nodePresets struct {
	roster roster
	runs   *nodeRuns
}

var _ rest.ChaosPresets = (*nodePresets)(nil)

// Presets implements rest.ChaosPresets.
func (n *nodePresets) Presets() []rest.ChaosPreset {
	var out []rest.ChaosPreset
	for _, p := range chaos.Presets() {
		out = append(out, rest.ChaosPreset{Name: p.Name, About: p.About, Takes: p.Takes})
	}
	return out
}

// Set implements rest.ChaosPresets.
func (n *nodePresets) Set(ctx context.Context, name string, want rest.ChaosPresetRequest) (rest.ChaosPresetSet, error) {
	out := rest.ChaosPresetSet{Preset: name}
	faults, err := n.faults(name, want)
	if err != nil {
		return out, err
	}
	parts := n.ask(ctx, func(ctx context.Context, name string, at *client.Client) (part, error) {
		var p part
		for _, f := range faults {
			if f.From != name && f.To != name {
				continue
			}
			added, err := at.AddFault(ctx, faultOf(f))
			if err != nil {
				return p, err
			}
			p.faults = append(p.faults, *added)
		}
		return p, nil
	}, func(name string) bool {
		return slices.ContainsFunc(faults, func(f chaos.Fault) bool { return f.From == name || f.To == name })
	})
	for _, p := range parts {
		for _, f := range p.faults {
			out.Faults = append(out.Faults, rest.PlacedFault{Node: p.name, Fault: linkFault(f)})
			if f.Expires.After(out.Expires) {
				out.Expires = f.Expires
			}
		}
	}
	out.Unreachable = unreached(parts)
	if len(out.Faults) == 0 {
		var failed []error
		for _, p := range parts {
			failed = append(failed, p.err)
		}
		return out, &node.Error{Op: "set preset", Kind: rest.PeerSilent, Key: name, Err: fmt.Errorf("nothing was set: %w", errors.Join(failed...))}
	}
	return out, nil
}

// faults are those of a preset, which a process will not refuse.
func (n *nodePresets) faults(name string, want rest.ChaosPresetRequest) ([]chaos.Fault, error) {
	refuse := func(kind node.Kind, format string, args ...any) error {
		return &node.Error{Op: "set preset", Kind: kind, Err: fmt.Errorf(format, args...)}
	}
	all := chaos.Presets()
	i := slices.IndexFunc(all, func(p chaos.Preset) bool { return p.Name == name })
	if i < 0 {
		return nil, refuse(node.NotFound, "no preset %.40q; GET /v1/chaos/presets lists those that there are", name)
	}
	data, witnesses := n.roster.roles()
	spec := &chaos.Spec{Data: data}
	if len(witnesses) > 0 {
		spec.Witness = witnesses[0]
	}
	faults, err := all[i].Faults(spec, chaos.PresetArgs{
		Node: want.Node, From: want.From, To: want.To, Delay: time.Duration(want.Delay), Lasts: time.Duration(want.Duration),
	})
	if err != nil {
		return nil, refuse(node.Invalid, "%w", err)
	}
	if time.Duration(want.Duration) > link.MaxDuration {
		return nil, refuse(node.Invalid, "%s: duration: %s is too long: at most %s", name, want.Duration, link.MaxDuration)
	}
	for _, f := range faults {
		switch {
		case f.Kind == chaos.Slow && f.Delay > link.MaxDelay:
			return nil, refuse(node.Invalid, "%s: delay: %s is too long: at most %s", name, f.Delay, link.MaxDelay)
		case f.Kind == chaos.Flap && f.Delay != 0 && (f.Delay < link.MinFlapPeriod || f.Delay > link.MaxFlapPeriod):
			return nil, refuse(node.Invalid, "%s: delay: as a period, %s is out of range: %s to %s", name, f.Delay, link.MinFlapPeriod, link.MaxFlapPeriod)
		}
	}
	return faults, nil
}

// linkFault is a fault as the API shows it.
func linkFault(f client.Fault) link.Fault {
	return link.Fault{
		ID: f.ID, From: f.From, To: f.To, Kind: link.Kind(f.Kind), Both: f.Both, Duration: link.Span(f.Duration),
		Delay: link.Span(f.Delay), Loss: f.Loss, Started: f.Started, Expires: f.Expires,
	}
}

// Heal implements rest.ChaosPresets. Faults are ended also where a run could not
// be stopped in time.
func (n *nodePresets) Heal(ctx context.Context) (rest.ChaosHealed, error) {
	stopped, err := n.runs.stopAll(ctx)
	out := rest.ChaosHealed{Stopped: stopped}
	parts := n.ask(ctx, func(ctx context.Context, _ string, at *client.Client) (p part, err error) {
		p.healed, err = at.Heal(ctx)
		if errors.Is(err, client.Code("unknown_route")) {
			err = nil // a process without chaos has no faults
		}
		return p, err
	}, func(string) bool { return true })
	for _, p := range parts {
		if p.err == nil {
			out.Healed = append(out.Healed, rest.HealedNode{Node: p.name, Faults: p.healed})
		}
	}
	out.Unreachable = unreached(parts)
	return out, err
}

// part is what one process has done of what all were asked.
type part struct {
	name   string
	faults []client.Fault
	healed int
	err    error
}

// ask asks processes of the roster, all at once and for a bounded time, even when
// who wanted it has gone: half of it would be something else.
func (n *nodePresets) ask(ctx context.Context, do func(context.Context, string, *client.Client) (part, error), whom func(string) bool) []part {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), presetWithin)
	defer cancel()
	var members []roleMember
	for _, m := range n.roster.Members {
		if whom(m.Name) {
			members = append(members, m)
		}
	}
	parts := make([]part, len(members))
	var group sync.WaitGroup
	for i, m := range members {
		group.Go(func() {
			parts[i] = askOne(ctx, m, do)
		})
	}
	group.Wait()
	return parts
}

func askOne(ctx context.Context, m roleMember, do func(context.Context, string, *client.Client) (part, error)) part {
	if m.API == "" {
		return part{name: m.Name, err: noAPI(m.Name)}
	}
	at, err := newChaosMember(m.Name, m.Role == peer.Data, m.API)
	if err != nil {
		return part{name: m.Name, err: err}
	}
	defer at.client.Close()
	p, err := do(ctx, m.Name, at.client)
	if p.name = m.Name; err != nil {
		p.err = chaosError(m.Name, err)
	}
	return p
}

// unreached are the processes that did not do as they were asked.
func unreached(parts []part) []rest.ChaosUnreachable {
	var out []rest.ChaosUnreachable
	for _, p := range parts {
		if p.err != nil {
			out = append(out, rest.ChaosUnreachable{Node: p.name, Error: p.err.Error()})
		}
	}
	return out
}
