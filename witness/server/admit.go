package server

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/syncline/syncline/node"
)

// Headers that the cluster's own pages may send to and read from a witness.
const (
	corsAllowed = "Accept, Authorization, Content-Type, Last-Event-ID"
	corsExposed = "Allow, Location, Node"
	corsMethods = "GET, HEAD, POST, DELETE"
	corsAge     = "600" // how long a browser may keep a preflight's answer, in seconds
)

// hosts are the names under which this cluster is reached. A page of another
// site that had its own name resolve to our address (DNS rebinding) still sends
// its own name as Host.
type hosts struct {
	names   map[string]bool // and addresses, without port, in lower case
	anyIP   bool            // bound to all addresses: any literal one may be ours
	origins map[string]bool // of the cluster's own pages
}

func newHosts(members []Member, listen []string) hosts {
	h := hosts{names: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}, origins: map[string]bool{}}
	for _, m := range members {
		h.add(m.API)
	}
	for _, address := range listen {
		h.add(address)
	}
	return h
}

// protection refuses what a browser sends from a foreign page. The cluster's
// own pages, which every data node serves, are none: a cut is set on both ends.
func (h *hosts) protection() (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	for origin := range h.origins {
		if err := p.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (h *hosts) add(address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return // a member without an API
	}
	all := []string{strings.ToLower(host)}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		h.anyIP = h.anyIP || ip.IsUnspecified()
		all = []string{"localhost", "127.0.0.1", "::1"}
	}
	for _, name := range all {
		h.names[name] = true
		h.origins["http://"+net.JoinHostPort(name, port)] = true
		h.origins["https://"+net.JoinHostPort(name, port)] = true
	}
}

// knows says whether a Host header names this cluster. The port does not
// count: it may be mapped on the way.
func (h *hosts) knows(hostport string) bool {
	host := hostport
	if only, _, err := net.SplitHostPort(hostport); err == nil {
		host = only
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if h.names[host] || !h.anyIP {
		return h.names[host]
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// admit looks at where a request comes from. It returns true when it has
// answered: a preflight.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (answered bool, err error) {
	if !s.hosts.knows(r.Host) {
		return false, &node.Error{Op: "host", Kind: forbiddenHost, Err: errors.New("the request names a host that is none of this cluster's; use an address of the roster, or a loopback name")}
	}
	h := w.Header()
	h.Set("Vary", "Origin")
	if origin := r.Header.Get("Origin"); s.hosts.origins[origin] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", corsExposed)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", corsMethods)
			h.Set("Access-Control-Allow-Headers", corsAllowed)
			h.Set("Access-Control-Max-Age", corsAge)
			w.WriteHeader(http.StatusNoContent)
			return true, nil
		}
	}
	if s.cross.Check(r) != nil {
		return false, &node.Error{Op: "origin", Kind: crossOrigin, Err: errors.New("a browser sent this from a page of another site; only the cluster's own pages may write")}
	}
	return false, nil
}
