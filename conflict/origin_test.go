package conflict_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

func drawID(t *rapid.T) conflict.WriteID {
	var id conflict.WriteID
	id[0] = byte(rapid.IntRange(1, 3).Draw(t, "id")) // few, so that they meet
	return id
}

func drawOrigin(t *rapid.T) *conflict.Origin {
	o := &conflict.Origin{}
	if rapid.Bool().Draw(t, "has id") {
		o.Write, o.Settles = drawID(t), rapid.Bool().Draw(t, "settles")
	}
	if o.Settles {
		o.Policy = vclock.Time(rapid.Uint64Range(0, 3).Draw(t, "policy"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "past") {
		o.Past = append(o.Past, drawID(t))
	}
	if rapid.IntRange(0, 3).Draw(t, "old") == 0 {
		o.Old = dot(actorD, rapid.Uint64Range(1, 3).Draw(t, "old seq"))
	}
	if rapid.Bool().Draw(t, "has lineage") {
		o.Lineage = rapid.SliceOfN(rapid.Byte(), 1, 5).Draw(t, "lineage")
	}
	return o
}

// The binary form is one, since checksums go over it: what is read writes the
// same bytes, and every other form is refused.
func TestOriginForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOrigin(t)
		form := o.Binary()
		got, err := conflict.ParseOrigin(form)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if len(form) == 0 {
			if got != nil {
				t.Fatalf("nothing was read as %+v", got)
			}
			return
		}
		if !reflect.DeepEqual(got, o) {
			t.Fatalf("%+v was read as %+v", o, got)
		}
	})
}

func FuzzParseOrigin(f *testing.F) {
	f.Add([]byte{})
	f.Add((&conflict.Origin{Write: conflict.WriteID{1}, Past: []conflict.WriteID{{2}}, Old: dot(actorA, 7), Lineage: []byte("x")}).Binary())
	f.Add([]byte{4, 0})
	f.Fuzz(func(t *testing.T, form []byte) {
		o, err := conflict.ParseOrigin(form)
		if err == nil && !bytes.Equal(o.Binary(), form) {
			t.Fatalf("%x was read as %+v", form, o)
		}
	})
}

// A checksum goes "over everything that it is".
func TestSumHasTheOrigin(t *testing.T) {
	v := version(dot(actorA, 1), 1, vclock.Context{})
	v.Origin = &conflict.Origin{Write: conflict.WriteID{1}}
	if v.Check() == nil {
		t.Error("an origin that was put on later is not noticed")
	}
	v.Origin = &conflict.Origin{Old: v.Dot}
	v.Sum = v.ComputeSum()
	if v.Check() == nil {
		t.Error("a version that was stamped again as itself is sound")
	}
}

// twinned gives versions origins.
func twinned(t *rapid.T) []*conflict.Version {
	all := versions(t)
	for _, v := range all {
		if rapid.IntRange(0, 2).Draw(t, "has origin") > 0 {
			v.Origin = drawOrigin(t)
		}
		v.Sum = v.ComputeSum()
	}
	return all
}

// "resolve, counts and bases hide" twins, as a function of the set: whatever the
// order; and there is always something to show.
func TestVisibleIsAFunctionOfTheSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := twinned(t)
		one := join(nil, vclock.Vector{}, all...)
		other := join(nil, vclock.Vector{}, rapid.Permutation(all).Draw(t, "order")...)
		if got, want := dotsOf(other.Visible()), dotsOf(one.Visible()); got != want {
			t.Fatalf("%q and %q are seen", got, want)
		}
		seen := one.Visible()
		if len(one) > 0 && len(seen) == 0 {
			t.Fatal("nothing is left to show")
		}
		for _, v := range one {
			plain := v.Origin == nil || v.Origin.Write.IsZero()
			again := slices.ContainsFunc(one, func(u *conflict.Version) bool { return u.Origin != nil && u.Origin.Old == v.Dot })
			if plain && !again && seen.Find(v.Dot) == nil {
				t.Fatalf("%s has no id and was not stamped again, and is hidden", v.Dot)
			}
		}
	})
}

