package main

import (
	"fmt"
	"slices"

	"github.com/syncline/syncline/node/member"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/witness"
)

// firstEpoch is the epoch of the roster that a file brings at the first start.
const firstEpoch = 1

// addresses are where a process is reached, host:port. Empty: it is not.
type addresses struct {
	API    string `json:"api,omitempty"`
	Peer   string `json:"peer,omitempty"`
	Gossip string `json:"gossip,omitempty"`
}

// roleMember is one process of the roster.
type roleMember struct {
	Name string    `json:"name"`
	Role peer.Role `json:"role"`
	addresses
	Priority int `json:"priority,omitempty"` // the higher side of an even split wins
}

// roster is the list of processes, as it is kept in a process's own folder
// from its first start on.
type roster struct {
	Cluster string       `json:"cluster"`
	Epoch   uint64       `json:"epoch"`
	Members []roleMember `json:"members"`
}

// roster is what the file says.
func (c *config) roster() roster {
	return roster{Cluster: c.cluster, Epoch: firstEpoch, Members: c.members}
}

// member finds a process by name.
func (r roster) member(name string) (roleMember, bool) {
	i := slices.IndexFunc(r.Members, func(m roleMember) bool { return m.Name == name })
	if i < 0 {
		return roleMember{}, false
	}
	return r.Members[i], true
}

// names are the names of all members.
func (r roster) names() []string {
	out := make([]string, 0, len(r.Members))
	for _, m := range r.Members {
		out = append(out, m.Name)
	}
	return out
}

// others are the data nodes beside the one named, by name.
func (r roster) others(self string) []string {
	var out []string
	for _, m := range r.Members {
		if m.Role == peer.Data && m.Name != self {
			out = append(out, m.Name)
		}
	}
	slices.Sort(out)
	return out
}

// votes is the roster as the vote sees it.
func (r roster) votes() witness.Roster {
	out := witness.Roster{Cluster: r.Cluster, Epoch: r.Epoch}
	for _, m := range r.Members {
		switch m.Role {
		case peer.Data:
			out.Data = append(out.Data, witness.Voter{Name: m.Name, Priority: m.Priority})
		case peer.Witness:
			out.Witness = m.Name
		case peer.Replica: // no vote
		}
	}
	return out
}

// peers looks members up for the peer ports.
func (r roster) peers(name string) (peer.Member, bool) {
	m, ok := r.member(name)
	return peer.Member{Name: m.Name, Role: m.Role, Addr: m.Peer}, ok
}

// contacts are the members that gossip: the data nodes.
func (r roster) contacts() []member.Contact {
	var out []member.Contact
	for _, m := range r.Members {
		if m.Role == peer.Data {
			out = append(out, member.Contact{Name: m.Name, Gossip: m.Gossip})
		}
	}
	return out
}

// public is the roster as the API shows it.
func (r roster) public() rest.Roster {
	out := rest.Roster{Epoch: r.Epoch}
	for _, m := range r.Members {
		out.Members = append(out.Members, rest.Member{
			Name: m.Name, Role: string(m.Role), API: m.API, Peer: m.Peer, Priority: m.Priority,
		})
	}
	return out
}

// differences says in words where the file's roster is not the durable one.
func (r roster) differences(file roster) []string {
	var out []string
	for _, m := range r.Members {
		f, ok := file.member(m.Name)
		switch {
		case !ok:
			out = append(out, m.Name+" is missing in the file")
		case f != m:
			out = append(out, fmt.Sprintf("%s is %+v in the file and %+v in force", m.Name, f, m))
		}
	}
	for _, f := range file.Members {
		if _, ok := r.member(f.Name); !ok {
			out = append(out, f.Name+" is new in the file")
		}
	}
	return out
}
