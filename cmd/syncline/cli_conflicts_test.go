package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/client"
)

const shownConflict = `{"id":"abcdefghijklmnopqrstuvwx23","state":"reviewed","by":"policy","collection":"accounts","doc_id":"alice",
	"policy":{"kind":"script","version":"a~k3f9x2mz:1","resolver":"sum_deltas","resolver_version":"0123456789abcdef"},
	"run":{"notes":["added \u001b[2J"],"events":[{"name":"sum","data":{"n":1}}],"steps":7,"output":"one\ntwo\n","more":3},"reason":"later by 2.4 s; measured clock offset 3 ms","who":"a","at":"2026-11-21T14:02:13.40000000Z",
	"lost_count":3,"lost":[{"dot":"a~k3f9x2mz:4","path":"/balance","value":20,"delta":"-50"},{"dot":"a~k3f9x2mz:4","path":"/note","value":"x\u001b[2J","delta":null}],
	"trace":[{"action":"restore","dot":"a~k3f9x2mz:4","who":"eve","at":"2026-11-21T15:00:00.00000000Z"},{"action":"review","dot":null,"who":"eve","at":"2026-11-21T15:00:01.00000000Z"}],
	"base":null,"base_exact":false,"episode":null,
	"siblings":[{"dot":"a~k3f9x2mz:4","node":"a","time":"2026-11-21T14:02:11.00000009Z","deleted":false,"hidden":false,"size":60,"clock":{"a~k3f9x2mz":3},
			"doc":{"balance":20,"name":"Alice","tags":["x", "y"],"note":"x\u001b[2J","deep":{"a/b":1,"empty":{}}}},
		{"dot":"node-b~77xq01ab:9","node":"node-b","time":"2026-11-21T14:02:13.40000000Z","deleted":false,"hidden":false,"size":60,"clock":{"a~k3f9x2mz":3,"node-b~77xq01ab":8},"loose":["c~00000001:7"],
			"doc":{"balance":70,"name":"Alice","tags":["x","y"],"deep":{"a/b":2,"empty":{}}}},
		{"dot":"node-b~77xq01ab:10","node":"node-b","time":"2026-11-21T14:02:13.40000001Z","deleted":true,"hidden":true,"size":0,"clock":null,"doc":null}],
	"shown":{"dot":"node-b~77xq01ab:9","deleted":false,"doc":{"balance":70}},"result":{"dot":"a~k3f9x2mz:5","deleted":false,"doc":{"balance":70,"name":"Alice","tags":["x","y"],"deep":{"a/b":2,"empty":{}}}}}`

// goldenShow is what people see of it.
const goldenShow = `Conflict abcdefghijklmnopqrstuvwx23 of accounts/alice: reviewed, ended by policy (a), 2026-11-21 14:02:13.400Z
Reason      later by 2.4 s; measured clock offset 3 ms
Policy      script sum_deltas, version 0123456789abcdef, configured by a~k3f9x2mz:1
Shown       version 2, node-b~77xq01ab:9
Note        added �[2J
Event       sum {"n":1}
Printed     one
Printed     two
Left out    3 notes, events or bytes that were printed
Since then  restore by eve, 2026-11-21 15:00:00.000Z, to a~k3f9x2mz:4
Since then  review by eve, 2026-11-21 15:00:01.000Z

   MEMBER       BASE  1, AT a       2, AT node-b  3, AT node-b  RESULT
!  /balance     —     20            70            (deleted)     70
!  /deep/a~1b   —     1             2             (deleted)     2
   /deep/empty  —     {}            {}            (deleted)     {}
   /name        —     "Alice"       "Alice"       (deleted)     "Alice"
!  /note        —     "x\u001b[2J"  (absent)      (deleted)     (absent)
   /tags        —     ["x","y"]     ["x","y"]     (deleted)     ["x","y"]

   LOST          OF  VALUE         MORE OR LESS
   /balance      1   20            -50
   /note         1   "x\u001b[2J"
   … and 1 more

            before     2026-11-21 14:02:11.000Z     +2.400 s     +2.400 s     the end
  a       --o----------[1]----------------------------------------------------[*]------->
  c       --o--------------------------------------------------------------------------->
  node-b  --o---------------------------------------[2]----------[3]-------------------->

  [1] a~k3f9x2mz:4 had seen a~k3f9x2mz:3
  [2] node-b~77xq01ab:9 had seen a~k3f9x2mz:3, node-b~77xq01ab:8, c~00000001:7
  [3] node-b~77xq01ab:10 has no account of what it had seen: that is not on record; it is another attempt of a write that is here too
  [*] a~k3f9x2mz:5 had seen all of them, and ended the conflict
`

