package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncline/syncline/scripts/chaos"
)

// Ports of the processes; each has a network of its own, so all have the same.
const (
	nsAPI    = 7401
	nsPeer   = 7411
	nsGossip = 7421
)

const (
	// nsNet and nsNetsFirst… are the networks that a run takes the first free one
	// of: 10.213.N.0/24.
	nsNetFirst = 10
	nsNetLast  = 250
	// nsHost and nsFirst are the last bytes of the addresses of this machine and
	// of the first member.
	nsHost  = 1
	nsFirst = 11
	// nsCommand bounds one command of ip or nft.
	nsCommand = 10 * time.Second
)

// namespaceCluster is a cluster of processes each of which has a network
// namespace of its own, joined by a bridge in one more. Links are cut by
// nftables in these namespaces, so that nothing of the product is trusted for
// it. It needs root, ip and nft.
type namespaceCluster struct {
	*chaosProcesses
	base  string // begins the names of the namespaces
	third byte   // of the addresses
	addr  map[string]netip.Addr

	rules  sync.Mutex
	faults []*nsFault
	closed bool
}

// nsFault is a fault that is in force.
type nsFault struct {
	chaos.Fault
	off  bool                      // a flap in its healed half
	via  map[string]netip.AddrPort // of a slow link: the relay, by who connects
	over map[string]*slowRelay     // the same
	stop func()
}

// startNamespaces starts the cluster that a script asks for.
func startNamespaces(ctx context.Context, spec chaos.Spec, cfg chaosRun) (*namespaceCluster, error) {
	if err := canNamespaces(); err != nil {
		return nil, err
	}
	n := &namespaceCluster{chaosProcesses: newChaosProcesses(spec, cfg), base: fmt.Sprintf("%s%d", nsPrefix, os.Getpid()), addr: map[string]netip.Addr{}}
	n.extra = []string{"--insecure"} // reachable from this machine alone
	n.enter = func(p *chaosProcess) []string { return []string{"ip", "netns", "exec", n.space(p.name)} }
	n.place = func(_ context.Context, p *chaosProcess) error {
		at := n.addr[p.name].String()
		p.api, p.peer = fmt.Sprintf("%s:%d", at, nsAPI), fmt.Sprintf("%s:%d", at, nsPeer)
		if p.role == roleData {
			p.gossip = fmt.Sprintf("%s:%d", at, nsGossip)
		}
		return nil
	}
	err := n.sweep(ctx)
	if err == nil {
		err = n.build(ctx)
	}
	if err == nil {
		err = n.begin(ctx, spec)
	}
	if err != nil {
		return nil, errors.Join(err, n.stop())
	}
	return n, nil
}

// canNamespaces says in one line what is missing.
func canNamespaces() error {
	if os.Geteuid() != 0 {
		return errors.New("--net=ns makes network namespaces, which needs root: run it as root, or without --net")
	}
	for _, tool := range []string{"ip", "ss", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("--net=ns needs the program %s: on Debian, apt-get install iproute2 nftables", tool)
		}
	}
	return nil
}

func (n *namespaceCluster) space(name string) string { return n.base + "-" + name }

// command runs one command of ip or nft.
func (n *namespaceCluster) command(ctx context.Context, input string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, nsCommand)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(out.String()))
	}
	return nil
}

// ip runs commands of ip one after the other.
func (n *namespaceCluster) ip(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		if err := n.command(ctx, "", append([]string{"ip"}, strings.Fields(line)...)...); err != nil {
			return err
		}
	}
	return nil
}

// build makes the namespaces, the bridge between them, and the way in from this
// machine.
func (n *namespaceCluster) build(ctx context.Context) error {
	hub, host := n.space(nsHub), n.base+"h"
	err := n.ip(
		ctx, "netns add "+hub, "-n "+hub+" link add br0 type bridge", "-n "+hub+" link set br0 up",
		"link add "+host+" type veth peer name h0 netns "+hub, "-n "+hub+" link set h0 master br0 up",
	)
	if err != nil {
		return err
	}
	if n.third, err = freeNetwork(); err != nil {
		return err
	}
	if err := n.ip(ctx, fmt.Sprintf("addr add %s/24 dev %s", n.at(nsHost), host), "link set "+host+" up"); err != nil {
		return err
	}
	for i, p := range n.processes {
		space, port := n.space(p.name), fmt.Sprintf("v%d", i)
		n.addr[p.name] = n.at(nsFirst + byte(i))
		err := n.ip(
			ctx, "netns add "+space, "-n "+space+" link set lo up",
			"-n "+space+" link add e0 type veth peer name "+port+" netns "+hub,
			fmt.Sprintf("-n %s addr add %s/24 dev e0", space, n.addr[p.name]),
			"-n "+space+" link set e0 up", "-n "+hub+" link set "+port+" master br0 up",
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *namespaceCluster) at(last byte) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 213, n.third, last})
}

