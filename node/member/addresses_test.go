package member

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	a := newAddresses(func() []Contact {
		return []Contact{{Name: "a", Gossip: "127.0.0.1:7421"}, {Name: "b", Gossip: "localhost:7422"}, {Name: "w"}}
	})
	at := func(s string) string {
		t.Helper()
		return a.nameOf(net.UDPAddrFromAddrPort(netip.MustParseAddrPort(s)))
	}
	if got := at("127.0.0.1:7421"); got != "" {
		t.Errorf("before it was looked up, an address is %q's", got)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := a.resolve(t.Context(), *a.contact(name)); err != nil {
			t.Error(err)
		}
	}
	if got := at("127.0.0.1:7421"); got != "a" {
		t.Errorf("a's address is %q's", got)
	}
	if got := at("[::ffff:127.0.0.1]:7421"); got != "a" {
		t.Errorf("a's address in its IPv6 spelling is %q's", got)
	}
	a.learn(netip.MustParseAddrPort("10.0.0.1:1"), "a")
	if old, got := at("127.0.0.1:7421"), at("10.0.0.1:1"); old != "" || got != "a" {
		t.Errorf("a has moved, but the old address is %q's and the new one %q's", old, got)
	}
	for _, name := range []string{"w", "stranger"} {
		a.learn(netip.MustParseAddrPort("10.0.0.2:1"), name)
		if got := at("10.0.0.2:1"); got != "" {
			t.Errorf("%s, which does not gossip, has an address", got)
		}
	}
	for hostport, want := range map[string]string{"nowhere": "missing port", "127.0.0.1:http": "want a number", "127.0.0.1:70000": "want a number"} {
		if _, err := a.resolve(t.Context(), Contact{Name: "a", Gossip: hostport}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", hostport, err, want)
		}
	}
}
