package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

var (
	names = rapid.SampledFrom([]string{"a", "b", "c-1", "node-with-a-long-name"})
	spans = rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(MaxSpan)).Draw(t, "ns"))
	})
	lives  = rapid.Custom(func(t *rapid.T) Life { return Life{u64(t), u64(t), u64(t), u64(t)} })
	stamps = rapid.Custom(func(t *rapid.T) Stamp {
		return Stamp{rapid.Uint64Min(1).Draw(t, "boot"), spans.Draw(t, "at")}
	})
	standings = rapid.SampledFrom([]Standing{StandingNew, StandingCatchingUp, StandingGood})
	frontiers = rapid.Custom(func(t *rapid.T) vclock.Vector {
		var v vclock.Vector
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			v = v.With(vclock.Dot{Actor: actor(t, names.Draw(t, "node")), Seq: rapid.Uint64Range(1, vclock.MaxSeq).Draw(t, "seq")})
		}
		return v
	})
	ballots = rapid.Custom(drawBallot)
	answers = rapid.Custom(drawAnswer)
	hellos  = rapid.Custom(drawHello)
)

func u64(t *rapid.T) uint64 { return rapid.Uint64().Draw(t, "u64") }

func actor(t *rapid.T, node string) vclock.Actor {
	a, err := vclock.NewActor(node, [5]byte(rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "random")))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func drawBallot(t *rapid.T) Ballot {
	from := names.Draw(t, "from")
	b := Ballot{
		Cluster: "shop", Epoch: u64(t), From: from, Life: lives.Draw(t, "life"),
		Seq: rapid.Uint64Min(1).Draw(t, "seq"), Nonce: rapid.Uint64Min(1).Draw(t, "nonce"),
		Lease: spans.Draw(t, "lease") + 1, Standing: standings.Draw(t, "standing"),
		Actor: actor(t, from), Frontier: frontiers.Draw(t, "frontier"),
		Want: rapid.Bool().Draw(t, "want"), Held: NeverHeld,
	}
	b.Lease = min(b.Lease, MaxSpan)
	for range rapid.IntRange(0, 3).Draw(t, "view") {
		b.View = append(b.View, Seen{names.Draw(t, "seen"), rapid.Bool().Draw(t, "catching_up")})
	}
	if rapid.Bool().Draw(t, "held") {
		b.Held = spans.Draw(t, "age")
	}
	if rapid.Bool().Draw(t, "stamped") {
		b.Stamp = stamps.Draw(t, "stamp")
	}
	return b
}

func drawAnswer(t *rapid.T) Answer {
	from := names.Draw(t, "from")
	a := Answer{
		Cluster: "shop", From: from, Nonce: rapid.Uint64Min(1).Draw(t, "nonce"),
		Granted: rapid.Bool().Draw(t, "granted"), Knows: u64(t), Wall: rapid.Int64().Draw(t, "wall"),
	}
	if !a.Granted {
		a.Reason = rapid.StringMatching(`[a-z_]{1,32}`).Draw(t, "reason")
	}
	for range rapid.IntRange(0, 2).Draw(t, "have") {
		a.Have = append(a.Have, Holder{names.Draw(t, "holder"), spans.Draw(t, "left")})
	}
	if rapid.Bool().Draw(t, "witness") {
		a.Stamp = stamps.Draw(t, "stamp")
		return a
	}
	a.Life, a.Standing, a.Actor = lives.Draw(t, "life"), standings.Draw(t, "standing"), actor(t, from)
	a.Frontier = frontiers.Draw(t, "frontier")
	return a
}

func drawHello(t *rapid.T) Hello {
	h := Hello{
		Version: Version, Cluster: "shop", Epoch: u64(t), Name: names.Draw(t, "name"), Build: "1.0",
		Role: rapid.SampledFrom([]Role{RoleData, RoleWitness, RoleReplica}).Draw(t, "role"), Life: lives.Draw(t, "life"),
	}
	if h.Role != RoleWitness {
		h.Standing, h.Actor, h.Frontier = standings.Draw(t, "standing"), actor(t, h.Name), frontiers.Draw(t, "frontier")
	}
	return h
}

// message is what Ballot, Answer and Hello have in common.
type message interface{ Check() error }

// HOUSE, habits: "laws by property tests … codecs round-trip"; doc.go:
// "Decode(Encode(m)) is m", "equal messages have equal bytes".
func TestMessagesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, a, h := ballots.Draw(t, "ballot"), answers.Draw(t, "answer"), hellos.Draw(t, "hello")
		roundTrip(t, &b, &Ballot{})
		roundTrip(t, &a, &Answer{})
		roundTrip(t, &h, &Hello{})
	})
}

func roundTrip(t *rapid.T, in, out message) {
	if err := in.Check(); err != nil {
		t.Fatalf("%+v: %v", in, err)
	}
	data, err := Encode(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > MaxBallotBytes {
		t.Fatalf("%d bytes", len(data))
	}
	if err := Decode(data, out); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Fatalf("sent %+v, received %+v", in, out)
	}
	again, err := Encode(out)
	if err != nil || !bytes.Equal(data, again) {
		t.Fatalf("%v: equal messages have unequal bytes", err)
	}
}

