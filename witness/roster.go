package witness

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncline/syncline/vclock"
)

// MaxData is the most data nodes that a roster may have.
const MaxData = 15

// Voter is a data node of the roster.
type Voter struct {
	Name     string
	Priority int // the higher side of an even split wins
}

// Roster says who votes.
type Roster struct {
	Cluster string
	Epoch   uint64
	Data    []Voter
	Witness string // name of the witness; empty: there is none
}

// Check says what is wrong with a roster.
func (r Roster) Check() error {
	if r.Cluster == "" {
		return errors.New("roster: the cluster's id is missing")
	}
	if len(r.Data) == 0 || len(r.Data) > MaxData {
		return fmt.Errorf("roster: %d data nodes: want 1 to %d", len(r.Data), MaxData)
	}
	seen := map[string]bool{}
	for _, name := range r.Names() {
		if err := vclock.CheckNodeName(name); err != nil {
			return fmt.Errorf("roster: %w", err)
		}
		if seen[name] {
			return fmt.Errorf("roster: %s stands in it twice", name)
		}
		seen[name] = true
	}
	return nil
}

// Names are the names of all voters: the data nodes in the order of the
// roster, then the witness.
func (r Roster) Names() []string {
	names := make([]string, 0, len(r.Data)+1)
	for _, v := range r.Data {
		names = append(names, v.Name)
	}
	if r.Witness != "" {
		names = append(names, r.Witness)
	}
	return names
}

// WitnessVotes says whether the witness has a vote: only with an even number
// of data nodes. With an odd number it is a spare.
func (r Roster) WitnessVotes() bool { return r.Witness != "" && len(r.Data)%2 == 0 }

// Votes is the number of votes there are.
func (r Roster) Votes() int {
	if r.WitnessVotes() {
		return len(r.Data) + 1
	}
	return len(r.Data)
}

// Majority is M: the votes that make a data node writable.
func (r Roster) Majority() int { return r.Votes()/2 + 1 }

// Sorted is the roster with its data nodes in the order of their names, as the
// machines number them. It shares nothing with r.
func (r Roster) Sorted() Roster {
	r.Data = slices.SortedFunc(slices.Values(r.Data), func(a, b Voter) int { return strings.Compare(a.Name, b.Name) })
	return r
}

// Index is the place of a data node, -1 when it has none.
func (r Roster) Index(name string) int {
	return slices.IndexFunc(r.Data, func(v Voter) bool { return v.Name == name })
}
