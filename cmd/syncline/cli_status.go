package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// newStatusCommand answers on one screen what somebody asks when something is
// wrong.
func newStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Can I write here, where, why not, and how many failures can we still take", Args: exactArgs(0),
		Long: "Shows on one screen whether this node takes writes, which do, why one does not, and how many\n" +
			"failures the cluster can still take; then members, votes, links, lag and open conflicts. Every\n" +
			"member is asked itself. What is not known is shown as unknown.",
		Annotations: map[string]string{watchable: "yes"},
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			s := &surveyor{client: r.client, links: true, votes: true}
			return r.show(ctx, func(ctx context.Context, r *remote) error {
				v, err := s.ask(ctx)
				if err != nil {
					return err
				}
				if r.output != asTable {
					return r.json(statusJSON(v))
				}
				return (&statusPage{survey: v, out: r.out, colour: r.colour}).write()
			})
		}),
	}
}

// statusPage is one showing of the status.
type statusPage struct {
	survey *survey
	out    io.Writer
	colour bool
}

func (p *statusPage) write() error {
	v := p.survey
	fmt.Fprintf(p.out, "Cluster %s, asked through %s (%s) at %s\n\n",
		printable(v.Asked.Cluster), printable(v.Asked.Name), printable(v.Asked.URL), clock(v.At))
	answers := table{rows: [][]cell{
		{text("Can I write here?"), p.here()},
		{text("Where can I write?"), p.where()},
		{text("More failures allowed"), p.failures()},
		{text("Open conflicts"), p.conflicts()},
	}}
	if t := v.Asked.Timing; t.BoundMS > 0 {
		answers.add(text("Worst case of a cut"), text(worstCase(t)))
	}
	if err := answers.write(p.out, p.colour); err != nil {
		return err
	}
	fmt.Fprintln(p.out)
	members := p.members()
	if err := members.write(p.out, p.colour); err != nil {
		return err
	}
	fmt.Fprintln(p.out, "\nLinks, from row to column")
	links := p.links()
	return links.write(p.out, p.colour)
}

// worstCase tells what a cut can do at worst, and what that follows from.
func worstCase(t client.Timing) string {
	return fmt.Sprintf("both sides take writes for at most %d ms (a vote counts for %d ms, and is asked for every %d ms)", t.BoundMS, t.LeaseMS, t.BeatMS)
}

// here says whether the node that was asked takes writes.
func (p *statusPage) here() cell {
	asked := p.survey.Asked
	w := asked.Write
	switch {
	case asked.Role == roleWitness:
		return cell{"no: " + asked.Name + " is a witness, it votes and stores no documents", caution}
	case w.State == stateWritable:
		return cell{"yes, at " + asked.Name, good}
	case w.State == stateOverride:
		return cell{"yes, at " + asked.Name + ": by an operator's override, against the rule", caution}
	}
	return cell{fmt.Sprintf("no: %s, since %s; reads still work", causeInWords(w.Cause), ago(w.Since, p.survey.At)), bad}
}

// where names the nodes that take writes.
func (p *statusPage) where() cell {
	urls, hearsay := p.survey.writableNodes()
	switch {
	case len(urls) == 0:
		return cell{"nowhere that anybody here knows of", bad}
	case hearsay:
		return cell{strings.Join(urls, ", ") + " (said by others; no node could be asked itself)", caution}
	}
	return cell{strings.Join(urls, ", "), good}
}

// failures says how many more voters can be lost.
func (p *statusPage) failures() cell {
	n := p.survey.spare()
	switch {
	case n == nil:
		return cell{"unknown: no writable node could be asked", caution}
	case *n == 0:
		return cell{"none: one more lost vote can stop all writes", caution}
	}
	return cell{fmt.Sprintf("%d: writes go on after the loss of any %d", *n, *n), good}
}

func (p *statusPage) conflicts() cell {
	n := p.survey.conflicts()
	switch {
	case n == nil:
		return cell{"unknown: no data node answered", caution}
	case *n > 0:
		return cell{fmt.Sprintf("%d: list them with syncline ls COLLECTION --conflicted", *n), caution}
	}
	return cell{"none", good}
}

// members is a row for each member of the roster.
func (p *statusPage) members() table {
	t := table{head: []string{"MEMBER", "ROLE", "STATE", "SINCE", "VOTES", "LACKS", "CONFLICTS", "API"}}
	for i := range p.survey.Findings {
		f := &p.survey.Findings[i]
		row := []cell{{f.Member.Name, strong}, text(f.Member.Role)}
		switch {
		case f.Cluster == nil:
			row = append(row, p.silent(f)...)
		case f.Member.Role == roleWitness:
			row = append(row, cell{"answers", good}, text(""), p.given(f), text(""), text(""))
		default:
			row = append(row, p.dataNode(f)...)
		}
		t.add(append(row, text(f.Member.API))...)
	}
	return t
}

// silent is a member that did not answer.
func (p *statusPage) silent(f *finding) []cell {
	if f.Member.API == "" {
		return []cell{{"unknown: no API address", caution}, text(""), text(""), text(""), text("")}
	}
	return []cell{{"unknown: silent", bad}, text(ago(f.Since, p.survey.At)), text("?"), text("?"), text("?")}
}

