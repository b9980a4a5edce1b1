package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/scripts/chaos"
)

// "cut a b --one-way --for 30s"; "a duration is mandatory"; "the command line
// and the page set it on both ends" (API).
func TestCutIsPutOnBothEnds(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b", "c")
	a, b, c := s.nodes["a"], s.nodes["b"], s.nodes["c"]
	cut := s.run("chaos", "cut", "a", "b", "--for", "20s").want(t, exitOK, "a ↔ b", "cut")
	if !regexp.MustCompile(`\b1?\d s\b`).MatchString(cut.out) {
		t.Errorf("it does not say for how long:\n%s", cut.out)
	}
	for _, n := range []*cliNode{a, b} {
		if len(n.faults) != 1 || !n.faults[0].Both || n.faults[0].From != "a" || n.faults[0].To != "b" || time.Duration(n.faults[0].Duration) != 20*time.Second {
			t.Errorf("%s has the faults %+v", n.name, n.faults)
		}
	}
	s.run("chaos", "cut", "b", "c", "--one-way").want(t, exitOK, "b → c")
	if f := c.faults; len(f) != 1 || f[0].Both || time.Duration(f[0].Duration) != defaultCut {
		t.Errorf("c has the faults %+v", f)
	}
	s.run("chaos", "ls").want(t, exitOK, "a ↔ b", "b → c")
	s.run("chaos", "ls", "--output", "json").want(t, exitOK, `"node": "c"`)
	if r := s.run("chaos", "ls", "--output", "ndjson").want(t, exitOK); strings.Count(r.out, "\n") != 4 {
		t.Errorf("want 4 lines:\n%s", r.out)
	}
	// One link is healed, and the other stays cut.
	s.run("chaos", "heal", "b", "a").want(t, exitOK, "2 faults ended")
	if len(a.faults) != 0 || len(b.faults) != 1 || len(c.faults) != 1 {
		t.Errorf("after healing a–b: %+v %+v %+v", a.faults, b.faults, c.faults)
	}
	// One direction is healed where it is disturbed.
	s.run("chaos", "heal", "c", "b", "--one-way").want(t, exitOK, "0 faults ended")
	s.run("chaos", "heal", "--one-way").want(t, exitUsage, "two ends")
	s.run("chaos", "heal", "--output", "json").want(t, exitOK, `"healed": 2`)
	if len(b.faults)+len(c.faults) != 0 {
		t.Errorf("after healing all: %+v %+v", b.faults, c.faults)
	}
}

// A script's cut is put on both ends; what delays or loses one direction alone
// works where it is sent from, and the other end refuses it.
func TestFaultsOfScriptsArePutWhereTheyWork(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b")
	var members chaosMembers
	for _, name := range []string{"a", "b"} {
		m, err := newChaosMember(name, true, s.nodes[name].server.URL)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, m)
	}
	defer members.close()
	nobody := func(string) bool { return false }
	for _, test := range []struct {
		fault chaos.Fault
		ends  [2]int // faults at a and b
	}{
		{chaos.Fault{Kind: chaos.Cut, From: "b", To: "a", OneWay: true}, [2]int{1, 1}},
		{chaos.Fault{Kind: chaos.Slow, From: "b", To: "a", Delay: time.Millisecond}, [2]int{2, 2}},
		{chaos.Fault{Kind: chaos.Slow, From: "b", To: "a", Delay: time.Millisecond, OneWay: true}, [2]int{2, 3}},
		{chaos.Fault{Kind: chaos.Lose, From: "a", To: "b", Share: 0.5, OneWay: true}, [2]int{3, 3}},
	} {
		test.fault.Lasts = time.Minute
		if err := members.breakOn(t.Context(), test.fault, nobody); err != nil {
			t.Fatal(err)
		}
		if have := [2]int{len(s.nodes["a"].faults), len(s.nodes["b"].faults)}; have != test.ends {
			t.Errorf("after %s a and b have %v faults, want %v", test.fault, have, test.ends)
		}
	}
	down := func(name string) bool { return name == "a" }
	one := chaos.Fault{Kind: chaos.Slow, From: "a", To: "b", Delay: time.Millisecond, OneWay: true, Lasts: time.Minute}
	if err := members.breakOn(t.Context(), one, down); err == nil || !strings.Contains(err.Error(), "a takes no fault now") {
		t.Errorf("a fault on what a sends, while a is down: %v", err)
	}
}

func TestHalfACutIsTakenBack(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b")
	a, b := s.nodes["a"], s.nodes["b"]
	b.wrap(func(node http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		node.ServeHTTP(w, r)
	})
	s.run("chaos", "cut", "a", "b").want(t, exitError, "b: POST /v1/chaos/faults")
	if len(a.faults) != 0 {
		t.Errorf("a keeps its half: %+v", a.faults)
	}
	b.server.Close()
	s.run("chaos", "cut", "a", "b").want(t, exitUnreachable)
	s.run("chaos", "heal").want(t, exitUnreachable, "b: ")
	s.run("chaos", "ls").want(t, exitOK, "b: its faults are unknown")
}

func TestChaosSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b")
	s.run("chaos", "cut", "a", "b").want(t, exitNotFound, "a was started without --chaos")
	s.run("chaos", "cut", "a", "w").want(t, exitError, "w has no API address")
	s.run("chaos", "cut", "a", "z").want(t, exitUsage, `no member "z" in the roster, which has a, b, w`)
	s.run("chaos", "cut", "a", "a").want(t, exitUsage, "two ends")
	s.run("chaos", "ls").want(t, exitOK, "a was started without --chaos")
	s.run("chaos", "heal").want(t, exitOK, "0 faults")
}
