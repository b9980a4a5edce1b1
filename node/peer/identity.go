package peer

import (
	"fmt"
	"strings"

	"github.com/syncline/syncline/vclock"
)

// Role is what a process does in its cluster.
type Role string

// The roles.
const (
	Data    Role = "data"
	Replica Role = "replica"
	Witness Role = "witness"
)

// MaxCluster is the longest cluster id, in bytes.
const MaxCluster = 64

// identityScheme begins the URI of every identity.
const identityScheme = "syncline://"

// Identity is what a certificate says of a process.
type Identity struct {
	Cluster string
	Role    Role
	Name    string
}

// CheckCluster says whether a cluster id can stand in a certificate.
func CheckCluster(id string) error {
	if id == "" || len(id) > MaxCluster {
		return fmt.Errorf("cluster id %.70q: want 1 to %d characters", id, MaxCluster)
	}
	for i := range len(id) {
		c := id[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '_') {
			return fmt.Errorf("cluster id %q: want a letter or digit, then letters, digits, hyphens and underscores", id)
		}
	}
	return nil
}

// ParseIdentity reads the URI form. It refuses every other spelling.
func ParseIdentity(uri string) (Identity, error) {
	rest, ok := strings.CutPrefix(uri, identityScheme)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 {
		return Identity{}, fmt.Errorf("identity %.120q: want syncline://cluster/role/name", uri)
	}
	id := Identity{Cluster: parts[0], Role: Role(parts[1]), Name: parts[2]}
	if err := id.check(); err != nil {
		return Identity{}, fmt.Errorf("identity %.120q: %w", uri, err)
	}
	return id, nil
}

func (id Identity) check() error {
	if err := CheckCluster(id.Cluster); err != nil {
		return err
	}
	switch id.Role {
	case Data, Replica, Witness:
	default:
		return fmt.Errorf("role %.20q: one of data, replica, witness", id.Role)
	}
	return vclock.CheckNodeName(id.Name)
}

// String returns the URI form.
func (id Identity) String() string {
	return identityScheme + id.Cluster + "/" + string(id.Role) + "/" + id.Name
}