// goldenOpen is an open conflict of a value and a deletion.
const goldenOpen = `Conflict abcdefghijklmnopqrstuvwx23 of accounts/bob: open
Reason  it waits for a person, and the value shown stands in meanwhile
Policy  manual
Shown   version 1, a~k3f9x2mz:4

   MEMBER  BASE  1, AT a                           2, AT b
!  /n      —     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…  (deleted)

       2026-11-21 14:02:11.000Z     +0.001 s
  a  --[1]------------------------------------->
  b  -------------------------------[2]-------->

  [1] a~k3f9x2mz:4 had seen nothing of the document
  [2] b~77xq01ab:9 had seen nothing of the document
`

const openConflict = `{"id":"abcdefghijklmnopqrstuvwx23","state":"open","by":null,"collection":"accounts","doc_id":"bob","policy":{"kind":"manual","version":null,"resolver":null},
	"reason":"it waits for a person, and the value shown stands in meanwhile","lost_count":0,"lost":[],"trace":[],"base":null,"result":null,
	"siblings":[{"dot":"a~k3f9x2mz:4","node":"a","time":"2026-11-21T14:02:11.00000009Z","deleted":false,"size":9,"clock":{},"doc":{"n":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}},
		{"dot":"b~77xq01ab:9","node":"b","time":"2026-11-21T14:02:11.00100000Z","deleted":true,"size":0,"clock":{},"doc":null}],
	"shown":{"dot":"a~k3f9x2mz:4","deleted":false,"doc":{}}}`

// "show prints base and sides in columns and an ASCII space-time diagram" (API):
// members that differ are marked, and what is not known is no value.
func TestConflictShow(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	for answer, want := range map[string]string{
		shownConflict: goldenShow,
		openConflict:  goldenOpen,
	} {
		s.nodes["a"].wrap(func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(answer))
		})
		if r := s.run("conflicts", "show", "abcdefghijklmnopqrstuvwx23").want(t, exitOK); r.out != want {
			t.Errorf("got\n%s\nwant\n%s", r.out, want)
		}
		var c client.Conflict
		r := s.run("conflicts", "show", "abcdefghijklmnopqrstuvwx23", "--output", "json").want(t, exitOK)
		if err := json.Unmarshal([]byte(r.out), &c); err != nil || len(c.Siblings) < 2 {
			t.Errorf("as JSON: %s", r.out)
		}
	}
}

