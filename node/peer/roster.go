package peer

import (
	"fmt"
	"net"
)

// Member is a process as the roster has it.
type Member struct {
	Name string
	Role Role
	Addr string // host:port of its peer port; only the client needs it
}

// Roster looks a member up by name. It is asked for every connection and every
// request, so a removed member is out at once.
type Roster func(name string) (Member, bool)

// judge says whether the roster has a process of this cluster as it claims.
func (lookup Roster) judge(id Identity) error {
	member, ok := lookup(id.Name)
	switch {
	case !ok:
		return &RefusedError{Reason: NotInRoster, Detail: fmt.Sprintf("the roster has no member %s", id.Name)}
	case member.Role != id.Role:
		return &RefusedError{Reason: WrongRole, Detail: fmt.Sprintf("%s runs as %s, the roster has it as %s", id.Name, id.Role, member.Role)}
	}
	return nil
}

// host is the address without the port, which differs from call to call.
func host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}