func (p *statusPage) dataNode(f *finding) []cell {
	w := f.Cluster.Write
	state := cell{w.State, bad}
	switch {
	case w.State == stateWritable:
		state.style = good
	case w.State == stateOverride:
		state.style = caution
	case w.Cause != "":
		state.text += ": " + strings.ReplaceAll(w.Cause, "_", " ")
	}
	conflicts := cell{fmt.Sprint(f.Cluster.Conflicts.Open), plain}
	if f.Cluster.Conflicts.Open > 0 {
		conflicts.style = caution
	}
	votes := fmt.Sprintf("%d of %d, needs %d", w.Votes.Have, w.Votes.Of, w.Votes.Need)
	return []cell{state, text(ago(w.Since, p.survey.At)), text(votes), lagCell(lacks(f.Cluster)), conflicts}
}

// given says to whom the witness has given its vote, as it says itself.
func (p *statusPage) given(f *finding) cell {
	if f.Votes == nil {
		return text("?")
	}
	var holders []string
	for _, v := range f.Votes.Voters {
		if v.Granted {
			holders = append(holders, v.Name)
		}
	}
	if len(holders) == 0 {
		return text("given to nobody")
	}
	return text("given to " + strings.Join(holders, ", "))
}

// lagCell shows a lag. What is unknown is shown so, never as 0.
func lagCell(l client.Lag) cell {
	switch {
	case l.Versions == nil && l.UnknownSince == nil:
		return cell{"unknown", caution}
	case l.Versions == nil:
		return cell{"unknown since " + clock(*l.UnknownSince), caution}
	case *l.Versions == 0:
		return cell{"nothing", good}
	case l.Seconds == nil:
		return cell{fmt.Sprintf("%d versions", *l.Versions), caution}
	}
	return cell{fmt.Sprintf("%d versions, %.1f s", *l.Versions, *l.Seconds), caution}
}

// links is a matrix: what each member says of its own side of each link.
func (p *statusPage) links() table {
	t := table{head: []string{""}}
	for _, to := range p.survey.Findings {
		t.head = append(t.head, to.Member.Name)
	}
	for _, from := range p.survey.Findings {
		row := []cell{{from.Member.Name, strong}}
		for _, to := range p.survey.Findings {
			row = append(row, p.link(from.Member.Name, to.Member.Name))
		}
		t.add(row...)
	}
	return t
}

func (p *statusPage) link(from, to string) cell {
	if from == to {
		return cell{"-", faint}
	}
	l := p.survey.link(from, to)
	if l == nil {
		return cell{"unknown", caution}
	}
	return linkCell(l)
}

// linkCell shows one direction of a link.
func linkCell(l *client.Link) cell {
	switch {
	case l.State == "up" && l.RoundTripMS != nil:
		return cell{fmt.Sprintf("up %.1f ms", *l.RoundTripMS), good}
	case l.State == "up":
		return cell{"up", good}
	case len(l.Faults) > 0:
		return cell{l.State + " by chaos", bad}
	}
	return cell{l.State, bad}
}

// link is what is known of one direction: from an end of it, before what a
// third member has heard. Nil: nobody tells.
func (v *survey) link(from, to string) *client.Link {
	var hearsay *client.Link
	for _, end := range []string{from, to} {
		f := v.find(end)
		if f == nil || f.Links == nil {
			continue
		}
		for i := range f.Links.Links {
			l := &f.Links.Links[i]
			if l.From != from || l.To != to {
				continue
			}
			if !l.Hearsay {
				return l
			}
			hearsay = l
		}
	}
	return hearsay
}

// memberJSON is a member in the status as JSON.
type memberJSON struct {
	Name         string            `json:"name"`
	Role         string            `json:"role"`
	API          string            `json:"api"`
	Answered     bool              `json:"answered"`
	UnknownSince *time.Time        `json:"unknown_since"`
	Error        string            `json:"error,omitempty"`
	Cluster      *client.Cluster   `json:"cluster"`
	Links        []client.Link     `json:"links"`
	Votes        *client.VoteState `json:"votes"`
}

// statusOutput is the status as JSON. What is not known is null.
type statusOutput struct {
	Time          time.Time    `json:"time"`
	Cluster       string       `json:"cluster"`
	Node          string       `json:"node"`
	CanWrite      bool         `json:"can_write"`
	Cause         string       `json:"cause"`
	WritableNodes []string     `json:"writable_nodes"`
	Hearsay       bool         `json:"writable_nodes_hearsay"`
	Spare         *int         `json:"more_failures_allowed"`
	Conflicts     *int64       `json:"conflicts_open"`
	Members       []memberJSON `json:"members"`
}

func statusJSON(v *survey) statusOutput {
	w := v.Asked.Write
	out := statusOutput{
		Time: v.At, Cluster: v.Asked.Cluster, Node: v.Asked.Name,
		CanWrite: w.State == stateWritable || w.State == stateOverride, Cause: w.Cause,
		Spare: v.spare(), Conflicts: v.conflicts(),
	}
	out.WritableNodes, out.Hearsay = v.writableNodes()
	for i := range v.Findings {
		f := &v.Findings[i]
		m := memberJSON{Name: f.Member.Name, Role: f.Member.Role, API: f.Member.API, Answered: f.Cluster != nil, Cluster: f.Cluster, Votes: f.Votes}
		if f.Err != nil {
			m.Error = f.Err.Error()
		}
		if f.Cluster == nil && !f.Since.IsZero() {
			m.UnknownSince = &f.Since
		}
		if f.Links != nil {
			m.Links = f.Links.Links
		}
		out.Members = append(out.Members, m)
	}
	return out
}
