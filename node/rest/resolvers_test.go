package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
)

// The core knows no scripts, and has the limit of their sources all the same.
func TestSourceLimitIsTheInterpreters(t *testing.T) {
	if node.MaxSource != script.MaxSource {
		t.Errorf("node takes %d bytes, the interpreter %d", node.MaxSource, script.MaxSource)
	}
}

// lines reads NDJSON.
func (a answer) lines(t testing.TB) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range bytes.Lines(a.body) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, m)
	}
	return out
}

// in reads a value by a path of member names and indexes.
func in(t testing.TB, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v has no member %s", v, step)
			}
			v = m[step]
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				t.Fatalf("%v has no element %d", v, step)
			}
			v = list[step]
		}
	}
	return v
}

// "Storing one compiles it, runs the tests in it, and runs a convergence gate;
// … a rule that depends on grouping is stored with a warning" (DESIGN 7).
func TestPutResolver(t *testing.T) {
	s := newStand(t, nil)
	a := s.must(201, "PUT", "/v1/resolvers/adder", add)
	m := a.object(t)
	if m["name"] != "adder" || m["hash"] != conflict.ScriptVersion(add) || a.header.Get("Location") != "/v1/resolvers/adder" || a.header.Get("ETag") != m["etag"] {
		t.Errorf("%v %v", a.header, m)
	}
	if in(t, m, "tests", 0, "name") != "test_adds" || in(t, m, "tests", 0, "passed") != true || in(t, m, "gate", "passed") != true || in(t, m, "gate", "resolved").(float64) == 0 {
		t.Errorf("%s", a.body)
	}
	// Each settled with the outcome of the one before gives another result than all
	// at once.
	sticky := "def resolve(c):\n    return {\"n\": len(c.siblings)}\n\ndef test_n():\n    resolve(conflict(siblings = [{\"n\": 1}, {\"n\": 2}, {\"n\": 3}]))\n"
	m = s.must(201, "PUT", "/v1/resolvers/sticky", sticky).object(t)
	if in(t, m, "gate", "warnings", 0, "check") != script.CheckGrouping {
		t.Errorf("%v", m["gate"])
	}
	got := s.must(200, "GET", "/v1/resolvers/adder", "")
	if got.object(t)["source"] != add || got.header.Get("ETag") == "" {
		t.Errorf("%s", got.body)
	}
	if got = s.must(200, "GET", "/v1/resolvers/adder", "", "Accept: text/plain"); string(got.body) != add {
		t.Errorf("%s", got.body)
	}
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"script","resolver":"adder"}}`)
	list := s.must(200, "GET", "/v1/resolvers", "").object(t)
	if in(t, list, "resolvers", 0, "used_by", 0) != "accounts" || in(t, list, "resolvers", 1, "name") != "sticky" || in(t, list, "resolvers", 0, "source") != nil {
		t.Errorf("%v", list)
	}
}

// "422 … resolver (line:column)": "compile and run-time errors with line and
// column" (issue 4, point 3).
func TestRefusedResolver(t *testing.T) {
	s := newStand(t, nil)
	m := s.must(422, "PUT", "/v1/resolvers/r", twisted).object(t)
	if in(t, m, "problems", 0, "line").(float64) < 2 || in(t, m, "problems", 0, "column").(float64) < 1 || in(t, m, "problems", 0, "msg") == "" || !strings.Contains(m["detail"].(string), "r:") {
		t.Errorf("%v", m)
	}
	m = s.must(422, "PUT", "/v1/resolvers/r", wrong).object(t)
	if in(t, m, "tests", 0, "passed") != false || in(t, m, "tests", 0, "failure", "line") != 5.0 || !strings.Contains(m["detail"].(string), "test_wrong") {
		t.Errorf("%v", m)
	}
	s.must(404, "GET", "/v1/resolvers/r", "")
}

// "Versions, rollback" (issue 4, point 3): the content names a version, so the
// old name comes back with the old source.
func TestRollback(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/resolvers/r", add)
	tag := s.must(200, "PUT", "/v1/resolvers/r", newest).header.Get("ETag")
	versions := func() (out []string) {
		for _, v := range in(t, s.must(200, "GET", "/v1/resolvers/r/versions", "").object(t), "versions").([]any) {
			out = append(out, fmt.Sprintf("%v %v", in(t, v, "hash"), in(t, v, "present")))
		}
		return out
	}
	one, two := conflict.ScriptVersion(add), conflict.ScriptVersion(newest)
	if got := versions(); !slices.Equal(got, []string{two + " true", one + " false"}) {
		t.Errorf("%v", got)
	}
	m := s.must(200, "POST", "/v1/resolvers/r/rollback", `{"hash":"`+one+`"}`, "If-Match: "+tag).object(t)
	if m["hash"] != one || m["etag"] == tag {
		t.Errorf("%v", m)
	}
	if got := versions(); !slices.Equal(got, []string{two + " false", one + " true"}) {
		t.Errorf("%v", got)
	}
	s.must(412, "DELETE", "/v1/resolvers/r", "", "If-Match: "+tag)
}

// "Playground (/v1/resolvers/check)" (issue 4, point 3).
func TestPlayground(t *testing.T) {
	s := newStand(t, nil)
	before := s.state()
	ask := func(source, about string) map[string]any {
		t.Helper()
		return s.must(200, "POST", "/v1/resolvers/check", fmt.Sprintf(`{"source":%q,"conflict":%s}`, source, about)).object(t)
	}
	m := ask(add, `{"siblings":[{"doc":{"balance":20}},{"doc":{"balance":70},"node":"north"}],"base":{"balance":120},"base_exact":true,"sums":{"/balance":"-30"}}`)
	if m["ok"] != true || in(t, m, "result", "verdict") != "value" || in(t, m, "result", "doc", "balance") != 90.0 ||
		in(t, m, "result", "notes", 0) != "added" || in(t, m, "result", "output") != "hello\n" || in(t, m, "result", "steps").(float64) == 0 {
		t.Errorf("%v", m)
	}
	m = ask("def resolve(c):\n    return {\"s\": c.sum(\"/b\"), \"base\": c.base, \"exact\": c.base_exact, \"who\": c.siblings[0].node, \"gone\": c.siblings[1].deleted}\n",
		`{"siblings":[{"doc":{},"node":"north"},{"deleted":true}],"base":{"b":1},"base_exact":true,"sums":{"/b":"2.5"}}`)
	if got := in(t, m, "result", "doc"); fmt.Sprint(got) != "map[base:map[b:1] exact:true gone:true s:2.5 who:north]" {
		t.Errorf("%v", got)
	}
	m = ask(broken, `{"siblings":[{"doc":{}}]}`)
	if in(t, m, "result", "verdict") != "failed" || in(t, m, "result", "failure", "line") != 2.0 || in(t, m, "gate", "resolved") != 0.0 {
		t.Errorf("%v", m)
	}
	m = ask(twisted, `null`)
	if m["ok"] != false || m["gate"] != nil || m["result"] != nil || len(in(t, m, "problems").([]any)) == 0 {
		t.Errorf("%v", m)
	}
	if s.state() != before {
		t.Error("the playground has stored something")
	}
	id := s.conflictOf("open")
	if m = ask(add, `"`+id+`"`); in(t, m, "result", "doc", "balance") != 90.0 {
		t.Errorf("%v", m)
	}
	siblings := s.must(200, "GET", "/v1/docs/accounts/open/siblings", "").object(t)["siblings"]
	if m = ask(add, string(mustJSON(map[string]any{"siblings": siblings}))); in(t, m, "result", "doc", "balance") != 90.0 {
		t.Errorf("what GET …/siblings shows is not taken: %v", m)
	}
	s.must(200, "PUT", "/v1/docs/accounts/open", `{}`)
	if m = ask(add, `"`+id+`"`); in(t, m, "result", "doc", "balance") != 90.0 {
		t.Errorf("of the record: %v", m)
	}
}

// "Dry run: a candidate over recorded conflicts (filter, limit), streamed: same,
// changed, failed, with both results and a diff; writes nothing" (issue 4).
func TestDryRun(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/resolvers/r", newest)
	s.must(201, "PUT", "/v1/resolvers/add", add)
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"script","resolver":"add"}}`)
	id := s.conflictOf("summed")
	s.settle() // by the script: 90
	rewritten := s.conflictOf("rewritten")
	s.must(200, "PUT", "/v1/docs/accounts/rewritten", `{"balance":70}`)
	s.must(200, "POST", "/v1/conflicts/"+rewritten+"/review", `{}`)
	before := s.state()
	run := func(body string) (outcomes []string, last map[string]any) {
		t.Helper()
		all := s.must(200, "POST", "/v1/resolvers/r/dry-run", body).lines(t)
		for _, m := range all[:len(all)-1] {
			outcomes = append(outcomes, fmt.Sprintf("%v %v", m["doc_id"], m["outcome"]))
		}
		slices.Sort(outcomes)
		return outcomes, all[len(all)-1]
	}
	got, last := run("")
	if !slices.Equal(got, []string{"rewritten same", "summed changed"}) || last["done"] != true || last["records"] != 2.0 || last["same"] != 1.0 || last["changed"] != 1.0 || last["hash"] != conflict.ScriptVersion(newest) {
		t.Errorf("%v %v", got, last)
	}
	for body, want := range map[string]string{
		fmt.Sprintf(`{"source":%q}`, add):    "[rewritten changed summed same] false",
		fmt.Sprintf(`{"source":%q}`, later):  "[rewritten deferred summed deferred] false",
		fmt.Sprintf(`{"source":%q}`, broken): "[rewritten failed summed failed] false",
		`{"filter":{"by":"script"}}`:         "[summed changed] false",
		`{"filter":{"state":"reviewed"}}`:    "[rewritten same] false",
		`{"filter":{"c":"books"}}`:           "[] false",
		`{"limit":1}`:                        "[summed changed] true",
		"{\"source\":\"def resolve(c):\\n    return DELETE\\n\",\"limit\":10000}": "[rewritten changed summed changed] false",
	} {
		outcomes, last := run(body)
		if got := fmt.Sprintf("%v %v", outcomes, last["more"]); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	for _, m := range s.must(200, "POST", "/v1/resolvers/r/dry-run", `{"filter":{"by":"script"}}`).lines(t)[:1] {
		if m["id"] != id || m["by"] != "script" || in(t, m, "recorded", "doc", "balance") != 90.0 || in(t, m, "candidate", "doc", "balance") != 70.0 ||
			fmt.Sprint(m["diff"]) != "[map[after:70 before:90 path:/balance]]" {
			t.Errorf("%v", m)
		}
	}
	if s.state() != before {
		t.Error("a dry run has written something")
	}
}

