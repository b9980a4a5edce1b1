package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncline/syncline/client"
)

// patience is how long one member may take to answer before it counts as
// silent.
const patience = 2 * time.Second

// Roles of members.
const (
	roleData    = "data"
	roleWitness = "witness"
)

// States of nodes, as they say themselves.
const (
	stateWritable = "writable"
	stateOverride = "override"
)

// finding is what one member says of itself, asked at its own address. During a
// cut the asker often reaches both sides, so nobody is asked about another.
type finding struct {
	Member  client.Member
	Cluster *client.Cluster   // nil: it did not answer
	Links   *client.Links     // nil: it did not answer, or was not asked
	Votes   *client.VoteState // nil: it did not answer, or was not asked
	Err     error             // why Cluster is nil
	// Since is since when it has been silent, as far as the asker knows; zero
	// when it answered.
	Since time.Time
}

// survey is what all members say at one moment.
type survey struct {
	At       time.Time
	Asked    *client.Cluster // of the node that told the roster
	Findings []finding       // in the order of the roster
}

// surveyor asks all members, again and again.
type surveyor struct {
	client *client.Client
	links  bool // ask for links too
	votes  bool // ask for votes too
	silent map[string]time.Time
}

// ask finds the roster through one node, and asks each of its members.
func (s *surveyor) ask(ctx context.Context) (*survey, error) {
	asked, err := s.client.Cluster(ctx)
	if err != nil {
		return nil, err
	}
	out := &survey{At: time.Now(), Asked: asked, Findings: make([]finding, len(asked.Roster.Members))}
	var group sync.WaitGroup
	for i, m := range asked.Roster.Members {
		out.Findings[i].Member = m
		group.Go(func() { s.fill(ctx, &out.Findings[i]) })
	}
	group.Wait()
	s.remember(out)
	return out, ctx.Err()
}

var errNoAPI = errors.New("it has no API address in the roster")

// fill asks one member.
func (s *surveyor) fill(ctx context.Context, f *finding) {
	if f.Member.API == "" {
		f.Err = errNoAPI
		return
	}
	c, err := s.client.At(f.Member.API)
	if err != nil {
		f.Err = err
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if f.Cluster, f.Err = c.Cluster(ctx); f.Err != nil {
		return
	}
	if s.links {
		f.Links = optional(c.Links(ctx))
	}
	if s.votes {
		f.Votes = optional(c.Votes(ctx))
	}
}

// optional leaves out what a member that answered otherwise does not tell: what
// nobody tells is shown as unknown.
func optional[T any](v *T, err error) *T {
	if err != nil {
		return nil
	}
	return v
}

// remember notes since when a member has been silent.
func (s *surveyor) remember(v *survey) {
	if s.silent == nil {
		s.silent = map[string]time.Time{}
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Cluster != nil {
			delete(s.silent, f.Member.Name)
			continue
		}
		if s.silent[f.Member.Name].IsZero() {
			s.silent[f.Member.Name] = v.At
		}
		if heard := v.lostBy(f.Member.Name); !heard.IsZero() && heard.Before(s.silent[f.Member.Name]) {
			s.silent[f.Member.Name] = heard
		}
		f.Since = s.silent[f.Member.Name]
	}
}

// lostBy is since when others have not reached a member, the longest; zero when
// none of them says so.
func (v *survey) lostBy(name string) time.Time {
	var longest time.Time
	note := func(since time.Time) {
		if !since.IsZero() && (longest.IsZero() || since.Before(longest)) {
			longest = since
		}
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Cluster == nil {
			continue
		}
		for _, p := range f.Cluster.Peers {
			if p.Name == name && !p.Reachable {
				note(p.Since)
			}
		}
		if f.Links == nil {
			continue
		}
		for _, l := range f.Links.Links {
			if l.From == f.Member.Name && l.To == name && l.State != "up" {
				note(l.Since)
			}
		}
	}
	return longest
}

// find is what a member said, nil when it is not in the roster.
func (v *survey) find(name string) *finding {
	i := slices.IndexFunc(v.Findings, func(f finding) bool { return f.Member.Name == name })
	if i < 0 {
		return nil
	}
	return &v.Findings[i]
}

// address is the base URL of a member.
func address(m client.Member) string {
	if m.API == "" {
		return ""
	}
	return "http://" + m.API
}

// writable says whether a member says that it takes writes.
func (f *finding) writable() bool {
	return f.Cluster != nil && f.Member.Role == roleData &&
		(f.Cluster.Write.State == stateWritable || f.Cluster.Write.State == stateOverride)
}

// spare is how many more voters can be lost before the last writable node stops
// taking writes: the votes that it has beyond those that it needs. Nil when no
// node is known to be writable.
func (v *survey) spare() *int {
	var best *int
	for i := range v.Findings {
		f := &v.Findings[i]
		if !f.writable() {
			continue
		}
		votes := f.Cluster.Write.Votes
		if n := max(0, votes.Have-votes.Need); best == nil || n > *best {
			best = &n
		}
	}
	return best
}

// writableNodes are the addresses of the nodes that say of themselves that they
// take writes. Where none does, those that others name are hearsay.
func (v *survey) writableNodes() (urls []string, hearsay bool) {
	for i := range v.Findings {
		if f := &v.Findings[i]; f.writable() {
			urls = append(urls, address(f.Member))
		}
	}
	if len(urls) > 0 {
		return urls, false
	}
	for i := range v.Findings {
		if c := v.Findings[i].Cluster; c != nil {
			urls = append(urls, c.Write.WritableNodes...)
		}
	}
	slices.Sort(urls)
	return slices.Compact(urls), true
}

// conflicts is the largest number of open conflicts that a node tells of, nil
// when no node tells any.
func (v *survey) conflicts() *int64 {
	var most *int64
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Cluster == nil || f.Member.Role == roleWitness {
			continue
		}
		if n := f.Cluster.Conflicts.Open; most == nil || n > *most {
			most = &n
		}
	}
	return most
}

// lacks is what a node lacks, the worst over its peers. It is unknown as soon
// as it is unknown for one of them.
func lacks(c *client.Cluster) client.Lag {
	var worst client.Lag
	zero, none := uint64(0), 0.0
	worst.Versions, worst.Seconds = &zero, &none
	for _, p := range c.Peers {
		l := p.NodeLacks
		switch {
		case l.Versions == nil:
			if worst.Versions != nil || worst.UnknownSince != nil && l.UnknownSince != nil && l.UnknownSince.Before(*worst.UnknownSince) {
				worst = l
			}
		case worst.Versions != nil && *l.Versions > *worst.Versions:
			worst = l
		}
	}
	return worst
}

// causes are the reasons of a read-only node, in words.
func causeInWords(cause string) string {
	switch cause {
	case "no_majority":
		return "no majority of votes"
	case "catching_up":
		return "it is catching up with the others"
	case "disk_low":
		return "its disk is nearly full"
	case "clock":
		return "its clock is wrong"
	case "":
		return "it did not say why"
	}
	return strings.ReplaceAll(cause, "_", " ")
}
