package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// "get put patch rm ls: data" (API, Command line), and the exit codes: "0 ok,
// 1 error, 2 usage, 3 not found, 4 conflict or precondition, 5 read-only,
// 6 unreachable".
func TestDocumentsGoInAndComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	body := `{"balance":120,  "n":1.50}`
	s.run("put", "accounts", "a/b c", body).want(t, exitOK, "accounts/a/b c is a~", "written at node a (ack local)")
	if r := s.run("get", "accounts", "a/b c").want(t, exitOK); r.out != body+"\n" {
		t.Errorf("the bytes changed on the way: %q", r.out)
	}
	s.feed(`{"balance":70}`, "patch", "accounts", "a/b c").want(t, exitOK)
	s.run("get", "accounts", "a/b c").want(t, exitOK, `"balance":70`, `"n":1.50`)
	s.run("patch", "accounts", "a/b c", "--json-patch", `[{"op":"remove","path":"/n"}]`).want(t, exitOK)
	s.run("get", "accounts", "a/b c").want(t, exitOK).without(t, `"n"`)
	s.run("rm", "accounts", "a/b c").want(t, exitOK)
	s.run("get", "accounts", "a/b c").want(t, exitNotFound, "deleted")
	s.run("rm", "accounts", "nobody").want(t, exitNotFound)
}

