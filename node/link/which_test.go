package link_test

import (
	"testing"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
)

// What is healed is what was asked for, and nothing else.
func TestWhich(t *testing.T) {
	t.Parallel()
	there := link.Fault{From: "a", To: "b", Kind: link.Cut}
	back := link.Fault{From: "b", To: "a", Kind: link.Cut}
	both := link.Fault{From: "b", To: "a", Kind: link.Delay, Both: true}
	other := link.Fault{From: "a", To: "w", Kind: link.Cut, Both: true}
	for query, want := range map[string][4]bool{
		"":                       {true, true, true, true},
		"x=1":                    {true, true, true, true},
		"from=a&to=b":            {true, false, true, false},
		"from=a&to=b&both=false": {true, false, true, false},
		"from=b&to=a":            {false, true, true, false},
		"from=a&to=b&both=true":  {true, true, true, false},
		"from=b&to=a&both=true":  {true, true, true, false},
		"from=nobody&to=b":       {},
		"from=w&to=a":            {false, false, false, true},
		"from=a&to=a":            {},
		"from=nobody&to=nowhere": {},
	} {
		which, err := link.ParseWhich(query)
		if err != nil {
			t.Errorf("%q: %v", query, err)
			continue
		}
		for i, f := range []link.Fault{there, back, both, other} {
			if which.Has(&f) != want[i] {
				t.Errorf("%q has fault %d: %v", query, i, !want[i])
			}
		}
	}
	for _, query := range []string{"from=a", "to=b", "both=true", "from=&to=", "from=a&to=", "from=a&from=b&to=c", "from=a&to=b&both=yes", "from=a&to=b&both=", "from=%zz"} {
		if which, err := link.ParseWhich(query); node.KindOf(err) != node.BadRequest {
			t.Errorf("%q: %+v, %v", query, which, err)
		}
	}
}

// A link heals what is selected and says how many that were.
func TestHealSome(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, f := range []link.Fault{
		{From: "a", To: "b", Kind: link.Cut}, {From: "b", To: "a", Kind: link.Cut}, {From: "a", To: "w", Kind: link.Cut, Both: true},
	} {
		f.Duration = span(time.Minute)
		if _, err := p.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		which        link.Which
		healed, left int
	}{
		{link.Which{From: "a", To: "b"}, 1, 2},
		{link.Which{From: "a", To: "b"}, 0, 2},
		{link.Which{From: "a", To: "b", Both: true}, 1, 1},
		{link.Which{}, 1, 0},
	} {
		if n := p.Heal(step.which); n != step.healed || len(p.List()) != step.left {
			t.Errorf("%+v: healed %d, left %d", step.which, n, len(p.List()))
		}
	}
}