// freeNetwork finds a network that no interface of this machine is in.
func freeNetwork() (byte, error) {
	taken, err := ownAddresses()
	if err != nil {
		return 0, err
	}
	for third := byte(nsNetFirst); third < nsNetLast; third++ {
		network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 213, third, 0}), 24)
		if !slices.ContainsFunc(taken, network.Overlaps) {
			return third, nil
		}
	}
	return 0, errors.New("no network 10.213.N.0/24 is free on this machine: are old runs in the way? See ip addr")
}

// Lacks implements chaos.Cluster.
func (n *namespaceCluster) Lacks(chaos.Ability) string { return "" }

// Break implements chaos.Cluster.
func (n *namespaceCluster) Break(ctx context.Context, f chaos.Fault) error {
	one := &nsFault{Fault: f}
	expiry := time.AfterFunc(f.Lasts, func() { n.end(one) })
	one.stop = func() { expiry.Stop() }
	n.rules.Lock()
	defer n.rules.Unlock()
	if f.Kind == chaos.Slow {
		if err := n.relay(one); err != nil {
			one.stop()
			return err
		}
	}
	n.faults = append(n.faults, one)
	if f.Kind == chaos.Flap {
		n.turn(one)
	}
	if err := n.apply(ctx, f.From, f.To); err != nil || f.Kind != chaos.Slow {
		return err
	}
	return n.reconnect(ctx, f.From, f.To)
}

// reconnect ends the connections between two members that are there, so that
// they come again over the relay. A kernel that cannot do that leaves them: then
// they end by the members' own timeouts, within 15 s.
func (n *namespaceCluster) reconnect(ctx context.Context, a, b string) error {
	for _, end := range [][2]string{{a, b}, {b, a}} {
		if err := n.command(ctx, "", "ip", "netns", "exec", n.space(end[0]), "ss", "-K", "-tn", "dst", n.addr[end[1]].String()); err != nil {
			return err
		}
	}
	return nil
}

// relay starts the relays of a slow link: one for who connects at each end.
func (n *namespaceCluster) relay(f *nsFault) error {
	stopExpiry := f.stop
	f.via, f.over = map[string]netip.AddrPort{}, map[string]*slowRelay{}
	f.stop = func() {
		stopExpiry()
		for _, r := range f.over {
			r.close()
		}
	}
	other := f.Delay
	if f.OneWay {
		other = 0
	}
	for _, end := range []struct {
		from, to    string
		there, back time.Duration
	}{{f.From, f.To, f.Delay, other}, {f.To, f.From, other, f.Delay}} {
		r, err := startRelay(n.at(nsHost), fmt.Sprintf("%s:%d", n.addr[end.to], nsPeer), end.there, end.back)
		if err != nil {
			return fmt.Errorf("a relay for the slow link %s ↔ %s: %w", f.From, f.To, err)
		}
		f.over[end.from], f.via[end.from] = r, r.at
	}
	return nil
}

// turn lets a flap turn over after half its period, for as long as it is there.
// The lock is held.
func (n *namespaceCluster) turn(f *nsFault) {
	stopExpiry := f.stop
	half := time.AfterFunc(f.Delay/2, func() {
		n.rules.Lock()
		defer n.rules.Unlock()
		if n.closed || !slices.Contains(n.faults, f) {
			return
		}
		f.off = !f.off
		// A rule that cannot be set now is set at the next turn.
		_ = n.apply(context.Background(), f.From, f.To)
		n.turn(f)
	})
	f.stop = func() {
		half.Stop()
		stopExpiry()
	}
}

// end ends a fault whose time is up.
func (n *namespaceCluster) end(f *nsFault) {
	n.rules.Lock()
	defer n.rules.Unlock()
	i := slices.Index(n.faults, f)
	if n.closed || i < 0 {
		return
	}
	f.stop()
	n.faults = slices.Delete(n.faults, i, i+1)
	// Where it fails, the namespace is gone, and the rule with it.
	_ = n.apply(context.Background(), f.From, f.To)
}

// Heal implements chaos.Cluster.
func (n *namespaceCluster) Heal(ctx context.Context, a, b string) error {
	if a == "" {
		if err := n.resumeAll(ctx); err != nil {
			return err
		}
	}
	n.rules.Lock()
	defer n.rules.Unlock()
	var ends []string
	n.faults = slices.DeleteFunc(n.faults, func(f *nsFault) bool {
		link := []string{f.From, f.To}
		if a != "" && (!slices.Contains(link, a) || !slices.Contains(link, b)) {
			return false
		}
		f.stop()
		ends = append(ends, link...)
		return true
	})
	slices.Sort(ends)
	return n.apply(ctx, slices.Compact(ends)...)
}

