package rest

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/syncline/syncline/node"
)

// preflightAge is how long a browser may keep the answer to a preflight, in
// seconds.
const preflightAge = "600"

// Headers that the cluster's own pages may send and read: all of API.md.
const (
	corsAllowed = "Accept, Authorization, Causal-Context, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, Session"
	corsExposed = "Accept-Patch, Allow, Causal-Context, Conflict-Count, Conflict-Reason, ETag, Link, Location, Node, Preference-Applied, Replication-Lag, Retry-After, Session, Write-State"
	corsMethods = "GET, HEAD, PUT, PATCH, POST, DELETE"
)

// The values of headers are shared by all replies and never written to.
var (
	exposedValue = []string{corsExposed}
	allowedValue = []string{corsAllowed}
	methodsValue = []string{corsMethods}
	ageValue     = []string{preflightAge}
)

// origins knows the names under which this cluster is reached. A page of
// another site that had its own name resolve to our address (DNS rebinding)
// still sends its own name as Host.
type origins struct {
	hosts   map[string]bool // names and addresses without port, lower case
	anyIP   bool            // bound to all addresses: any literal address may be ours
	allowed map[string]bool // origins of the cluster's own pages
}

func newOrigins(roster Roster, listen []string) *origins {
	o := &origins{
		hosts:   map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true},
		allowed: map[string]bool{},
	}
	for _, m := range roster.Members {
		o.add(m.API)
	}
	for _, address := range listen {
		o.add(address)
	}
	return o
}

func (o *origins) add(address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return // a member without an API
	}
	host = strings.ToLower(host)
	hosts := []string{host}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		o.anyIP = o.anyIP || ip.IsUnspecified()
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	for _, h := range hosts {
		o.hosts[h] = true
		o.allowed["http://"+net.JoinHostPort(h, port)] = true
		o.allowed["https://"+net.JoinHostPort(h, port)] = true
	}
}

// knows says whether a Host header names this cluster. The port does not
// count: it may be mapped on the way, and rebinding is about names.
func (o *origins) knows(hostport string) bool {
	host := hostport
	if i := strings.LastIndexByte(hostport, ':'); i >= 0 && !strings.HasSuffix(hostport, "]") {
		host = hostport[:i]
	}
	if o.hosts[host] {
		return true
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if o.hosts[host] {
		return true
	}
	if !o.anyIP {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// admit looks at where a request comes from. It returns true when it has
// answered: a preflight.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (answered bool, err error) {
	if !s.origins.knows(r.Host) {
		return false, &node.Error{Op: "host", Kind: ForbiddenHost, Err: errors.New("the request names a host that is none of this cluster's; use an address of the roster, or a loopback name")}
	}
	origin := r.Header["Origin"]
	if origin != nil {
		// Not on other replies: none of them may be used again without asking,
		// and then this one's headers count.
		w.Header()["Vary"] = valueOrigin
	}
	if len(origin) == 1 && s.origins.allowed[origin[0]] {
		h := w.Header()
		h["Access-Control-Allow-Origin"] = origin
		h["Access-Control-Expose-Headers"] = exposedValue
		if r.Method == http.MethodOptions && r.Header["Access-Control-Request-Method"] != nil {
			h["Access-Control-Allow-Methods"] = methodsValue
			h["Access-Control-Allow-Headers"] = allowedValue
			h["Access-Control-Max-Age"] = ageValue
			w.WriteHeader(http.StatusNoContent)
			return true, nil
		}
	}
	if s.cross.Check(r) != nil {
		return false, &node.Error{Op: "origin", Kind: CrossOrigin, Err: errors.New("a browser sent this from a page of another site; only the cluster's own pages may write")}
	}
	return false, nil
}
