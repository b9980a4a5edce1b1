package history_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/scripts/chaos/history"
)

const (
	a1 = "a~k3f9x2mz:1"
	a2 = "a~k3f9x2mz:2"
	b1 = "b~77xq01ab:1"
)

// ms is an instant or a time in milliseconds.
func ms(n int64) int64 { return n * int64(time.Millisecond) }

func first() history.Record {
	return history.Record{Op: history.OpCluster, Cluster: &history.Cluster{Data: []string{"a", "b"}, Witness: "w", Bound: 2 * time.Second}}
}

// op is an operation that took a millisecond and was acknowledged.
func op(client, kind, node, key, value string, at int64) history.Record {
	return history.Record{Client: client, Op: kind, Node: node, Key: key, Value: value, InvokeNS: ms(at), ReturnNS: ms(at + 1), Outcome: history.OK}
}

func written(r history.Record, dot string) history.Record { r.Dot = dot; return r }

func with(r history.Record, change func(*history.Record)) history.Record { change(&r); return r }

// final is what a node shows of a key at the end, with a clock that has both
// nodes' first two writes.
func final(node, key, value string) history.Record {
	return history.Record{
		Op: history.OpFinal, Node: node, Key: key, Value: value, Absent: value == "",
		Final: &history.Final{Clock: map[string]uint64{"a~k3f9x2mz": 2, "b~77xq01ab": 2}},
	}
}

func cutAt(at int64, cuts ...history.Pair) history.Record {
	return history.Record{Op: history.OpNet, InvokeNS: ms(at), ReturnNS: ms(at), Net: &history.Net{Cuts: cuts}}
}

// checkOne runs one checker.
func checkOne(t *testing.T, name string, records []history.Record) history.Result {
	t.Helper()
	results, err := history.Check(records, name)
	if err != nil || len(results) != 1 {
		t.Fatalf("%v, %v", results, err)
	}
	return results[0]
}

// planted is a history in which one thing is wrong.
type planted struct {
	name  string
	want  string // in the finding
	wrong []history.Record
}

