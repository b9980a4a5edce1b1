package chaos_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// Scripts see what became of versions: history and restore, conflicts and their
// records with all that explains them (API, Shapes: conflict), digests.
func TestPast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newFake("a", "b")
		key := client.Key{Collection: "pages", ID: "home"}
		side := client.ConflictSide{Dot: "a~k3f9x2mz:1", Node: "a", Doc: json.RawMessage(`{"n":1}`)}
		c.records = []client.Conflict{
			{ID: "open", State: client.ConflictOpen, Collection: "pages", DocID: "news", Siblings: []client.ConflictSide{side}, Sums: map[string]string{"/n": "-30"}},
			{ID: "first", State: client.ConflictSettled, Collection: "pages", DocID: "home", At: "1", Base: json.RawMessage(`{"n":0}`), BaseExact: true},
			{ID: "other", State: client.ConflictSettled, Collection: "pages", DocID: "away", At: "2"},
			{ID: "last", State: client.ConflictReviewed, Collection: "pages", DocID: "home", At: "3", Result: &client.ConflictValue{Doc: json.RawMessage(`{"n":7}`)}},
		}
		c.records[3].Policy.ResolverVersion = "h1"
		c.open = map[client.Key]string{{Collection: "pages", ID: "news"}: "open"}
		result, out, err := runOn(t.Context(), t, c, `
first = put("a", "pages/home", {"n": 1})
put("b", "pages/home", {"n": 2})
patch("b", "pages/home", {"m": 3})
expect(get("a", "pages/home").doc == {"n": 2, "m": 3}, what = "a patch changes one member")
expect([(v.node, v.live) for v in history("b", "pages/home")] == [("b", True), ("b", False), ("a", False)], what = "three versions")
expect(restore("b", "pages/home", first.dot).ok and get("a", "pages/home").doc == {"n": 1}, what = "the first is back")
expect(conflict("a", "pages/home") == None, what = "no conflict")
open = conflict("a", "pages/news")
expect((open.stable, open.sums, [s.doc for s in open.siblings]) == (True, {"/n": -30}, [{"n": 1}]), what = "an open conflict")
expect([r.id for r in records("a", "pages/home")] == ["last", "first"], what = "two records, the last one first")
expect((records("a", "pages/home")[0].result, records("a", "pages/home")[0].policy.resolver_version) == ({"n": 7}, "h1"), what = "what ended it")
expect((records("a", "pages/home")[1].base, records("a", "pages/home")[1].base_exact) == ({"n": 0}, True), what = "where it came from")
expect((verify("a").loose, verify("a").frontier, verify("a").digests) == (0, {"a": 4}, {"k": "1"}), what = "what a has")
always(lambda: writers() == ["a", "b"], what = "both write", lasts = "1s")
pause("a", lasts = "1m")
copy("a")
resume("a")
kill("a")
rollback("a")
start("a")
converged()
accounted()
`, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !result.Verdict.Held {
			t.Errorf("%v\n%s", result.Verdict.Reasons, out)
		}
		want(t, out, "both write (for 1s, looked at 5", "rollback a: it has what it had when it was copied")
		want(t, strings.Join(c.calls(), "\n"), "copy a\nresume a\nkill a\nrollback a\nstart a")
		if n := len(c.dots[key]); n != 4 {
			t.Errorf("%d versions", n)
		}
	})
}

// Loads that a merge puts together: sums are exact, and of every client the last
// member is there, whoever wrote between its read and its write.
func TestMergedLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newFake("a", "b")
		result, out, err := runOn(t.Context(), t, c, `
load(kind = "sum", rate = 200, clients = 3, keys = 2)
load(kind = "members", rate = 200, clients = 3, keys = 2)
wait("1s")
cut("a", "b", lasts = "1s")
wait("3s")
converged()
accounted()
`, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !result.Verdict.Held || result.Verdict.Refused == 0 {
			t.Errorf("%+v\n%s", result.Verdict, out)
		}
		for _, name := range []string{"counters", "members"} {
			i := slices.IndexFunc(result.Verdict.Checkers, func(r history.Result) bool { return r.Checker == name })
			if one := result.Verdict.Checkers[i]; one.Checked < 10 || one.Wrong > 0 {
				t.Errorf("%+v", one)
			}
		}
	})
}
