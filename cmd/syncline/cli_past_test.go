package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/syncline/syncline/client"
)

// "history … revive (restores an old version)" and an old version read by its
// dot (API, Command line).
func TestHistoryAndRevive(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	s.run("collections", "set", "accounts", "--history", "24h").want(t, exitOK)
	s.run("put", "accounts", "alice", `{"balance": 120}`).want(t, exitOK)
	s.run("put", "accounts", "alice", `{"balance":70}`).want(t, exitOK)
	var whole client.HistoryPage
	r := s.run("history", "accounts", "alice", "--output", "json").want(t, exitOK)
	if err := json.Unmarshal([]byte(r.out), &whole); err != nil || len(whole.Versions) != 2 || !whole.Complete || !whole.Versions[0].Live {
		t.Fatalf("%s, %v", r.out, err)
	}
	live, old := whole.Versions[0].Dot, whole.Versions[1].Dot
	s.run("history", "accounts", "alice").want(t, exitOK, "VERSION", live, "live", old, "covered by "+live).without(t, "no longer")
	if r := s.run("history", "accounts", "alice", "--output", "ndjson", "--limit", "1").want(t, exitOK, live); strings.Count(r.out, "\n") != 1 {
		t.Errorf("with --limit 1:\n%s", r.out)
	}
	if r := s.run("get", "accounts", "alice", "--dot", old).want(t, exitOK); r.out != `{"balance": 120}`+"\n" {
		t.Errorf("the old version: %q", r.out)
	}
	s.run("history", "accounts", "alice", "--diff", old+"..").want(t, exitOK, "/balance", "120", "70")
	s.run("history", "accounts", "alice", "--diff", old+".."+old).want(t, exitOK, "no member differs")
	s.run("history", "accounts", "alice", "--diff", old+"..", "--output", "json").want(t, exitOK, `"path": "/balance"`)
	s.run("rm", "accounts", "alice").want(t, exitOK)
	s.run("history", "accounts", "alice", "--diff", old+"..").want(t, exitOK, "(all of it)", "(absent)")
	s.run("history", "accounts", "alice").want(t, exitOK, "(deleted)")

	s.run("revive", "accounts", "alice", old, "--if-match", `"`+live+`"`).want(t, exitConflict, "412")
	s.run("revive", "accounts", "alice", old).want(t, exitOK, "accounts/alice is a~")
	if r := s.run("get", "accounts", "alice").want(t, exitOK); r.out != `{"balance": 120}`+"\n" {
		t.Errorf("revived: %q", r.out)
	}
	s.run("revive", "accounts", "alice", "a~k3f9x2mz:42").want(t, exitNotFound, "does not have version")
	s.run("get", "accounts", "alice", "--dot", "x").want(t, exitError, "400")
	s.run("history", "accounts", "nobody").want(t, exitNotFound)
	s.run("history", "accounts", "alice", "--limit", "-1").want(t, exitUsage)
	s.run("history", "accounts", "alice", "--diff", "x").want(t, exitUsage, "VERSION..VERSION")
	s.run("history", "accounts").want(t, exitUsage)
	s.run("revive", "accounts", "alice").want(t, exitUsage)
}

// What is no longer here is said to be so; a version that lost is found through
// its record.
func TestHistoryIsHonest(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	id := s.split("alice")
	loser := strings.Fields(s.run("siblings", "accounts", "alice").out)[4]
	s.run("conflicts", "resolve", id, "--delete").want(t, exitOK)
	s.run("history", "accounts", "alice").want(t, exitOK, "no longer, or never had").without(t, loser+",")
	r := s.run("siblings", "accounts", "alice").want(t, exitOK)
	s.run("conflicts", "show", id).want(t, exitOK, "had seen a~").without(t, "not on record", "Episode")
	s.run("conflicts", "ls", "--episode", id).want(t, exitOK, "no such conflicts")
	s.run("conflicts", "ls", "--episode", "x").want(t, exitError, "400")
	for line := range strings.Lines(s.run("conflicts", "ls", "--state", "settled", "--output", "ndjson").want(t, exitOK).out) {
		if !strings.Contains(line, `"episode":""`) {
			t.Errorf("%s\n%s", line, r.out)
		}
	}
}
