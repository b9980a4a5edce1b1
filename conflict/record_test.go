package conflict_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// "Conflict ids: 26 base32 characters of a hash of (collection, id, sorted dots
// of the siblings): the same on every node" (API).
func TestConflictID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := versions(t)
		one := join(nil, vclock.Vector{}, all...)
		other := join(nil, vclock.Vector{}, rapid.Permutation(all).Draw(t, "order")...)
		if one.ID() != other.ID() || one.SettlementID() != other.SettlementID() || len(one.ID()) != 26 {
			t.Fatalf("%s and %s", one.ID(), other.ID())
		}
		if strings.Trim(one.ID(), "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("%q", one.ID())
		}
		if len(one) > 1 && (one[1:].ID() == one.ID() || one[1:].SettlementID() == one.SettlementID()) {
			t.Fatal("one sibling less has the same id")
		}
	})
}

// What was lost is listed by path, exactly; what is too much is counted.
func TestLost(t *testing.T) {
	end := version(dot(actorC, 1), 9, vclock.Context{})
	for name, c := range map[string]struct{ sibling, result, lost string }{
		"nothing":           {`{"a":1,"b":[1, 2]}`, `{"b":[1,2], "a":1}`, ``},
		"a number":          {`{"a":20}`, `{"a":70}`, `/a=20(-50)`},
		"exact decimals":    {`{"a":0.1}`, `{"a":0.30}`, `/a=0.1(-0.2)`},
		"large integers":    {`{"a":9007199254740993}`, `{"a":9007199254740992}`, `/a=9007199254740993(1)`},
		"another type":      {`{"a":"x"}`, `{"a":1}`, `/a="x"()`},
		"nested":            {`{"a":{"b":{"c":1}}}`, `{"a":{"b":{"c":2}}}`, `/a/b/c=1(-1)`},
		"arrays are whole":  {`{"a":[1,2]}`, `{"a":[1]}`, `/a=[1,2]()`},
		"a member is gone":  {`{"a":1,"b":2}`, `{"a":1}`, `/b=2()`},
		"a member is new":   {`{}`, `{"b":2}`, `/b=null()`},
		"names are escaped": {`{"a/b~":1}`, `{"a/b~":2}`, `/a~1b~0=1(-1)`},
		"a long value":      {`{"a":"` + strings.Repeat("x", 2000) + `"}`, `{}`, `/a=null()`},
	} {
		t.Run(name, func(t *testing.T) {
			v := version(dot(actorA, 1), 1, vclock.Context{})
			v.Body = []byte(c.sibling)
			same := version(dot(actorB, 1), 2, vclock.Context{})
			same.Body = []byte(c.result)
			result := *end
			result.Body = []byte(c.result)
			r := conflict.NewRecord(conflict.Siblings{v, same}, &result, conflict.LWW{}.Show(conflict.Siblings{v, same}))
			var got []string
			for _, l := range r.Lost {
				if l.Dot != v.Dot {
					t.Errorf("of %s nothing is lost: %+v", l.Dot, l)
				}
				got = append(got, fmt.Sprintf("%s=%s(%s)", l.Path, l.Value, l.Delta))
			}
			if strings.Join(got, " ") != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
		})
	}
}

// A record is bounded, and says so.
func TestRecordLimits(t *testing.T) {
	var members []string
	for i := range 2 * conflict.MaxLost {
		members = append(members, fmt.Sprintf(`"m%d":1`, i))
	}
	a := version(dot(actorA, 1), 1, vclock.Context{})
	a.Body = []byte("{" + strings.Join(members, ",") + "}")
	b := version(dot(actorB, 1), 2, vclock.Context{})
	b.Body = []byte("{}")
	end := version(dot(actorC, 1), 3, vclock.Context{})
	end.Body = b.Body
	r := conflict.NewRecord(conflict.Siblings{a, b}, end, conflict.LWW{}.Show(conflict.Siblings{a, b}))
	if len(r.Lost) != conflict.MaxLost || r.LostMore != conflict.MaxLost {
		t.Errorf("%d lost, and %d more", len(r.Lost), r.LostMore)
	}
	for range 2 * conflict.MaxTrace {
		r.Add(conflict.TraceStep{Action: "review"})
	}
	if len(r.Trace) != conflict.MaxTrace {
		t.Errorf("%d steps", len(r.Trace))
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again conflict.Record
	if err := json.Unmarshal(text, &again); err != nil || again.Siblings[0].Dot != a.Dot || !again.Has(b.Dot) || again.Has(end.Dot) {
		t.Errorf("%s, %v", text, err)
	}
}

// A delete is lost whole, or has lost the whole.
func TestLostDelete(t *testing.T) {
	a := version(dot(actorA, 1), 1, vclock.Context{})
	a.Body = []byte(`{"n":1}`)
	b := version(dot(actorB, 1), 2, vclock.Context{})
	b.Deleted, b.Body = true, nil
	end := version(dot(actorC, 1), 3, vclock.Context{})
	end.Body = a.Body
	shown := conflict.LWW{}.Show(conflict.Siblings{a, b})
	if r := conflict.NewRecord(conflict.Siblings{a, b}, end, shown); len(r.Lost) != 1 || r.Lost[0].Dot != b.Dot || string(r.Lost[0].Value) != "null" {
		t.Errorf("%+v", r.Lost)
	}
	end.Deleted, end.Body = true, nil
	if r := conflict.NewRecord(conflict.Siblings{a, b}, end, shown); len(r.Lost) != 1 || r.Lost[0].Dot != a.Dot || string(r.Lost[0].Value) != `{"n":1}` {
		t.Errorf("%+v", r.Lost)
	}
}