// "past (write ids of the versions that it covered and that were not yet stable,
// at most 256)" (PROTOCOL, Version).
func TestAttempts(t *testing.T) {
	request, settled, before := conflict.WriteID{1}, conflict.WriteID{2}, conflict.WriteID{3}
	a := version(dot(actorA, 7), 1, vclock.Context{})
	a.Origin = &conflict.Origin{Write: request, Past: []conflict.WriteID{before}}
	b := version(dot(actorB, 1), 1, vclock.Context{})
	b.Origin = &conflict.Origin{Write: settled, Settles: true, Past: []conflict.WriteID{before}}
	s := conflict.Siblings{a, b, version(dot(actorC, 1), 1, vclock.Context{})}
	for stable, want := range map[string][]conflict.WriteID{
		"": {before, request, settled}, "a~aaaaaaaa:6": {before, request, settled},
		"a~aaaaaaaa:7": {before, settled}, "a~aaaaaaaa:7,b~bbbbbbbb:1": nil,
	} {
		v, err := vclock.ParseVector(stable)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Attempts(v); !slices.Equal(got, want) {
			t.Errorf("with %q stable: %v, want %v", stable, got, want)
		}
	}
	for i := range 2 * conflict.MaxPast {
		a.Origin.Past = append(a.Origin.Past, conflict.WriteID{byte(i), byte(i >> 8), 9})
	}
	if got := s.Attempts(vclock.Vector{}); len(got) != conflict.MaxPast || got[len(got)-1] != settled {
		t.Errorf("%d ids", len(got))
	}
}

// The cases of D5, one by one.
func TestTwins(t *testing.T) {
	with := func(d vclock.Dot, body string, o conflict.Origin) *conflict.Version {
		v := version(d, 1, vclock.Context{})
		v.Body, v.Origin = []byte(body), &o
		v.Sum = v.ComputeSum()
		return v
	}
	request := conflict.WriteID{1}
	settle := func(policy vclock.Time) conflict.Origin {
		return conflict.Origin{Write: conflict.WriteID{2}, Settles: true, Policy: policy}
	}
	a, b := dot(actorA, 1), dot(actorB, 1)
	for name, c := range map[string]struct {
		versions []*conflict.Version
		seen     string
	}{
		"one request, taken twice":         {[]*conflict.Version{with(a, "{}", conflict.Origin{Write: request}), with(b, "{}", conflict.Origin{Write: request})}, a.String()},
		"one key, two bodies":              {[]*conflict.Version{with(a, "{}", conflict.Origin{Write: request}), with(b, `{"x":1}`, conflict.Origin{Write: request})}, a.String() + " " + b.String()},
		"equal content is not one write":   {[]*conflict.Version{with(a, "{}", conflict.Origin{Write: request}), with(b, "{}", conflict.Origin{Write: conflict.WriteID{9}})}, a.String() + " " + b.String()},
		"one set, settled twice":           {[]*conflict.Version{with(a, "{}", settle(3)), with(b, "{}", settle(3))}, a.String()},
		"the newer policy's counts":        {[]*conflict.Version{with(a, "{}", settle(3)), with(b, `{"x":1}`, settle(4))}, b.String()},
		"a sibling has covered an attempt": {[]*conflict.Version{with(a, "{}", conflict.Origin{Write: request}), with(b, `{"x":1}`, conflict.Origin{Past: []conflict.WriteID{request}})}, b.String()},
		"stamped again":                    {[]*conflict.Version{with(a, "{}", conflict.Origin{}), with(b, "{}", conflict.Origin{Old: a})}, b.String()},
	} {
		t.Run(name, func(t *testing.T) {
			if got := dotsOf(join(nil, vclock.Vector{}, c.versions...).Visible()); got != c.seen {
				t.Errorf("%q is seen, want %q", got, c.seen)
			}
		})
	}
}
