package chaos_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/scripts/chaos"
)

// preset finds a preset by name.
func preset(t *testing.T, name string) chaos.Preset {
	t.Helper()
	all := chaos.Presets()
	i := slices.IndexFunc(all, func(p chaos.Preset) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no preset %s", name)
	}
	return all[i]
}

// DASHBOARD screen 5: "presets (isolate, halves, bridge, flap, slow, witness
// alone)"; issue 5, "Bad input": "a cut of an unknown node, a missing duration".
func TestPresets(t *testing.T) {
	t.Parallel()
	two := &chaos.Spec{Data: []string{"a", "b"}, Witness: "w"}
	four := &chaos.Spec{Data: []string{"a", "b", "c", "d"}}
	const lasts = 30 * time.Second
	for _, test := range []struct {
		name string
		spec *chaos.Spec
		args chaos.PresetArgs
		want string // the faults, or a part of the error
	}{
		{"isolate", two, chaos.PresetArgs{Node: "b", Lasts: lasts}, "cut b ↔ a; cut b ↔ w"},
		{"isolate", two, chaos.PresetArgs{Node: "w", Lasts: lasts}, "cut w ↔ a; cut w ↔ b"},
		{"halves", two, chaos.PresetArgs{Lasts: lasts}, "cut a ↔ b"},
		{"halves", four, chaos.PresetArgs{Lasts: lasts}, "cut a ↔ c; cut a ↔ d; cut b ↔ c; cut b ↔ d"},
		{"bridge", four, chaos.PresetArgs{Node: "a", Lasts: lasts}, "cut b ↔ c; cut b ↔ d"},
		{"ring", four, chaos.PresetArgs{Lasts: lasts}, "cut a ↔ c; cut b ↔ d"},
		{"flap", two, chaos.PresetArgs{From: "a", To: "w", Lasts: lasts}, "flap a ↔ w every 0s"},
		{"slow", two, chaos.PresetArgs{From: "a", To: "b", Delay: time.Second, Lasts: lasts}, "slow a ↔ b by 1s"},
		{"witness_alone", two, chaos.PresetArgs{Lasts: lasts}, "cut w ↔ a; cut w ↔ b"},

		{"isolate", two, chaos.PresetArgs{Node: "b"}, "duration is missing"},
		{"isolate", two, chaos.PresetArgs{Lasts: lasts}, `node: want a member of this cluster, which has data nodes a, b, witness w, not ""`},
		{"isolate", &chaos.Spec{Data: []string{"a"}}, chaos.PresetArgs{Node: "a", Lasts: lasts}, "alone already"},
		{"halves", two, chaos.PresetArgs{Node: "a", Lasts: lasts}, "takes no node"},
		{"halves", &chaos.Spec{Data: []string{"a"}, Witness: "w"}, chaos.PresetArgs{Lasts: lasts}, "no halves"},
		{"bridge", two, chaos.PresetArgs{Node: "a", Lasts: lasts}, "three data nodes"},
		{"bridge", two, chaos.PresetArgs{Node: "w", Lasts: lasts}, "want a data node"},
		{"ring", two, chaos.PresetArgs{Lasts: lasts}, "at least 4 data nodes"},
		{"flap", two, chaos.PresetArgs{From: "a", To: "x", Lasts: lasts}, `to: want a member`},
		{"flap", two, chaos.PresetArgs{From: "a", To: "a", Lasts: lasts}, "two ends"},
		{"slow", two, chaos.PresetArgs{From: "a", To: "b", Lasts: lasts}, "delay is missing"},
		{"witness_alone", four, chaos.PresetArgs{Lasts: lasts}, "no witness"},
	} {
		faults, err := preset(t, test.name).Faults(test.spec, test.args)
		var words []string
		for _, f := range faults {
			words = append(words, f.String())
			if f.Lasts != lasts {
				t.Errorf("%s: %s lasts %s", test.name, f, f.Lasts)
			}
		}
		if got := strings.Join(words, "; "); got != test.want && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s %+v: %s, %v; want %s", test.name, test.args, got, err, test.want)
		}
	}
}

// A script that isolates, halves, bridges or rings cuts the links that the preset
// of that name cuts: there is one way.
func TestScriptsAndPresetsCutTheSame(t *testing.T) {
	t.Parallel()
	spec := &chaos.Spec{Data: []string{"a", "b", "c", "d"}, Witness: "w"}
	for name, call := range map[string]string{
		"isolate": `isolate("b", lasts = "1s")`, "halves": `halves(["a", "b"], ["c", "d"], lasts = "1s")`,
		"bridge": `bridge("b", lasts = "1s")`, "ring": `ring(lasts = "1s")`,
	} {
		args := chaos.PresetArgs{Lasts: time.Second}
		if len(preset(t, name).Takes) > 0 {
			args.Node = "b"
		}
		faults, err := preset(t, name).Faults(spec, args)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			c := newFake("a", "b", "c", "d")
			p, err := chaos.Compile("s.star", "cluster(nodes = 4, witness = True)\n"+call+"\n")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := chaos.Run(t.Context(), chaos.Config{Program: p, Cluster: c, Now: time.Now}); err != nil {
				t.Fatal(err)
			}
			for i, f := range faults {
				if calls := c.calls(); len(calls) <= i || calls[i] != f.String() {
					t.Errorf("%s: %v, want %v", call, calls, faults)
				}
			}
		})
	}
}