// "Always flagged: … Conflict-Reason" (DESIGN 7); a conflict tells which version
// was asked and what it left.
func TestConflictOfAResolver(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/resolvers/r", broken)
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"script","resolver":"r"}}`)
	id := s.conflictOf("open")
	a := s.must(200, "GET", "/v1/docs/accounts/open", "")
	if a.header.Get("Conflict-Reason") != "resolver_failed" || a.header.Get("Conflict-Count") != "2" || string(a.body) != `{"balance":70}` {
		t.Errorf("%v %s", a.header, a.body)
	}
	if m := s.must(409, "PUT", "/v1/docs/accounts/open", `{}`).object(t); m["code"] != "open_conflict" || m["conflict"] != id {
		t.Errorf("%v", m)
	}
	m := s.must(200, "GET", "/v1/conflicts/"+id, "").object(t)
	if m["open_reason"] != "resolver_failed" || !strings.Contains(in(t, m, "run", "failure").(string), "2:9") || !strings.Contains(m["reason"].(string), "2:9") ||
		in(t, m, "policy", "resolver") != "r" || in(t, m, "policy", "resolver_version") != conflict.ScriptVersion(broken) {
		t.Errorf("%v", m)
	}
	s.must(200, "PUT", "/v1/resolvers/r", add)
	a = s.must(200, "GET", "/v1/docs/accounts/open", "")
	if a.header["Conflict-Reason"] != nil || string(a.body) != `{"balance":90}` {
		t.Errorf("%v %s", a.header, a.body)
	}
	s.settle()
	m = s.must(200, "GET", "/v1/conflicts?by=script", "").object(t)
	if in(t, m, "conflicts", 0, "id") != id {
		t.Fatalf("%v", m)
	}
	m = s.must(200, "GET", "/v1/conflicts/"+id, "").object(t)
	if m["state"] != "settled" || m["by"] != "script" || in(t, m, "policy", "resolver_version") != conflict.ScriptVersion(add) || in(t, m, "run", "notes", 0) != "added" ||
		in(t, m, "run", "output") != "hello\n" || m["open_reason"] != nil {
		t.Errorf("%v", m)
	}
}

// "Bulk with a filter and dry_run", by a resolver (issue 4, point 5).
func TestResolveManyByResolver(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/resolvers/add", add)
	for _, id := range []string{"x", "y"} {
		s.conflictOf(id)
	}
	s.must(201, "PUT", "/v1/docs/books/moby", `{"title":1}`)
	ask := func(body string) []map[string]any { return s.must(200, "POST", "/v1/conflicts/resolve", body).lines(t) }
	all := ask(`{"resolver":"add","dry_run":true}`)
	if len(all) != 3 || all[0]["verdict"] != "value" || in(t, all[0], "doc", "balance") != 90.0 || all[0]["same"] != false || all[0]["dot"] != nil || in(t, all[0], "run", "steps") == nil || all[2]["ok"] != 2.0 {
		t.Errorf("%v", all)
	}
	all = ask(`{"resolver":"add","limit":1,"reason":"sums"}`)
	if len(all) != 2 || all[0]["dot"] == nil || all[1]["ok"] != 1.0 || all[1]["more"] != true {
		t.Errorf("%v", all)
	}
	s.must(201, "PUT", "/v1/resolvers/later", later)
	all = ask(`{"resolver":"later","dry_run":true}`)
	if in(t, all[0], "problem", "code") != "resolver_failed" || all[0]["status"] != 422.0 || all[1]["failed"] != 1.0 {
		t.Errorf("%v", all)
	}
	if m := s.must(200, "GET", "/v1/conflicts?by=script", "").object(t); in(t, m, "conflicts", 0, "reason") != "sums" || in(t, m, "conflicts", 0, "who") != "anonymous" {
		t.Errorf("%v", m)
	}
}
