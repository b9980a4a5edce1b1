package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/scripts/chaos"
)

// Issue 5: "network namespaces with nftables …: one-way, port-wise, loss". What a
// member does not hear is dropped where it would come in.
func TestNSRules(t *testing.T) {
	t.Parallel()
	addr := map[string]netip.Addr{}
	for i, name := range []string{"a", "b", "w"} {
		addr[name] = netip.AddrFrom4([4]byte{10, 213, 10, byte(11 + i)})
	}
	rules := func(name string, faults ...*nsFault) []string {
		var out []string
		for line := range strings.Lines(nsRules(name, faults, addr)) {
			if strings.Contains(line, "drop") {
				out = append(out, strings.TrimSpace(line))
			}
		}
		return out
	}
	fault := func(f chaos.Fault) *nsFault { return &nsFault{Fault: f} }
	cut := fault(chaos.Fault{Kind: chaos.Cut, From: "a", To: "b"})
	oneWay := fault(chaos.Fault{Kind: chaos.Cut, From: "a", To: "b", OneWay: true})
	flap := fault(chaos.Fault{Kind: chaos.Flap, From: "a", To: "b"})
	healed := &nsFault{Fault: flap.Fault, off: true}
	for _, test := range []struct {
		name  string
		fault *nsFault
		want  []string
	}{
		{"a", cut, []string{"ip saddr 10.213.10.12 drop"}},
		{"b", cut, []string{"ip saddr 10.213.10.11 drop"}},
		{"w", cut, nil},
		{"a", oneWay, nil},
		{"b", oneWay, []string{"ip saddr 10.213.10.11 drop"}},
		{"b", flap, []string{"ip saddr 10.213.10.11 drop"}},
		{"b", healed, nil},
		{"b", fault(chaos.Fault{Kind: chaos.Lose, From: "b", To: "w", Share: 0.25}), []string{"ip saddr 10.213.10.13 numgen random mod 1000 < 250 drop"}},
		{"b", fault(chaos.Fault{Kind: chaos.Block, From: "a", To: "b", Port: chaos.PortGossip}), []string{
			"ip saddr 10.213.10.11 meta l4proto { tcp, udp } th sport 7421 drop",
			"ip saddr 10.213.10.11 meta l4proto { tcp, udp } th dport 7421 drop",
		}},
	} {
		if got := rules(test.name, test.fault); !slices.Equal(got, test.want) {
			t.Errorf("%s with %s: %q, want %q", test.name, test.fault, got, test.want)
		}
	}
	// A slow link goes over a relay, and nothing goes past it.
	slow := fault(chaos.Fault{Kind: chaos.Slow, From: "a", To: "b", OneWay: true, Delay: time.Second})
	slow.via = map[string]netip.AddrPort{"a": netip.MustParseAddrPort("10.213.10.1:1001"), "b": netip.MustParseAddrPort("10.213.10.1:1002")}
	for name, want := range map[string]string{
		"a": "ip daddr 10.213.10.12 tcp dport 7411 dnat ip to 10.213.10.1:1001",
		"b": "ip daddr 10.213.10.11 tcp dport 7411 dnat ip to 10.213.10.1:1002",
	} {
		if text := nsRules(name, []*nsFault{slow}, addr); !strings.Contains(text, want) || !strings.Contains(text, "reject with tcp reset") {
			t.Errorf("%s: want %q in\n%s", name, want, text)
		}
	}
	if got := rules("b", cut, fault(chaos.Fault{Kind: chaos.Cut, From: "w", To: "b"})); len(got) != 2 {
		t.Errorf("two faults: %q", got)
	}
}

// The bound of the verdict is that of the cluster that the script asks for.
func TestBoundFor(t *testing.T) {
	t.Parallel()
	two := chaos.Spec{Data: []string{"a", "b"}, Witness: "w"}
	slow := two
	slow.Lease = 3 * time.Second
	three := chaos.Spec{Data: []string{"a", "b", "c"}}
	for _, test := range []struct {
		spec chaos.Spec
		want time.Duration
	}{{two, 2100 * time.Millisecond}, {slow, 3600 * time.Millisecond}, {three, 1600 * time.Millisecond}} {
		if got, err := boundFor(chaosFlags{}, test.spec); err != nil || got != test.want {
			t.Errorf("%s: %s, %v, want %s", &test.spec, got, err, test.want)
		}
	}
	if _, err := boundFor(chaosFlags{}, chaos.Spec{Data: []string{"a"}, Lease: 300 * time.Millisecond}); err == nil {
		t.Error("a lease that is too short was taken")
	}
}

// A relay carries nothing of what the packet filter would not let through.
func TestNSRelayIsDead(t *testing.T) {
	t.Parallel()
	fault := func(f chaos.Fault) *nsFault { return &nsFault{Fault: f} }
	flap := chaos.Fault{Kind: chaos.Flap, From: "a", To: "b"}
	for _, test := range []struct {
		fault *nsFault
		want  [2]bool // a to b, b to a
	}{
		{fault(chaos.Fault{Kind: chaos.Cut, From: "a", To: "b"}), [2]bool{true, true}},
		{fault(chaos.Fault{Kind: chaos.Cut, From: "a", To: "b", OneWay: true}), [2]bool{true, false}},
		{fault(flap), [2]bool{true, true}},
		{&nsFault{Fault: flap, off: true}, [2]bool{}},
		{fault(chaos.Fault{Kind: chaos.Cut, From: "a", To: "w"}), [2]bool{}},
		{fault(chaos.Fault{Kind: chaos.Lose, From: "a", To: "b", Share: 0.9}), [2]bool{}},
		{fault(chaos.Fault{Kind: chaos.Block, From: "a", To: "b", Port: chaos.PortGossip}), [2]bool{}},
		{fault(chaos.Fault{Kind: chaos.Block, From: "a", To: "b", Port: chaos.PortPeer}), [2]bool{true, true}},
	} {
		faults := []*nsFault{test.fault}
		if have := [2]bool{isDead(faults, "a", "b"), isDead(faults, "b", "a")}; have != test.want {
			t.Errorf("a relay under %s is dead: %v, want %v", test.fault, have, test.want)
		}
	}
}