// Laws of the shapes: no link twice, none with one end, and what each leaves of a
// cluster is what its name says.
func TestShapesOfCuts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		spec := &chaos.Spec{}
		for i := range rapid.IntRange(4, chaos.MaxNodes).Draw(t, "nodes") {
			spec.Data = append(spec.Data, string(rune('a'+i)))
		}
		if rapid.Bool().Draw(t, "witness") {
			spec.Witness = "w"
		}
		node := rapid.SampledFrom(spec.Data).Draw(t, "node")
		cut := func(name string, links []chaos.Pair, err error) map[string]int {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			seen, of := map[string]bool{}, map[string]int{}
			for _, l := range links {
				ends := []string{l.A, l.B}
				slices.Sort(ends)
				if key := fmt.Sprint(ends); l.A == l.B || seen[key] {
					t.Fatalf("%s cuts %v", name, links)
				} else {
					seen[key] = true
				}
				of[l.A]++
				of[l.B]++
			}
			return of
		}
		n := len(spec.Data)
		links, err := spec.Isolate(node)
		if of := cut("isolate", links, err); of[node] != len(spec.Members())-1 {
			t.Fatalf("isolate %s: %v", node, links)
		}
		links, err = spec.Bridge(node)
		if of := cut("bridge", links, err); of[node] != 0 || of[spec.Witness] != 0 || len(of) != n-1 {
			t.Fatalf("bridge %s: %v", node, links)
		}
		links, err = spec.Ring()
		of := cut("ring", links, err)
		for _, name := range spec.Data {
			if n-1-of[name] != 2 {
				t.Fatalf("ring leaves %s other than two neighbours: %v", name, links)
			}
		}
		side, other, err := spec.Middle()
		if err != nil {
			t.Fatal(err)
		}
		links, err = spec.Halves(side, other)
		if of := cut("halves", links, err); len(of) != n || len(links) != len(side)*len(other) {
			t.Fatalf("halves %v %v: %v", side, other, links)
		}
	})
}

// A script that asks for another cluster says so with its place.
func TestFitsCluster(t *testing.T) {
	t.Parallel()
	p, err := chaos.Compile("s.star", "# One.\ncluster(nodes = 2, witness = True)\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.FitsCluster([]string{"b", "a"}, []string{"w"}); err != nil {
		t.Error(err)
	}
	for _, c := range [][2][]string{{{"a", "b"}, nil}, {{"a", "b", "c"}, {"w"}}, {{"a", "b"}, {"v"}}} {
		err := p.FitsCluster(c[0], c[1])
		if err == nil || !strings.HasPrefix(err.Error(), "s.star:2:1: the script wants data nodes a, b, witness w; the cluster has data nodes a, b") {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// "progress while it runs": each step has its kind and the line of the script that
// it is of, and a run that needs more memory than it may is void.
func TestSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, err := chaos.Compile("s.star", two+`note("hello")
wait("1s")
cut("a", "b", lasts = "10s")
put("a", "k/1", {})
timeline()
expect(True, what = "it holds")
`)
		if err != nil {
			t.Fatal(err)
		}
		var steps []chaos.Step
		result, err := chaos.Run(t.Context(), chaos.Config{
			Program: p, Cluster: newFake("a", "b"), Now: time.Now, Step: func(s chaos.Step) { steps = append(steps, s) }, MaxRecords: 8,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []chaos.Step{
			{Kind: chaos.StepNote, Line: 2, Text: "hello"},
			{Kind: chaos.StepWait, Line: 3, Text: "wait 1s"},
			{Kind: chaos.StepNet, Line: 4, Text: "cut a ↔ b, for 10s"},
			{Kind: chaos.StepClient, Line: 5, Text: "put {} to k/1 at a: ok"},
			{Kind: chaos.StepTimeline, Line: 6},
			{Kind: chaos.StepClaim, Line: 7, Text: "✓ it holds"},
			{Kind: chaos.StepState, Text: "a is writable"},
			{Kind: chaos.StepNet, Text: "heal everything"},
			{Kind: chaos.StepWait, Text: "wait for at most 2m0s until all data nodes are equal"},
		} {
			if !slices.ContainsFunc(steps, func(s chaos.Step) bool {
				return s.Kind == want.Kind && s.Line == want.Line && (want.Text == "" || s.Text == want.Text) && !s.At.IsZero()
			}) {
				t.Errorf("%+v is missing in %+v", want, steps)
			}
		}
		if v := result.Verdict; v.Held || !slices.Contains(v.Reasons, "void: the history is full: 8 records") {
			t.Errorf("%v", v.Reasons)
		}
	})
}
