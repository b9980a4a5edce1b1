package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// newLinksCommand shows who reaches whom.
func newLinksCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "links", Short: "Who reaches whom, in each direction", Args: exactArgs(0),
		Long:        "Shows each direction of each link, as its own ends see it. What is known only through another\nmember is marked as hearsay.",
		Annotations: map[string]string{watchable: "yes"},
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			s := &surveyor{client: r.client, links: true}
			return r.show(ctx, func(ctx context.Context, r *remote) error {
				v, err := s.ask(ctx)
				if err != nil {
					return err
				}
				return r.showLinks(v)
			})
		}),
	}
}

// allLinks lists every direction between two members.
func (v *survey) allLinks() []client.Link {
	var out []client.Link
	for _, from := range v.Findings {
		for _, to := range v.Findings {
			if from.Member.Name == to.Member.Name {
				continue
			}
			l := v.link(from.Member.Name, to.Member.Name)
			if l == nil {
				l = &client.Link{From: from.Member.Name, To: to.Member.Name, State: "unknown", Cause: "neither end answers", Faults: []string{}}
			}
			out = append(out, *l)
		}
	}
	return out
}

func (r *remote) showLinks(v *survey) error {
	links := v.allLinks()
	switch r.output {
	case asJSON:
		return r.json(struct {
			Links []client.Link `json:"links"`
		}{links})
	case asNDJSON:
		for _, l := range links {
			if err := r.json(l); err != nil {
				return err
			}
		}
		return nil
	}
	t := table{head: []string{"FROM", "TO", "STATE", "SINCE", "BYTES", "FAULTS", "CAUSE"}}
	for i := range links {
		l := &links[i]
		cause := l.Cause
		if l.Hearsay {
			cause = strings.TrimSpace(cause + " (hearsay)")
		}
		t.add(text(l.From), text(l.To), linkCell(l), text(ago(l.Since, v.At)), text(fmt.Sprint(l.Bytes)), text(strings.Join(l.Faults, ", ")), text(cause))
	}
	return t.write(r.out, r.colour)
}