// split makes a document with two live versions, and returns the id of the
// conflict.
func (s *cliStand) split(id string) string {
	s.t.Helper()
	var first, found struct {
		Context string
		ID      string
	}
	s.run("put", "accounts", id, `{"balance":120}`).want(s.t, exitOK)
	r := s.run("get", "accounts", id, "--output", "json").want(s.t, exitOK)
	if err := json.Unmarshal([]byte(r.out), &first); err != nil {
		s.t.Fatal(err)
	}
	s.run("put", "accounts", id, `{"balance":20}`, "--context", first.Context).want(s.t, exitOK)
	s.run("put", "accounts", id, `{"balance":70}`, "--context", first.Context).want(s.t, exitOK)
	for line := range strings.Lines(s.run("conflicts", "ls", "--output", "ndjson", "--collection", "accounts").want(s.t, exitOK).out) {
		if strings.Contains(line, `"doc_id":"`+id+`"`) {
			if err := json.Unmarshal([]byte(line), &found); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	if found.ID == "" {
		s.t.Fatalf("accounts/%s is in no conflict", id)
	}
	return found.ID
}

// "conflicts ls/show/resolve/restore/revert/review" (API), from the inbox to the
// record and back.
func TestConflictsFromTheInboxToTheRecord(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	s.run("conflicts", "ls").want(t, exitOK, "no such conflicts")
	id := s.split("alice")
	s.run("conflicts", "ls").want(t, exitOK, id, "accounts/alice", "open")
	s.run("conflicts", "show", id).want(t, exitOK, "alice: open", "!  /balance  —     20       70", "[2]-", "had seen a~")
	s.run("conflicts", "resolve", id, "--pick", "3").want(t, exitUsage, "the conflict has 2")
	s.run("conflicts", "resolve", id, "--pick", "a~00000000:9").want(t, exitError, "422")
	s.run("conflicts", "resolve", id, "--pick", "1", "--if-match", `"other"`).want(t, exitConflict, "412")
	s.run("conflicts", "resolve", id, "--pick", "1", "--reason", "the first is right").want(t, exitOK, "conflict "+id+" of accounts/alice is resolved: a~")
	s.run("get", "accounts", "alice").want(t, exitOK, `{"balance":20}`)
	s.run("conflicts", "resolve", id, "--pick", "1").want(t, exitConflict, "409", "Nothing is left to decide")
	s.run("conflicts", "show", id).want(t, exitOK, "settled, ended by person (anonymous)", "the first is right", "[*]", "/balance  2   70     +50")
	s.run("conflicts", "restore", id, "2", "--output", "json").want(t, exitOK, `"conflict": "`+id+`"`, `"node": "a"`)
	s.run("get", "accounts", "alice").want(t, exitOK, `{"balance":70}`)
	s.run("conflicts", "revert", id).want(t, exitError, "422", "ended by person")
	s.run("conflicts", "review", id).want(t, exitOK, "is reviewed")
	s.run("conflicts", "ls", "--state", "reviewed").want(t, exitOK, "reviewed, settled by person")
	s.run("conflicts", "ls", "--by", "person").want(t, exitOK, "no such conflicts")
	s.run("conflicts", "ls", "--by", "me").want(t, exitError, "400")
	s.run("conflicts", "show", "aaaaaaaaaaaaaaaaaaaaaaaaaa").want(t, exitNotFound)

	for name, flags := range map[string][]string{
		"doc": {"--doc", `{"balance":50}`}, "file": {"--file", "-"}, "delete": {"--delete"},
	} {
		args := append([]string{"conflicts", "resolve", s.split(name)}, flags...)
		s.feed(`{"balance":50}`, args...).want(t, exitOK, "is resolved")
		if name == "delete" {
			s.run("get", "accounts", name).want(t, exitNotFound)
			continue
		}
		s.run("get", "accounts", name).want(t, exitOK, `{"balance":50}`)
	}
	if r := s.run("conflicts", "ls", "--state", "settled", "--output", "json", "--limit", "2").want(t, exitOK, `"conflicts"`); strings.Count(r.out, `"id"`) != 2 {
		t.Errorf("want 2:\n%s", r.out)
	}
}

// "One sibling more makes another id; the old one answers 409 conflict_changed
// with the new"; "4 conflict or precondition" (API).
func TestConflictThatChanged(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	old := s.split("alice")
	var both struct{ Context string }
	first := s.run("siblings", "accounts", "alice", "--output", "json").want(t, exitOK)
	if err := json.Unmarshal([]byte(first.out), &both); err != nil {
		t.Fatal(err)
	}
	s.run("put", "accounts", "alice", `{"balance":1}`).want(t, exitOK)
	s.run("put", "accounts", "alice", `{"balance":2}`, "--context", both.Context).want(t, exitOK, "2 versions are in conflict")
	s.run("conflicts", "show", old).want(t, exitOK, "ended by overwritten")

	s.run("collections", "set", "accounts", "--policy", "manual").want(t, exitOK, "manual")
	s.run("put", "accounts", "alice", `{}`).want(t, exitConflict, "open_conflict", "syncline conflicts show ")
	s.nodes["a"].wrap(func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"title":"T","status":409,"code":"conflict_changed","detail":"d","node":"a","trace_id":"t","conflict":"zbcdefghijklmnopqrstuvwx23"}`))
	})
	for _, args := range [][]string{{"show"}, {"resolve", "--delete"}, {"revert"}, {"review"}} {
		args = append([]string{"conflicts", args[0], old}, args[1:]...)
		s.run(args...).want(t, exitConflict, "syncline conflicts show zbcdefghijklmnopqrstuvwx23")
	}
}

// "bulk with dry_run": many by one rule, and what could not be done is said.
func TestResolveAll(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	for _, id := range []string{"x", "y", "z"} {
		s.split(id)
	}
	all := []string{"conflicts", "resolve", "--all", "--pick"}
	run := func(args ...string) result { return s.run(append(slices.Clip(all), args...)...) }
	run("newest", "--dry-run").want(t, exitOK, "would stay as it is shown", "3 to be resolved; nothing was changed, 0 failed")
	run("oldest", "--dry-run", "--limit", "2").want(t, exitOK, "would change what is shown", "2 to be resolved", "there are more")
	run("node=b").want(t, exitOK, "skipped: nothing of it was written at node b", "0 resolved, 0 failed, 3 skipped")
	run("newest", "--collection", "others", "--output", "ndjson").want(t, exitOK, `{"done":true,"dry_run":false,"ok":0,"failed":0,"skipped":0,"more":false}`)
	run("oldest", "--only", strings.Repeat("a", 26), "--dry-run").want(t, exitNotFound, "0 to be resolved", "1 failed")
	run("oldest", "--policy", "lww", "--reason", "a rule").want(t, exitOK, "resolved by a~", "3 resolved, 0 failed, 0 skipped")
	s.run("get", "accounts", "y").want(t, exitOK, `{"balance":20}`)
	s.nodes["a"].turn(false)
	run("newest").want(t, exitReadOnly)
	s.nodes["a"].wrap(func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"conflict":"c","collection":"accounts","id":"x","pick":"a~k3f9x2mz:1","status":503,"problem":{"title":"T","status":503,"code":"read_only","detail":"no votes","node":"a","trace_id":"t"}}
{"done":true,"ok":0,"failed":1}
`))
	})
	run("newest").want(t, exitReadOnly, "no votes", "1 of 1 conflicts stay open")
	run("newest", "--output", "json").want(t, exitReadOnly, `"code": "read_only"`)
}