// DESIGN section 4: "Peers are untrusted input: cluster id, identity, sizes,
// depth, checksums and clock bounds are checked before anything is applied."
func TestCheckRefuses(t *testing.T) {
	actorA := vclock.Actor("a~00000000")
	ballot := Ballot{Cluster: "shop", Epoch: 1, From: "a", Seq: 1, Nonce: 1, Lease: time.Second, Standing: StandingGood, Actor: actorA, Held: NeverHeld}
	answer := Answer{Cluster: "shop", From: "a", Nonce: 1, Granted: true, Standing: StandingGood, Actor: actorA}
	hello := Hello{Version: Version, Cluster: "shop", Name: "a", Role: RoleData, Standing: StandingGood, Actor: actorA}
	for _, m := range []message{&ballot, &answer, &hello} {
		if err := m.Check(); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
	}
	manySeen := make([]Seen, MaxVoters+1)
	for i := range manySeen {
		manySeen[i].Name = "b"
	}
	var wide vclock.Vector
	for i := range MaxBallotFrontier + 1 {
		a, err := vclock.NewActor("b", [5]byte{0, 0, 0, byte(i >> 8), byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		wide = wide.With(vclock.Dot{Actor: a, Seq: 1})
	}
	for name, m := range map[string]message{
		"cluster":         mutate(ballot, func(b *Ballot) { b.Cluster = strings.Repeat("x", MaxClusterName+1) }),
		"no cluster":      mutate(ballot, func(b *Ballot) { b.Cluster = "" }),
		"from":            mutate(ballot, func(b *Ballot) { b.From = "A b" }),
		"other's actor":   mutate(ballot, func(b *Ballot) { b.Actor = "b~00000000" }),
		"actor":           mutate(ballot, func(b *Ballot) { b.Actor = "a" }),
		"standing":        mutate(ballot, func(b *Ballot) { b.Standing = "fine" }),
		"seq":             mutate(ballot, func(b *Ballot) { b.Seq = 0 }),
		"nonce":           mutate(ballot, func(b *Ballot) { b.Nonce = 0 }),
		"lease":           mutate(ballot, func(b *Ballot) { b.Lease = -1 }),
		"long lease":      mutate(ballot, func(b *Ballot) { b.Lease = MaxSpan + 1 }),
		"held":            mutate(ballot, func(b *Ballot) { b.Held = -2 }),
		"view":            mutate(ballot, func(b *Ballot) { b.View = manySeen }),
		"view's names":    mutate(ballot, func(b *Ballot) { b.View = []Seen{{Name: ""}} }),
		"stamp":           mutate(ballot, func(b *Ballot) { b.Stamp.At = 1 }),
		"frontier":        mutate(ballot, func(b *Ballot) { b.Frontier = wide }),
		"answer's nonce":  mutate(answer, func(a *Answer) { a.Nonce = 0 }),
		"reason":          mutate(answer, func(a *Answer) { a.Reason = "other" }),
		"no reason":       mutate(answer, func(a *Answer) { a.Granted = false }),
		"long reason":     mutate(answer, func(a *Answer) { a.Granted, a.Reason = false, strings.Repeat("x", MaxReason+1) }),
		"holder":          mutate(answer, func(a *Answer) { a.Have = []Holder{{Name: "b", Left: -1}} }),
		"holders":         mutate(answer, func(a *Answer) { a.Have = make([]Holder, MaxVoters+1) }),
		"witness's actor": mutate(answer, func(a *Answer) { a.Stamp = Stamp{1, 1} }),
		"version":         mutate(hello, func(h *Hello) { h.Version++ }),
		"role":            mutate(hello, func(h *Hello) { h.Role = "king" }),
		"witness":         mutate(hello, func(h *Hello) { h.Role = RoleWitness }),
		"build":           mutate(hello, func(h *Hello) { h.Build = strings.Repeat("x", MaxBuild+1) }),
	} {
		if m.Check() == nil {
			t.Errorf("%s: %+v passed", name, m)
		}
	}
}

func mutate[M any](m M, change func(*M)) *M {
	change(&m)
	return &m
}

// FAILURES section 2: "fuzz: every decoder … no panic, canonical round trip,
// limits hold".
func FuzzBallot(f *testing.F) { fuzzMessage(f, func() message { return &Ballot{} }) }

// FuzzAnswer is FuzzBallot for answers.
func FuzzAnswer(f *testing.F) { fuzzMessage(f, func() message { return &Answer{} }) }

// FuzzHello is FuzzBallot for hellos.
func FuzzHello(f *testing.F) { fuzzMessage(f, func() message { return &Hello{} }) }

func fuzzMessage(f *testing.F, fresh func() message) {
	ballot := Ballot{Cluster: "shop", Epoch: 1, From: "a", Seq: 7, Nonce: 9, Lease: time.Second, View: []Seen{{"b", true}}, Standing: StandingGood, Actor: "a~k3f9x2mz", Held: NeverHeld, Stamp: Stamp{4, 5}}
	answer := Answer{Cluster: "shop", From: "w", Nonce: 9, Reason: "other", Have: []Holder{{"b", time.Second}}, Stamp: Stamp{4, 5}}
	hello := Hello{Version: Version, Cluster: "shop", Name: "a", Role: RoleData, Standing: StandingNew, Actor: "a~k3f9x2mz"}
	for _, m := range []message{&ballot, &answer, &hello} {
		data, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := fresh()
		if Decode(data, m) != nil || m.Check() != nil {
			return
		}
		first, err := Encode(m)
		if err != nil {
			t.Fatalf("%+v was accepted and cannot be sent: %v", m, err)
		}
		again := fresh()
		if err := Decode(first, again); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if second, err := Encode(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v: %+v came back as %+v", err, m, again)
		}
	})
}
