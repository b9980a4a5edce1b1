package main

import (
	"testing"

	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/scripts/resolvers"
)

// Issue 6: "the page has no private door": what the tour tries, the command line
// has too, byte for byte.
func TestResolverExamplesFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	s.run("resolver", "examples").want(t, exitOK, "sum_deltas", "no_overdraft", "An account: deposits stand")
	s.run("resolver", "examples", "--output", "json").want(t, exitOK, `"name": "sum_deltas"`, `"source"`)
	s.run("resolver", "examples", "--output", "ndjson").want(t, exitOK, `"name":"no_overdraft"`)
	s.run("resolver", "examples", "nothing").want(t, exitError, "no example nothing", "no_overdraft")
	source, err := resolvers.Files.ReadFile("no_overdraft.star")
	if err != nil {
		t.Fatal(err)
	}
	shown := s.run("resolver", "examples", "no_overdraft").want(t, exitOK)
	if shown.out != string(source) {
		t.Errorf("%q", shown.out)
	}
	s.feed(shown.out, "resolver", "put", "no_overdraft", "-").want(t, exitOK, "resolver no_overdraft is at version")
}

// Each example says in its first comment what it is for.
func TestExamplesSayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	all, err := resolverExamples()
	if err != nil || len(all) < 4 {
		t.Fatalf("%d examples (%v)", len(all), err)
	}
	for _, one := range all {
		if len(one.About) < 20 || one.Source == "" || one.Name == "" {
			t.Errorf("%+v", rest.ResolverExample{Name: one.Name, About: one.About})
		}
	}
	if got := firstComment("# One\n# two.\n\n# three\n"); got != "One two." {
		t.Errorf("%q", got)
	}
}