// "collections": what is in force, and each member by a flag of its own.
func TestCollectionsAreConfigured(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	s.run("put", "accounts", "alice", `{}`).want(t, exitOK)
	s.run("collections", "show", "accounts").want(t, exitOK, "lww", "(defaults)", "1048576 bytes")
	s.run("collections", "set", "accounts", "--policy", "lww", "--path", "/balance", "--require-context", "--body-limit", "2000", "--records", "forever").
		want(t, exitOK, "lww by /balance", "2000 bytes", "forever", "yes")
	s.run("collections", "set", "accounts", "--require-context=false").want(t, exitOK, "lww by /balance", "2000 bytes")
	s.run("collections", "set", "accounts", "--policy", "manual").want(t, exitOK, "manual").without(t, "/balance")
	s.feed(`{"delete":"update_wins"}`, "collections", "set", "others", "--file", "-").want(t, exitOK, "update_wins")
	s.run("collections", "ls").want(t, exitOK, "accounts", "manual", "others", "COLLECTION")
	s.run("collections", "ls", "--output", "json").want(t, exitOK, `"collections"`, `"kind": "manual"`)
	s.run("collections", "ls", "--output", "ndjson", "--prefix", "o").want(t, exitOK, `"name":"others"`).without(t, "accounts")
	s.run("collections", "show", "others", "--output", "json").want(t, exitOK, `"delete": "update_wins"`)
	s.run("collections", "set", "accounts", "--policy", "best").want(t, exitError, "422")
	s.run("collections", "set", "accounts", "--ack", "all").want(t, exitError, "501")
	s.run("collections", "set", "accounts", "--delete", "lww", "--if-match", `"other"`).want(t, exitConflict, "412")
	s.run("collections", "set", "accounts", "--reset").want(t, exitConflict, "not_empty")
	s.run("collections", "set", "others", "--reset").want(t, exitOK, "(defaults)")
	s.run("put", "careful", "x", "{}", "--if-none-match").want(t, exitOK)
	s.run("collections", "set", "careful", "--require-context").want(t, exitOK)
	s.run("put", "careful", "x", "{}").want(t, exitConflict, "428", "--if-match")
}

func TestDecisionsThatSayTooLittle(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	for args, says := range map[string]string{
		"conflicts show":                                         "conflicts show ID",
		"conflicts ls --limit -1":                                "--limit",
		"conflicts ls all":                                       "conflicts ls",
		"conflicts resolve":                                      "which conflict?",
		"conflicts resolve x":                                    "one of --pick, --doc, --file, --delete and --resolver",
		"conflicts resolve x --pick 1 --delete":                  "one of --pick",
		"conflicts resolve x --pick 1 --resolver r":              "one of --pick",
		"conflicts resolve --all --pick newest --resolver r":     "say one of them",
		"conflicts resolve x --delete --dry-run":                 "go with --all",
		"conflicts resolve x --delete --only x":                  "go with --all",
		"conflicts resolve x --all --pick newest":                "leave one of them out",
		"conflicts resolve --all":                                "newest, oldest or node=NAME",
		"conflicts resolve --all --pick node=":                   "newest, oldest or node=NAME",
		"conflicts resolve --all --pick newest --delete":         "--all takes --pick",
		"conflicts resolve --all --pick newest --limit 1001":     "from 1 to 1000",
		"conflicts restore x":                                    "conflicts restore ID VERSION",
		"conflicts review":                                       "which conflicts?",
		"conflicts fly":                                          "no command",
		"collections set accounts":                               "one of the three",
		"collections set accounts --ack local --reset":           "one of the three",
		"collections set accounts --policy lww --body-limit x":   "invalid argument",
		"collections set accounts --policy lww --file conf.json": "one of the three",
	} {
		s.run(strings.Fields(args)...).want(t, exitUsage, says)
	}
}
