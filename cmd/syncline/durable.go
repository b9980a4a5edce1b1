package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncline/syncline/node/peer"
)

const (
	// purposeFolder derives what a folder keeps of the secret, to know it again.
	purposeFolder peer.Purpose = "folder"
	// folderKey is the length of that, in bytes.
	folderKey = 16
)

// durable is what a process keeps in its own folder from its first start on:
// who its cluster is. The configuration file counts once; a file that differs
// later is reported, not obeyed, since who votes is decided by the cluster and
// not by whoever edits a file.
type durable struct {
	Roster roster `json:"roster"`
	Secret string `json:"secret"` // derived from the cluster secret, to know it again
}

// firstDurable is what the first start writes.
func firstDurable(r roster, secret peer.Secret) (durable, error) {
	key, err := peer.DeriveKey(secret, purposeFolder, folderKey)
	return durable{Roster: r, Secret: hex.EncodeToString(key)}, err
}

func (d durable) encode() ([]byte, error) { return json.Marshal(d) }

// decodeDurable reads what a former start wrote.
func decodeDurable(text []byte) (durable, error) {
	var d durable
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("what the folder says of its cluster cannot be read: %w", err)
	}
	return d, nil
}

// against says whether a process may use a folder that keeps d, and in words
// where the file's roster is not the one that the folder keeps.
func (d durable) against(fresh durable, name string) (differs []string, err error) {
	switch m, ok := d.Roster.member(name); {
	case d.Roster.Cluster != fresh.Roster.Cluster:
		return nil, fmt.Errorf("the folder belongs to cluster %s, not to %s: give this process a folder of its own", d.Roster.Cluster, fresh.Roster.Cluster)
	case d.Secret != fresh.Secret:
		return nil, errors.New("the cluster secret is not the one that this folder was made with: compare the secret files of all processes")
	case !ok:
		return nil, fmt.Errorf("the folder's roster has no member %s: give this process a folder of its own", name)
	default:
		if f, _ := fresh.Roster.member(name); f.Role != m.Role {
			return nil, fmt.Errorf("the folder was made by a %s named %s: give this process a folder of its own", m.Role, name)
		}
	}
	if err := d.Roster.votes().Check(); err != nil {
		return nil, fmt.Errorf("what the folder says of its cluster is wrong: %w", err)
	}
	return d.Roster.differences(fresh.Roster), nil
}