func TestPutReadsFilesAndStandardInput(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	file := filepath.Join(t.TempDir(), "doc.json")
	if err := os.WriteFile(file, []byte(`{"from":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("put", "c", "one", "--file", file).want(t, exitOK)
	s.feed(`{"from":"input"}`, "put", "c", "two", "-f", "-").want(t, exitOK)
	s.run("get", "c", "one").want(t, exitOK, `{"from":"file"}`)
	s.run("get", "c", "two").want(t, exitOK, `{"from":"input"}`)
	s.run("put", "c", "three", "{}", "--file", file).want(t, exitUsage, "leave one out")
	s.run("put", "c", "three", "--file", filepath.Join(t.TempDir(), "none")).want(t, exitError, "none")
	s.run("put", "c", "three", `{"a":1,"a":2}`).want(t, exitError, "400 bad_json")
	s.feed(strings.Repeat(" ", maxInput+1), "put", "c", "big").want(t, exitError, "16 MiB")
}

// "a context older than what is shown makes a sibling (Conflict-Count 2)"; "A
// read never hides a conflict" (DESIGN 8).
func TestConflictsAreSeenAndEndedByAContext(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	type shown struct {
		ETag, Context string
		Conflicts     int
		Doc           json.RawMessage
	}
	read := func() (d shown) {
		t.Helper()
		r := s.run("get", "accounts", "alice", "--output", "json").want(t, exitOK)
		if err := json.Unmarshal([]byte(r.out), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	s.run("put", "accounts", "alice", `{"balance":120}`).want(t, exitOK)
	old := read()
	s.run("put", "accounts", "alice", `{"balance":20}`, "--context", old.Context).want(t, exitOK)
	s.run("put", "accounts", "alice", `{"balance":70}`, "--context", old.Context).want(t, exitOK, "2 versions are in conflict")
	s.run("get", "accounts", "alice").want(t, exitOK, `{"balance":70}`, "2 versions are in conflict", "syncline siblings accounts alice")
	s.run("siblings", "accounts", "alice").want(t, exitOK, `{"balance":20}`, `{"balance":70}`, "VERSION")
	s.run("ls", "accounts", "--conflicted").want(t, exitOK, "alice", "2")
	s.run("status").want(t, exitOK, "Open conflicts", "syncline ls COLLECTION --conflicted")

	both := read()
	if both.Conflicts != 2 {
		t.Fatalf("conflicts %d, want 2", both.Conflicts)
	}
	s.run("put", "accounts", "alice", "{}", "--if-match", old.ETag).want(t, exitConflict, "412", "Read again")
	s.run("put", "accounts", "alice", "{}", "--if-none-match").want(t, exitConflict)
	s.run("put", "accounts", "alice", `{"balance":20}`, "--context", both.Context).want(t, exitOK).without(t, "conflict")
	if now := read(); now.Conflicts != 0 || !sameJSON(now.Doc, []byte(`{"balance":20}`)) {
		t.Errorf("after the decision: %+v", now)
	}
	s.run("rm", "accounts", "alice").want(t, exitOK)
	s.run("put", "accounts", "alice", `{"late":true}`, "--context", both.Context).want(t, exitOK)
	s.run("siblings", "accounts", "alice", "--output", "ndjson").want(t, exitOK, `"deleted":true`)
	s.run("siblings", "accounts", "alice").want(t, exitOK, "(deleted)")
}

func TestListsShowPagesAndPrefixes(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	var in strings.Builder
	const documents = listPage + 20
	for i := range documents {
		in.WriteString(`{"id":"d` + grouped(int64(1000+i)) + `","doc":{"long":"` + strings.Repeat("x", 2*shownDoc) + `"}}` + "\n")
	}
	s.feed(in.String(), "import", "things").want(t, exitOK, "520 documents imported")
	count := func(r result) int { return strings.Count(r.out, "\n") }
	if n := count(s.run("ls", "things").want(t, exitOK, "…")); n != documents+1 {
		t.Errorf("%d lines, want a head and %d", n, documents)
	}
	if n := count(s.run("ls", "things", "--output", "ndjson").want(t, exitOK)); n != documents {
		t.Errorf("%d lines of NDJSON, want %d", n, documents)
	}
	if n := count(s.run("ls", "things", "--limit", "7", "--output", "ndjson").want(t, exitOK)); n != 7 {
		t.Errorf("%d lines, want 7", n)
	}
	if n := count(s.run("ls", "things", "--prefix", "d1,00", "--output", "ndjson").want(t, exitOK)); n != 10 {
		t.Errorf("%d lines with the prefix, want 10", n)
	}
	var all struct{ Documents []shownDocument }
	if err := json.Unmarshal([]byte(s.run("ls", "things", "--output", "json").want(t, exitOK).out), &all); err != nil || len(all.Documents) != documents {
		t.Errorf("%d documents as JSON, want %d (%v)", len(all.Documents), documents, err)
	}
	s.run("ls").want(t, exitOK, "COLLECTION", "things", "520")
	s.run("ls", "--output", "json").want(t, exitOK, `"collections"`)
	s.run("ls", "--output", "ndjson").want(t, exitOK, `"collection":"things"`)
	s.run("ls", "none").want(t, exitOK)
	s.run("ls", "things", "--limit", "-1").want(t, exitUsage, "--limit")
}

func TestWrongCommandLinesSayWhatToDo(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"get accounts", exitUsage, "syncline get COLLECTION ID"},
		{"put accounts", exitUsage, "syncline put COLLECTION ID [JSON]"},
		{"get a b --output xml", exitUsage, "table, json, ndjson"},
		{"get a b --watch", exitUsage, "status, links and votes have"},
		{"get a b --token-file t", exitError, "no tokens yet"},
		{"get a b --node ftp://x", exitUsage, "want an address such as http://127.0.0.1:7401"},
		{"--output json version", exitUsage, "asks no node"},
		{"--node x demo", exitUsage, "asks no node"},
		{"demo --data redhat", exitUsage, "only debian is known"},
		{"chaos heal a", exitUsage, "two ends"},
		{"chaos cut a", exitUsage, "chaos cut A B"},
		{"chaos cut a w --for 0s", exitUsage, "above 0s"},
		{"verify --wait -1s", exitUsage, "--wait"},
		{"doctor --all", exitError, "doctor is not built yet"},
	} {
		s.run(strings.Fields(c.args)...).want(t, c.code, c.says)
	}
}

func TestReadOnlyAndUnreachableHaveTheirExitCodes(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b")
	a, b := s.nodes["a"], s.nodes["b"]
	// "repeatable, fails over": and on where the refusal names a writable node.
	a.turn(false, "b")
	s.run("put", "accounts", "alice", "{}").want(t, exitOK, "written at node b")
	b.turn(false)
	s.run("put", "accounts", "alice", "{}").want(t, exitReadOnly, "1 of 3 votes", "Reads still work")
	s.run("get", "accounts", "alice", "-n", b.url).want(t, exitOK)

	gone := newCLIStand(t, false, "x")
	gone.nodes["x"].server.Close()
	gone.run("get", "a", "b").want(t, exitUnreachable, gone.first, "--node")
	// The flag may stand before the command, and names a node to go on at.
	gone.run("-n", gone.first, "-n", b.url, "get", "accounts", "alice").want(t, exitOK)
	gone.run("status").want(t, exitUnreachable)
}
