package wire

import (
	"errors"
	"fmt"

	"github.com/syncline/syncline/vclock"
)

// MaxBuild is the longest name of a build, in bytes.
const MaxBuild = 128

// Role is what a process is in its cluster.
type Role string

// The roles.
const (
	RoleData    Role = "data"    // votes and takes writes
	RoleWitness Role = "witness" // votes and stores no documents
	RoleReplica Role = "replica" // stores and serves reads, without a vote
)

// Hello is how two processes present themselves, in the question and in the
// answer. Version stands first, so that two builds that differ in it can say
// so whatever else has changed.
type Hello struct {
	Version  int           `cbor:"version"`
	Cluster  string        `cbor:"cluster"`
	Epoch    uint64        `cbor:"epoch"` // of the roster
	Name     string        `cbor:"name"`
	Role     Role          `cbor:"role"`
	Build    string        `cbor:"build"`
	Life     Life          `cbor:"life"`
	Standing Standing      `cbor:"standing,omitempty"` // not of a witness
	Actor    vclock.Actor  `cbor:"actor,omitempty"`    // not of a witness
	Frontier vclock.Vector `cbor:"frontier"`
}

// Check says what of a hello that came from outside is out of bounds, and
// whether its version is another one.
func (h *Hello) Check() error {
	if h.Version != Version {
		return fmt.Errorf("hello: %.32s speaks version %d of the peer protocol, this build version %d: run builds that agree", h.Name, h.Version, Version)
	}
	errs := []error{checkCluster(h.Cluster), vclock.CheckNodeName(h.Name), checkFrontier(h.Frontier)}
	if len(h.Build) > MaxBuild {
		errs = append(errs, fmt.Errorf("build of %d bytes: at most %d", len(h.Build), MaxBuild))
	}
	switch h.Role {
	case RoleData, RoleReplica:
		errs = append(errs, h.Standing.Check(), checkActor(h.Actor, h.Name))
	case RoleWitness:
		if h.Standing != "" || h.Actor != "" {
			errs = append(errs, errors.New("a witness has neither standing nor actor"))
		}
	default:
		errs = append(errs, fmt.Errorf("role %.40q: want %s, %s or %s", string(h.Role), RoleData, RoleWitness, RoleReplica))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	return nil
}
