package conflict_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// sides makes two siblings over a base, by rules, and the policy that merges them.
func sides(t *testing.T, config, base, one, other string) (conflict.Siblings, conflict.Policy) {
	t.Helper()
	c, err := conflict.ParseConfig([]byte(config), conflict.ConfigLimits{DefaultBody: 200, MaxBody: 1000})
	if err != nil {
		t.Fatal(err)
	}
	policy := c.Build("v1")
	write := func(d vclock.Dot, body string, shown conflict.Siblings) *conflict.Version {
		v := &conflict.Version{Key: theKey, Dot: d, Time: vclock.Time(d.Seq * 100), Body: []byte(body), Origin: &conflict.Origin{}}
		for _, u := range shown {
			v.Clock = v.Clock.Join(vclock.ContextOf(vclock.VectorOf(u.Dot)))
		}
		if v.Origin.Lineage, err = conflict.Lineage(c.Lineages(), conflict.Writing{New: v, Shown: shown, Covered: shown, By: policy}); err != nil {
			t.Fatal(err)
		}
		v.Sum = v.ComputeSum()
		return v
	}
	root := write(dot(actorA, 1), base, nil)
	return conflict.Siblings{write(dot(actorA, 2), one, conflict.Siblings{root}), write(dot(actorB, 3), other, conflict.Siblings{root})}, policy
}

// issue 4: "what was lost by path": what a merge has put together is not lost.
func TestWhatAMergeLoses(t *testing.T) {
	t.Parallel()
	s, policy := sides(t, `{"policy":{"kind":"merge","rules":{"/n":"sum","/log":"concat"}}}`,
		`{"n":1,"log":[],"x":0,"y":0}`, `{"n":2,"log":["a"],"x":1,"y":1}`, `{"n":3,"log":["b"],"x":2,"y":0}`)
	shown := policy.Show(s)
	if want := `{"n":4,"log":["a","b"],"x":2,"y":1}`; string(shown.Body) != want || shown.Open || shown.Winner != nil {
		t.Fatalf("shown %s, want %s", shown.Body, want)
	}
	end := &conflict.Version{Key: theKey, Dot: dot(actorA, 9), Body: shown.Body}
	r := conflict.NewRecord(s, end, shown)
	if len(r.Lost) != 1 || r.Lost[0].Path != "/x" || string(r.Lost[0].Value) != "1" || r.Lost[0].Dot != s[0].Dot {
		t.Errorf("lost: %+v", r.Lost)
	}
	// Another result than the merge's own: then everything that is not in it is.
	end.Body = []byte(`{"n":0}`)
	if r := conflict.NewRecord(s, end, shown); len(r.Lost) < 6 {
		t.Errorf("lost: %+v", r.Lost)
	}
}

// "Every limit is a named constant", "nothing is lost": a merge that would pass
// the collection's limit waits for a person.
func TestAMergeThatIsTooLarge(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 120)
	s, policy := sides(t, `{"policy":{"kind":"merge"}}`, `{}`, `{"a":"`+long+`"}`, `{"b":"`+long+`"}`)
	if shown := policy.Show(s); !shown.Open || shown.Reason != conflict.ReasonTooLarge || string(shown.Body) != string(s[1].Body) {
		t.Errorf("%+v", shown)
	}
}

// Peers are untrusted input: a lineage that is none is refused with its version.
func TestDamagedLineage(t *testing.T) {
	t.Parallel()
	s, policy := sides(t, `{"policy":{"kind":"merge"}}`, `{}`, `{"a":1}`, `{"b":1}`)
	bad := *s[0]
	bad.Origin = &conflict.Origin{Lineage: append(slices.Clip(bad.Origin.Lineage), 0)}
	bad.Sum = bad.ComputeSum()
	if err := bad.Check(); err == nil || !strings.Contains(err.Error(), "lineage") {
		t.Errorf("got %v", err)
	}
	if shown := policy.Show(conflict.Siblings{&bad, s[1]}); !shown.Open || shown.Reason != conflict.ReasonDamaged {
		t.Errorf("%+v", shown)
	}
}

// What PUT /v1/collections takes as rules comes back as it was.
func TestRulesInAConfiguration(t *testing.T) {
	t.Parallel()
	text := `{"policy":{"kind":"merge","rules":{"/n":"sum"},"default":"max"}}`
	c, err := conflict.ParseConfig([]byte(text), conflict.ConfigLimits{DefaultBody: 1, MaxBody: 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(c)
	if err != nil || !strings.Contains(string(b), `"policy":{"kind":"merge","rules":{"/n":"sum"},"default":"max"}`) {
		t.Errorf("%s, %v", b, err)
	}
}

// DESIGN 1: "last-write-wins keeps 70 or 20 and a deduction vanishes": with rules
// the record says which one it was.
func TestWhatLWWLoses(t *testing.T) {
	t.Parallel()
	config := `{"policy":{"kind":"lww","rules":{"/n":"sum"}}}`
	s, policy := sides(t, config, `{"n":120,"x":1}`, `{"n":20,"x":1}`, `{"n":70,"x":1}`)
	c, err := conflict.ParseConfig([]byte(config), conflict.ConfigLimits{DefaultBody: 200, MaxBody: 1000})
	if err != nil {
		t.Fatal(err)
	}
	past, err := conflict.PastOf(c.Lineages(), s)
	if err != nil || !past.Base.Exact || string(past.Base.Body) != `{"n":120,"x":1}` || past.Sums["/n"] != "-30" {
		t.Fatalf("%s exact %v, %v, %v", past.Base.Body, past.Base.Exact, past.Sums, err)
	}
	r := conflict.NewRecord(s, &conflict.Version{Key: theKey, Dot: dot(actorA, 9), Body: s[1].Body}, policy.Show(s))
	r.Measure(past.Base)
	if len(r.Lost) != 1 || r.Lost[0].Change != "-100" || r.Lost[0].Delta != "-50" {
		t.Errorf("%+v", r.Lost)
	}
}