// FAILURES section 2: "Workload and checkers are separate from the product";
// issue 5: "checkers … each with tests of planted errors". Each checker is quiet
// over a good history, says that it looked, and finds each planted error.
func testChecker(t *testing.T, name string, good []history.Record, errors []planted) {
	t.Helper()
	if r := checkOne(t, name, good); r.Wrong != 0 || r.Checked == 0 {
		t.Errorf("over a good history: %+v", r)
	}
	for _, p := range errors {
		r := checkOne(t, name, p.wrong)
		if r.Wrong == 0 || !strings.Contains(strings.Join(r.Findings, "\n"), p.want) {
			t.Errorf("%s: want a finding with %q, have %+v", p.name, p.want, r)
		}
	}
	if r := checkOne(t, name, []history.Record{first()}); r.Checked != 0 || r.Wrong != 0 {
		t.Errorf("over nothing: %+v", r)
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	puts := []history.Record{first(), written(op("c", "put", "a", "k/1", "1", 1), a1), written(op("d", "put", "b", "k/1", "2", 1), b1)}
	empty := func(r *history.Record) { r.Final = &history.Final{} }
	good := append(slices.Clone(puts), final("a", "k/1", "2"), with(final("b", "k/1", "2"), func(r *history.Record) {
		r.Final = &history.Final{Live: []history.Version{{Dot: b1}}, Recorded: []history.Version{{Dot: a1}}}
	}))
	testChecker(t, "ledger", good, []planted{
		{"a node lacks both", "neither live", append(slices.Clone(good), with(final("b", "k/1", "2"), empty))},
		{"a node has no such key", "b has nothing of k/1", append(slices.Clone(puts), final("a", "k/1", "2"), final("b", "k/2", "2"))},
		{"one dot for two", "acknowledged twice", append(slices.Clone(good), written(op("e", "put", "a", "k/1", "3", 3), a1))},
		{"no dot", "without a dot", append(slices.Clone(good), op("e", "put", "a", "k/1", "3", 3))},
	})
	refused := with(op("c", "put", "a", "k/9", "1", 1), func(r *history.Record) { r.Outcome = history.Refused })
	if r := checkOne(t, "ledger", append(good, refused)); r.Wrong != 0 {
		t.Errorf("a refused write was looked for: %+v", r)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	put := op("c", "put", "a", "k/1", "1", 1)
	lost := with(op("c", "put", "a", "k/1", "2", 5), func(r *history.Record) { r.Outcome = history.Unknown })
	refused := with(lost, func(r *history.Record) { r.Outcome = history.Refused })
	testChecker(t, "values", []history.Record{first(), put, lost, final("a", "k/1", "1"), final("b", "k/1", "2")}, []planted{
		{"gone", "absent", []history.Record{first(), put, final("a", "k/1", "")}},
		{"gone everywhere", "absent", []history.Record{first(), put, final("a", "k/2", "1")}},
		{"altered", "as 7", []history.Record{first(), put, final("a", "k/1", "7")}},
		{"refused and applied", "as 2", []history.Record{first(), put, refused, final("a", "k/1", "2")}},
	})
}

func TestAppend(t *testing.T) {
	t.Parallel()
	add := func(client, node, element, base string, at int64) history.Record {
		return with(op(client, "append", node, "l/1", element, at), func(r *history.Record) { r.Base = base })
	}
	x, y := add("c", "a", "x", "e0", 1), add("d", "b", "y", "e1", 3)
	end := func(body string) history.Record { return final("a", "l/1", body) }
	read := op("c", "get", "a", "l/1", `{"list":["x","y"]}`, 9)
	refused := with(add("d", "a", "z", "e1", 4), func(r *history.Record) { r.Outcome = history.Refused })
	recorded := with(end(`{"list":["x"]}`), func(r *history.Record) { r.Final.Recorded = []history.Version{{Dot: b1, Value: `{"list":["y"]}`}} })
	sibling := with(end(`{"list":["x"]}`), func(r *history.Record) {
		r.Node, r.Final.Live = "c", []history.Version{{Dot: b1, Value: `{"list":["y"]}`}}
	})
	testChecker(t, "append", []history.Record{first(), x, y, refused, read, end(`{"list":["x","y"]}`), with(recorded, func(r *history.Record) { r.Node = "b" }), sibling}, []planted{
		{"lost", "y was appended", []history.Record{first(), x, y, end(`{"list":["x"]}`)}},
		{"twice", "x twice", []history.Record{first(), x, end(`{"list":["x","x"]}`)}},
		{"refused", "refused", []history.Record{first(), x, y, refused, end(`{"list":["x","y","z"]}`)}},
		{"from nowhere", "never appended", []history.Record{first(), x, end(`{"list":["x","q"]}`)}},
		{"one base", "on one If-Match", []history.Record{first(), x, add("d", "a", "y", "e0", 2), end(`{"list":["x","y"]}`)}},
		{"order", "behind it", []history.Record{first(), x, y, read, end(`{"list":["y","x"]}`)}},
	})
}

func TestCausal(t *testing.T) {
	t.Parallel()
	session := func(r *history.Record) { r.Session = true }
	put := func(client, key, body string, at int64) history.Record {
		return with(op(client, "put", "a", key, body, at), session)
	}
	get := func(client, key, body string, at int64) history.Record {
		return with(op(client, "get", "b", key, body, at), session)
	}
	x1, x2, y1 := put("c", "x", `{"n":1}`, 1), put("c", "x", `{"n":2}`, 3), put("c", "y", `{"n":1}`, 5)
	seen, z1 := get("d", "x", `{"n":2}`, 10), put("d", "z", `{"n":1}`, 12)
	testChecker(t, "causal", []history.Record{first(), x1, x2, y1, seen, z1, get("d", "y", "", 14), get("e", "z", `{"n":1}`, 20), get("e", "x", `{"n":2}`, 22)}, []planted{
		{"own write", "read your writes", []history.Record{first(), x1, x2, get("c", "x", `{"n":1}`, 9)}},
		{"going back", "monotonic reads", []history.Record{first(), x1, x2, seen, get("d", "x", `{"n":1}`, 12)}},
		{"later write first", "monotonic writes", []history.Record{first(), x1, x2, y1, get("d", "y", `{"n":1}`, 9), get("d", "x", `{"n":1}`, 11)}},
		{"answer before the question", "writes follow reads", []history.Record{first(), x1, x2, seen, z1, get("e", "z", `{"n":1}`, 20), get("e", "x", "", 22)}},
		{"from nowhere", "nobody wrote", []history.Record{first(), x1, get("d", "x", `{"n":4}`, 9)}},
	})
}

func TestDeletes(t *testing.T) {
	t.Parallel()
	put, gone := op("c", "put", "a", "k/1", "1", 1), written(op("c", "delete", "a", "k/1", "", 5), a2)
	good := []history.Record{first(), put, gone, op("d", "get", "b", "k/1", "1", 7), op("d", "get", "a", "k/1", "1", 2), final("a", "k/1", ""), final("b", "k/1", "")}
	testChecker(t, "deletes", good, []planted{
		{"resurrection", "is back at b", []history.Record{first(), put, gone, final("a", "k/1", ""), final("b", "k/1", "1")}},
		{"read after it at its node", "afterwards", append(slices.Clone(good), op("d", "get", "a", "k/1", "1", 7))},
	})
}

func TestFeed(t *testing.T) {
	t.Parallel()
	told := func(key, value string, at int64) history.Record {
		return with(op("feed", "event", "a", key, value, at), func(r *history.Record) { r.Absent = value == "" })
	}
	done := with(told("", "", 30), func(r *history.Record) { r.Code = history.CaughtUp })
	ends := []history.Record{final("a", "k/1", "2"), final("a", "k/2", "")}
	good := append([]history.Record{first(), told("k/1", "1", 1), told("k/1", "2", 3), told("k/2", "1", 3), told("k/2", "", 4), done}, ends...)
	testChecker(t, "feed", good, []planted{
		{"left out", "never told of k/1", append([]history.Record{first(), told("k/2", "", 4), done}, ends...)},
		{"the last one left out", "holds k/1 as 1", append([]history.Record{first(), told("k/1", "1", 1), done}, ends...)},
		{"a deletion left out", "holds k/2 as 1", append([]history.Record{first(), told("k/1", "2", 1), told("k/2", "1", 3), done}, ends...)},
	})
	if r := checkOne(t, "feed", append([]history.Record{first(), told("k/2", "1", 1)}, ends...)); r.Checked != 0 || r.Wrong != 0 {
		t.Errorf("a consumer that was not there to the end proves nothing: %+v", r)
	}
}

// writes are acknowledged writes at a node, ten a second.
func writes(node string, from, to int64) []history.Record {
	var out []history.Record
	for at := from; at <= to; at += 100 {
		out = append(out, op("c-"+node, "put", node, "k/"+node, "1", at))
	}
	return out
}

func TestSides(t *testing.T) {
	t.Parallel()
	cut := cutAt(1000, history.PairOf("b", "a"))
	split := func(until int64) []history.Record {
		out := append([]history.Record{first(), cut}, writes("a", 0, 9000)...)
		return append(out, append(writes("b", 0, until), writes("b", 10_100, 11_000)...)...)
	}
	healed := cutAt(10_000)
	// b comes back long after the cut, for less than the bound.
	again := append(slices.Concat(split(2900), writes("b", 6000, 7000)), healed)
	testChecker(t, "sides", append(split(2900), healed), []planted{
		{"a second writer, late", "no path had joined them for 5.0", again},
		{"both sides write on", "at once", append(split(9000), healed)},
		{"one way only", "at once", append(split(5000), healed)},
	})
	if r := checkOne(t, "sides", append([]history.Record{first()}, append(writes("a", 0, 9000), writes("b", 0, 9000)...)...)); r.Wrong != 0 {
		t.Errorf("two nodes that are joined: %+v", r)
	}
	// What b took in time may be answered, or read by its client, long after.
	slow := writes("b", 2700, 2900)
	for i := range slow {
		slow[i].ReturnNS = ms(5_200 + 400*int64(i))
	}
	if r := checkOne(t, "sides", append(slices.Concat(split(2900), slow), healed)); r.Wrong != 0 {
		t.Errorf("an answer that came late: %+v", r)
	}
	relayed := append([]history.Record{first(), cut}, append(writes("a", 0, 9000), writes("b", 0, 9000)...)...)
	relayed[0].Cluster.Data = []string{"a", "b", "c"}
	if r := checkOne(t, "sides", relayed); r.Wrong != 0 {
		t.Errorf("two nodes that are joined by a third: %+v", r)
	}
	// First c is alone, then a: b joins them in turn, so a may write until its lease
	// has run out, although no path joined it with c for longer (soak, seed 447).
	inTurn := func(until int64) []history.Record {
		out := []history.Record{
			first(), cutAt(100, history.PairOf("a", "c"), history.PairOf("b", "c")),
			cutAt(2100, history.PairOf("a", "b"), history.PairOf("a", "c"), history.PairOf("b", "c")),
			cutAt(2600, history.PairOf("a", "b"), history.PairOf("a", "c")),
		}
		out[0].Cluster.Data = []string{"a", "b", "c"}
		return append(out, slices.Concat(writes("a", 0, until), writes("b", 0, 9000), writes("c", 2700, 9000))...)
	}
	if r := checkOne(t, "sides", inTurn(3400)); r.Wrong != 0 {
		t.Errorf("three nodes of which one after the other is alone: %+v", r)
	}
	if r := checkOne(t, "sides", inTurn(6000)); r.Wrong != 2 {
		t.Errorf("a writes on beside b and c: %+v", r)
	}
	if longest, _ := history.Overlap(append(split(2900), healed)); longest < 1800*time.Millisecond || longest > 2*time.Second {
		t.Errorf("the overlap is %s", longest)
	}
}

func TestOutages(t *testing.T) {
	t.Parallel()
	state := func(node, value string, at int64) history.Record {
		return history.Record{Op: history.OpState, Node: node, Value: value, InvokeNS: ms(at), ReturnNS: ms(at)}
	}
	h := []history.Record{
		first(), state("a", history.Writable, 0), state("b", history.Writable, 0), cutAt(1000, history.PairOf("a", "b")),
		state("b", history.ReadOnly, 3000), cutAt(9000), state("b", history.Writable, 9500), state("a", history.Writable, 10_000),
	}
	got := history.Outages(h)
	if len(got) != 2 || got[0] != (history.Outage{Side: "a", Lasted: 8 * time.Second}) || got[1] != (history.Outage{Side: "b", Lasted: 8 * time.Second, NoWrite: 6 * time.Second}) {
		t.Errorf("%v", got)
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	inc := func(amount, outcome string) history.Record {
		return with(op("c", "inc", "a", "n/1", amount, 1), func(r *history.Record) { r.Outcome = outcome })
	}
	incs := []history.Record{first(), inc("3", history.OK), inc("-1", history.OK), inc("5", history.Refused), inc("10", history.Unknown)}
	end := func(body string) []history.Record { return append(slices.Clone(incs), final("a", "n/1", body)) }
	testChecker(t, "counters", append(end(`{"total":2}`), final("b", "n/1", `{"total":12}`)), []planted{
		{"one lost", "counts 1", end(`{"total":1}`)},
		{"one twice", "counts 15", end(`{"total":15}`)},
		{"gone", "counts 0", end("")},
		{"no counter", "is no counter", end(`7`)},
		{"no amount", "no whole number", append(end(`{"total":2}`), inc("much", history.OK))},
		{"half of an unknown one", "counts 7", end(`{"total":7}`)},
	})
	two := append(slices.Clone(incs), inc("-4", history.Unknown))
	for _, total := range []string{"2", "12", "-2", "8"} {
		if r := checkOne(t, "counters", append(slices.Clone(two), final("a", "n/1", `{"total":`+total+`}`))); r.Wrong != 0 {
			t.Errorf("each unknown one is in or out: %+v", r)
		}
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	set := func(value, outcome string) history.Record {
		return with(op("c", "member", "a", "m/1", value, 1), func(r *history.Record) { r.Outcome = outcome })
	}
	sets := []history.Record{
		first(), set(`{"x":1}`, history.OK), set(`{"y":1}`, history.OK), set(`{"x":2}`, history.OK), set(`{"x":3}`, history.Refused),
		set(`{"y":2}`, history.Unknown), set(`{"z":1}`, history.Unknown),
	}
	end := func(body string) []history.Record { return append(slices.Clone(sets), final("a", "m/1", body)) }
	testChecker(t, "members", append(end(`{"x":2,"y":1,"n":9}`), final("b", "m/1", `{"x":2,"y":2,"z":1}`)), []planted{
		{"an older value", "member x of m/1 as 1", end(`{"x":1,"y":1}`)},
		{"one lost", "member y of m/1 as absent", end(`{"x":2}`)},
		{"a refused one", "as 3", end(`{"x":3,"y":1}`)},
		{"gone", "as absent", end("")},
		{"not there at all", "as absent", append(slices.Clone(sets), final("a", "m/2", "1"))},
		{"no members", "no members", end(`7`)},
		{"no member", "no member", append(end(`{"x":2,"y":1}`), set(`{"x":1,"y":2}`, history.OK))},
	})
}

func TestReadAndWrite(t *testing.T) {
	t.Parallel()
	records := []history.Record{first(), written(op("c", "put", "a", "k/1", `{"n":"<1>"}`, 1), a1), final("a", "k/1", "1"), cutAt(3)}
	var file bytes.Buffer
	if err := history.Write(&file, records); err != nil {
		t.Fatal(err)
	}
	text := file.String()
	back, err := history.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := history.Write(&again, back); err != nil || again.String() != text {
		t.Errorf("not the same again: %v\n%s", err, again.String())
	}
	for _, bad := range []string{"", "{", `{"op":"put","invoke_ns":2,"return_ns":1}`, `{"key":"x"}`} {
		if _, err := history.Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := history.Check(records, "nothing"); err == nil || !strings.Contains(err.Error(), "ledger") {
		t.Errorf("a checker that is not known: %v", err)
	}
}