// apply sets the rules of members, and kills the relays that they do not see. The
// lock is held.
func (n *namespaceCluster) apply(ctx context.Context, names ...string) error {
	for _, f := range n.faults {
		for from, r := range f.over {
			to := f.From
			if from == f.From {
				to = f.To
			}
			r.there.set(isDead(n.faults, from, to))
			r.back.set(isDead(n.faults, to, from))
		}
	}
	for _, name := range names {
		rules := nsRules(name, n.faults, n.addr)
		if err := n.command(ctx, rules, "ip", "netns", "exec", n.space(name), "nft", "-f", "-"); err != nil {
			return fmt.Errorf("rules of %s:\n%s%w", name, rules, err)
		}
	}
	return nil
}

// isDead says whether nothing of what one member sends to another over the peer
// port arrives.
func isDead(faults []*nsFault, from, to string) bool {
	return slices.ContainsFunc(faults, func(f *nsFault) bool {
		kills := f.Kind == chaos.Cut || f.Kind == chaos.Flap || f.Kind == chaos.Lose && f.Share == 1 || f.Kind == chaos.Block && f.Port == chaos.PortPeer
		return kills && !f.off && (f.From == from && f.To == to || !f.OneWay && f.From == to && f.To == from)
	})
}

// nsRules are the rules of one member, in one transaction: what it does not
// hear, and what goes another way. What it sends is lost at the other end.
func nsRules(name string, faults []*nsFault, addr map[string]netip.Addr) string {
	var in, out strings.Builder
	for _, f := range faults {
		from := ""
		switch {
		case f.off:
		case f.To == name:
			from = f.From
		case f.From == name && (!f.OneWay || f.Kind == chaos.Slow):
			from = f.To
		}
		if from != "" {
			nsDrop(&in, f, addr[from])
		}
		if via, ok := f.via[name]; ok {
			fmt.Fprintf(&out, "    ip daddr %s tcp dport %d dnat ip to %s\n", addr[from], nsPeer, via)
		}
	}
	return "table inet chaos\ndelete table inet chaos\ntable inet chaos {\n" +
		"  chain in {\n    type filter hook input priority 0;\n" + in.String() + "  }\n" +
		"  chain out {\n    type nat hook output priority -100;\n" + out.String() + "  }\n}\n"
}

// nsDrop writes what one fault keeps from coming in from one address.
func nsDrop(b *strings.Builder, f *nsFault, from netip.Addr) {
	match := "    ip saddr " + from.String()
	switch f.Kind {
	case chaos.Lose:
		fmt.Fprintf(b, "%s numgen random mod 1000 < %d drop\n", match, max(1, int(f.Share*1000)))
	case chaos.Block:
		port := map[string]int{chaos.PortPeer: nsPeer, chaos.PortGossip: nsGossip}[f.Port]
		for _, side := range []string{"sport", "dport"} {
			fmt.Fprintf(b, "%s meta l4proto { tcp, udp } th %s %d drop\n", match, side, port)
		}
	case chaos.Cut, chaos.Flap:
		b.WriteString(match + " drop\n")
	case chaos.Slow:
		// The connections that are there end at once, and come again over the relay.
		// Gossip is a hint that nothing waits for; it stays away meanwhile.
		fmt.Fprintf(b, "%[1]s tcp flags & rst == rst accept\n%[1]s meta l4proto tcp reject with tcp reset\n%[1]s drop\n", match)
	}
}

// stop ends the processes and takes the namespaces away.
func (n *namespaceCluster) stop() error {
	n.rules.Lock()
	if n.closed {
		n.rules.Unlock()
		return nil
	}
	n.closed = true
	for _, f := range n.faults {
		f.stop()
	}
	n.rules.Unlock()
	failed := n.chaosProcesses.stop()
	ctx := context.Background()
	// With the namespace at its other end it would go too, but some time later.
	if _, err := os.Stat("/sys/class/net/" + n.base + "h"); err == nil {
		failed = errors.Join(failed, n.ip(ctx, "link del "+n.base+"h"))
	}
	for _, name := range append([]string{nsHub}, n.names()...) {
		if _, err := os.Stat(nsSpacePath(n.base, name)); err == nil {
			failed = errors.Join(failed, n.ip(ctx, "netns del "+n.space(name)))
		}
	}
	return failed
}

// names are the names of all processes.
func (n *namespaceCluster) names() []string {
	var out []string
	for _, p := range n.processes {
		out = append(out, p.name)
	}
	return out
}
