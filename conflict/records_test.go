package conflict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Issue 4, point 5: "resolve, restore, revert, review …, each leaving a trace of
// who and when": also where two people did so at two nodes at once. DESIGN 7: the
// value shown is a pure function of the siblings.
func TestRecordsKeepSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var set conflict.Siblings
		said := map[string]bool{}
		reviewed := false
		for i := range rapid.IntRange(2, 4).Draw(t, "siblings") {
			r := conflict.Record{ID: "x", Trace: []conflict.TraceStep{{Action: "restore", Who: "both", At: 1}}}
			said["both"] = true
			for n := range rapid.IntRange(0, 3).Draw(t, "steps") {
				who := fmt.Sprint("person ", i, ".", n)
				r.Add(conflict.TraceStep{Action: "review", Who: who, At: vclock.Time(rapid.IntRange(2, 4).Draw(t, "at"))})
				r.Reviewed, reviewed, said[who] = true, true, true
			}
			body, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			set = append(set, &conflict.Version{
				Dot: vclock.Dot{Actor: vclock.Actor(fmt.Sprintf("%c~aaaaaaaa", 'a'+i)), Seq: 1}, Body: body,
				Time: vclock.Time(rapid.IntRange(5, 7).Draw(t, "time")),
			})
		}
		shown := conflict.Records{}.Show(set)
		var got conflict.Record
		if err := json.Unmarshal(shown.Body, &got); err != nil {
			t.Fatal(err)
		}
		for _, s := range got.Trace {
			delete(said, s.Who)
		}
		steps := slices.Clone(got.Trace)
		if len(said) > 0 || got.Reviewed != reviewed || !slices.IsSortedFunc(steps, func(a, b conflict.TraceStep) int { return int(a.At) - int(b.At) }) {
			t.Fatalf("%s lacks %v, or is out of order", shown.Body, said)
		}
		slices.Reverse(set)
		if again := (conflict.Records{}).Show(set); !bytes.Equal(again.Body, shown.Body) {
			t.Fatalf("the order decides: %s and %s", shown.Body, again.Body)
		}
	})
}

// What is no record, or was deleted last, is shown as it is.
func TestRecordsByTime(t *testing.T) {
	t.Parallel()
	version := func(actor string, time vclock.Time, body string) *conflict.Version {
		return &conflict.Version{Dot: vclock.Dot{Actor: vclock.Actor(actor), Seq: 1}, Time: time, Body: []byte(body), Deleted: body == ""}
	}
	good := version("a~aaaaaaaa", 1, `{"id":"x","reviewed":true,"trace":[]}`)
	for _, newest := range []string{"", "[]"} {
		if got := (conflict.Records{}).Show(conflict.Siblings{good, version("b~aaaaaaaa", 2, newest)}); string(got.Body) != newest || got.Merged != 0 {
			t.Errorf("%q is shown as %q, merged from %d", newest, got.Body, got.Merged)
		}
	}
}
