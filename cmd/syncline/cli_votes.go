package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// shownEvents is how many of the latest entries of a log of votes are shown in
// the table, newest first; JSON has all.
const shownEvents = 8

// endless is what no lease can have left, in milliseconds: a vote that does not
// end is shown so.
const endless = int64(24 * time.Hour / time.Millisecond)

// newVotesCommand shows who votes for whom, and why not.
func newVotesCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "votes", Short: "Which votes each node holds, until when, and why it lacks others", Args: exactArgs(0),
		Annotations: map[string]string{watchable: "yes"},
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			s := &surveyor{client: r.client, votes: true}
			return r.show(ctx, func(ctx context.Context, r *remote) error {
				v, err := s.ask(ctx)
				if err != nil {
					return err
				}
				return r.showVotes(v)
			})
		}),
	}
}

// memberVotes is what one member says of votes.
type memberVotes struct {
	Name         string            `json:"name"`
	Role         string            `json:"role"`
	UnknownSince *time.Time        `json:"unknown_since"`
	Votes        *client.VoteState `json:"votes"`
}

func (v *survey) allVotes() []memberVotes {
	var out []memberVotes
	for i := range v.Findings {
		f := &v.Findings[i]
		m := memberVotes{Name: f.Member.Name, Role: f.Member.Role, Votes: f.Votes}
		if f.Votes == nil {
			since := f.Since
			if since.IsZero() {
				since = v.At
			}
			m.UnknownSince = &since
		}
		out = append(out, m)
	}
	return out
}

func (r *remote) showVotes(v *survey) error {
	all := v.allVotes()
	switch r.output {
	case asJSON:
		return r.json(struct {
			Members []memberVotes `json:"members"`
		}{all})
	case asNDJSON:
		for _, m := range all {
			if err := r.json(m); err != nil {
				return err
			}
		}
		return nil
	}
	for i, m := range all {
		if i > 0 {
			fmt.Fprintln(r.out)
		}
		if err := r.showMemberVotes(&m, v.At); err != nil {
			return err
		}
	}
	return nil
}

// showMemberVotes shows one member's votes and the end of its log.
func (r *remote) showMemberVotes(m *memberVotes, now time.Time) error {
	if m.Votes == nil {
		_, err := fmt.Fprintf(r.out, "%s (%s): unknown since %s\n", printable(m.Name), m.Role, clock(*m.UnknownSince))
		return err
	}
	fmt.Fprintln(r.out, printable(votesLine(m)))
	for _, alert := range m.Votes.Alerts {
		fmt.Fprintln(r.out, paint("  ! "+printable(alert), caution, r.colour))
	}
	who := "VOTE OF"
	if m.Role == roleWitness {
		who = "GIVEN TO"
	}
	t := table{head: []string{" ", who, "GRANTED", "LEASE", "LAST HEARD", "ROUND TRIP", "REASON"}}
	for _, voter := range m.Votes.Voters {
		t.add(text(" "), text(voter.Name), grantCell(&voter), leaseCell(&voter), text(ago(voter.LastHeard, now)), text(roundTrip(m, &voter)), text(voter.Reason))
	}
	if err := t.write(r.out, r.colour); err != nil {
		return err
	}
	log := slices.SortedFunc(slices.Values(m.Votes.Log), func(a, b client.VoteEvent) int { return b.Time.Compare(a.Time) })
	for _, e := range log[:min(shownEvents, len(log))] {
		line := fmt.Sprintf("    %s  %s: %s to %s  %s", clock(e.Time), e.Kind, e.Voter, e.To, e.Reason)
		fmt.Fprintln(r.out, paint(printable(line), faint, r.colour))
	}
	return nil
}

// votesLine sums a member's votes up.
func votesLine(m *memberVotes) string {
	line := fmt.Sprintf("%s (%s)", m.Name, m.Role)
	if m.Votes.State != "" {
		line += ": " + m.Votes.State
	}
	if m.Role == roleWitness {
		return line
	}
	line += fmt.Sprintf(", %d of %d votes, needs %d", m.Votes.Votes.Have, m.Votes.Votes.Of, m.Votes.Votes.Need)
	if m.Votes.ExpiresInMS > 0 && m.Votes.ExpiresInMS <= endless {
		line += fmt.Sprintf(", %.1f s left", float64(m.Votes.ExpiresInMS)/1000)
	}
	return line
}

func grantCell(v *client.Voter) cell {
	if v.Granted {
		return cell{"yes", good}
	}
	return cell{"no", bad}
}

func leaseCell(v *client.Voter) cell {
	switch {
	case !v.Granted || v.ExpiresInMS <= 0:
		return text("")
	case v.ExpiresInMS > endless:
		return text("no end") // a node's own vote
	}
	return text(fmt.Sprintf("%.1f s left", float64(v.ExpiresInMS)/1000))
}

// roundTrip shows how long the last ballot and its answer took. There is none to
// oneself, and the witness sends none.
func roundTrip(m *memberVotes, v *client.Voter) string {
	switch {
	case m.Name == v.Name || m.Role == roleWitness:
		return ""
	case v.RoundTripMS == nil:
		return "unknown"
	}
	return fmt.Sprintf("%.1f ms", *v.RoundTripMS)
}
