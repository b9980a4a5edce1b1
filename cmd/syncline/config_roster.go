package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/vclock"
)

// maxPriority bounds the priority of a data node, up and down.
const maxPriority = 1_000_000

// readRoster takes the list of members.
func (d *document) readRoster(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return d.errorAt(n.Line, "roster: want a list of members, such as `- {name: a, role: data, api: 127.0.0.1:7401, peer: 127.0.0.1:7411, gossip: 127.0.0.1:7421}`")
	}
	for _, item := range n.Content {
		m, err := d.readMember(item)
		if err != nil {
			return err
		}
		d.members, d.memberLines = append(d.members, m), append(d.memberLines, item.Line)
	}
	return nil
}

func (d *document) readMember(n *yaml.Node) (roleMember, error) {
	var m roleMember
	err := d.fields(n, "roster", func(key, value *yaml.Node) error {
		text, err := d.text(value, "roster: "+key.Value)
		if err != nil {
			return err
		}
		switch key.Value {
		case "name":
			m.Name, err = text, vclock.CheckNodeName(text)
		case "role":
			m.Role, err = parseRole(text)
		case "priority":
			m.Priority, err = parsePriority(text)
		case "api":
			m.API, err = text, checkDialled(text)
		case "peer":
			m.Peer, err = text, checkDialled(text)
		case "gossip":
			m.Gossip, err = text, checkDialled(text)
		default:
			err = errors.New("unknown key: one of name, role, api, peer, gossip, priority")
		}
		if err != nil {
			return d.errorAt(value.Line, "roster: %s: %w", key.Value, err)
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	for _, must := range []struct {
		key     string
		missing bool
	}{{"name", m.Name == ""}, {"role", m.Role == ""}, {"peer", m.Peer == ""}, {"api", m.API == "" && m.Role == peer.Data}} {
		if must.missing {
			return m, d.errorAt(n.Line, "roster: a member without %s", must.key)
		}
	}
	return m, nil
}

func parseRole(text string) (peer.Role, error) {
	switch role := peer.Role(text); role {
	case peer.Data, peer.Witness:
		return role, nil
	case peer.Replica:
		return "", errors.New("replicas are not built yet: one of data, witness")
	}
	return "", fmt.Errorf("%q: one of data, witness", text)
}

func parsePriority(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n > maxPriority || n < -maxPriority {
		return 0, fmt.Errorf("%q: want a whole number from %d to %d", text, -maxPriority, maxPriority)
	}
	return n, nil
}

// checkDialled refuses what nobody can dial.
func checkDialled(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return fmt.Errorf("%q: want host:port, as others dial it", address)
	}
	return checkPort(address, port)
}

// checkBound refuses what cannot be bound; without a host it is all addresses.
func checkBound(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q: want host:port", address)
	}
	return checkPort(address, port)
}

func checkPort(address, port string) error {
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q: want a port from 1 to 65535", address)
	}
	return nil
}

// readListen takes what is bound where it differs from what is dialled.
func (d *document) readListen(n *yaml.Node) error {
	return d.fields(n, "listen", func(name, value *yaml.Node) error {
		var l addresses
		what := "listen: " + name.Value
		err := d.fields(value, what, func(key, v *yaml.Node) error {
			place := map[string]*string{"api": &l.API, "peer": &l.Peer, "gossip": &l.Gossip}[key.Value]
			if place == nil {
				return d.errorAt(key.Line, "%s: unknown key %q: one of api, peer, gossip", what, key.Value)
			}
			text, err := d.text(v, what+": "+key.Value)
			if err != nil {
				return err
			}
			if err := checkBound(text); err != nil {
				return d.errorAt(v.Line, "%s: %s: %w", what, key.Value, err)
			}
			*place = text
			return nil
		})
		d.listen[name.Value], d.listenLines[name.Value] = l, name.Line
		return err
	})
}

// checkRoster looks at what only the whole roster can show.
func (d *document) checkRoster(cluster string) error {
	if len(d.members) == 0 {
		return fmt.Errorf("%s: roster is missing", d.file)
	}
	names, taken, witness := map[string]bool{}, map[string]string{}, ""
	for i, m := range d.members {
		line := d.memberLines[i]
		if names[m.Name] {
			return d.errorAt(line, "roster: %s stands in it twice", m.Name)
		}
		names[m.Name] = true
		if m.Role == peer.Witness {
			if witness != "" {
				return d.errorAt(line, "roster: %s is a second witness beside %s: there is at most one", m.Name, witness)
			}
			witness = m.Name
		}
		for _, address := range []string{m.API, m.Peer, m.Gossip} {
			if other, ok := taken[address]; ok && address != "" {
				return d.errorAt(line, "roster: %s has the address %s, which %s has too", m.Name, address, other)
			}
			taken[address] = m.Name
		}
	}
	for name, line := range d.listenLines {
		if !names[name] {
			return d.errorAt(line, "listen: the roster has no member %s", name)
		}
	}
	r := roster{Cluster: cluster, Epoch: firstEpoch, Members: d.members}
	if err := r.votes().Check(); err != nil {
		return d.errorAt(d.memberLines[0], "%w", err)
	}
	return nil
}
