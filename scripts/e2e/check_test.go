package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// maxFindings is how many findings of one check are shown.
const maxFindings = 5

// presence says what is wrong with the documents of a node: an acknowledged
// write that is missing or altered, a write that was said not to be applied and
// is there, a document that nobody wrote.
func presence(h history, documents map[string]string) []string {
	var out []string
	keys := map[string]bool{}
	for _, r := range h {
		keys[r.Key] = true
		got, there := documents[r.Key]
		switch {
		case there && got != r.Value:
			out = append(out, fmt.Sprintf("%s has the value %s, written was %s", r.Key, got, r.Value))
		case r.Outcome == applied && !there:
			out = append(out, fmt.Sprintf("%s was acknowledged by %s as %s, and is missing", r.Key, r.Node, r.Dot))
		case r.Outcome == notApplied && there:
			out = append(out, fmt.Sprintf("%s was refused by %s (%s), and is there", r.Key, r.Node, r.Code))
		}
	}
	for key := range documents {
		if !keys[key] {
			out = append(out, key+" is there, and nobody wrote it")
		}
	}
	slices.Sort(out)
	return out
}

// span is a time in which a node took writes for sure: a write that was
// acknowledged was taken somewhere between its invocation and its return, so the
// span is from the first return to the last invocation. However late an answer
// reaches its client, the span does not grow.
type span struct{ first, last int64 }

// ackSpan is the span of the acknowledged writes of a node that were answered
// between two instants; false when there is none.
func ackSpan(h history, node string, from, to int64) (span, bool) {
	acks := h.at(node).acked().endedIn(from, to)
	if len(acks) == 0 {
		return span{}, false
	}
	s := span{acks[0].ReturnNS, acks[0].InvokeNS}
	for _, r := range acks {
		s.first, s.last = min(s.first, r.ReturnNS), max(s.last, r.InvokeNS)
	}
	return s, true
}

// overlap says for how long two sides without a path between them both
// acknowledged writes: the intervals [first ack, last ack] of the two, from the
// cut on (FAILURES section 2, real processes).
func overlap(h history, a, b string, cut, healed int64) time.Duration {
	x, okX := ackSpan(h, a, cut, healed)
	y, okY := ackSpan(h, b, cut, healed)
	if !okX || !okY {
		return 0
	}
	return max(0, time.Duration(min(x.last, y.last)-max(x.first, y.first)))
}

// quiet is the longest time between two instants in which no write was
// acknowledged by any node.
func quiet(h history, from, to int64) time.Duration {
	var ends []int64
	for _, r := range h.acked().endedIn(from, to) {
		ends = append(ends, r.ReturnNS)
	}
	slices.Sort(ends)
	longest, last := int64(0), from
	for _, end := range append(ends, to) {
		longest, last = max(longest, end-last), end
	}
	return time.Duration(longest)
}

// checkPresence compares the ledger with what every data node holds, but for
// keys that the caller looks at.
func (c *cluster) checkPresence(h history, but ...map[string]bool) {
	c.t.Helper()
	if n := len(h.acked()); n < enough {
		c.t.Fatalf("void: %d writes were acknowledged, want %d", n, enough)
	}
	test, _, _ := strings.Cut(h[0].Key, "-")
	for _, node := range c.data() {
		documents := map[string]string{}
		for d, err := range c.at(node).List(c.context(), collection, client.ListOptions{Prefix: test + "-", Page: 1000}) {
			if err != nil {
				c.t.Fatal(err)
			}
			if !slices.ContainsFunc(but, func(keys map[string]bool) bool { return keys[d.ID] }) {
				documents[d.ID] = string(d.Doc)
			}
		}
		findings := presence(h, documents)
		for _, f := range findings[:min(len(findings), maxFindings)] {
			c.t.Errorf("%s: %s", node, f)
		}
		if len(findings) > maxFindings {
			c.t.Errorf("%s: and %d more", node, len(findings)-maxFindings)
		}
	}
}

// checkNoRefusal fails when a write at a node that began and ended in an
// interval was not acknowledged.
func (c *cluster) checkNoRefusal(h history, node string, from, to int64) {
	c.t.Helper()
	here := h.at(node).begunIn(from, to).endedIn(from, to)
	if n := len(here.acked()); n < enough {
		c.t.Errorf("void: %d writes at %s, want %d", n, node, enough)
	}
	for _, r := range here.refused()[:min(len(here.refused()), maxFindings)] {
		c.t.Errorf("%s refused a write %v after the start of the interval: %+v", node, time.Duration(r.InvokeNS-from), r)
	}
}

// checkSilent fails when a node acknowledged a write that began and ended
// between two instants. One that began before may have been taken before, and
// answered late.
func (c *cluster) checkSilent(h history, node string, from, to int64) {
	c.t.Helper()
	acks := h.at(node).acked().begunIn(from, to).endedIn(from, to)
	for _, r := range acks[:min(len(acks), maxFindings)] {
		c.t.Errorf("%s took a write that began %v after it had to be read-only: %+v", node, time.Duration(r.InvokeNS-from), r)
	}
}

// FAILURES section 2: "Workload and checkers are separate from the product": so
// they are tested by themselves, in both directions.
func TestPresenceChecker(t *testing.T) {
	good := history{
		{Key: "k1", Value: "1", Outcome: applied},
		{Key: "k2", Value: "2", Outcome: notApplied},
		{Key: "k3", Value: "3", Outcome: unknown},
		{Key: "k4", Value: "4", Outcome: unknown},
	}
	if got := presence(good, map[string]string{"k1": "1", "k3": "3"}); len(got) != 0 {
		t.Errorf("found %v where nothing is wrong", got)
	}
	for _, documents := range []map[string]string{
		{},                                 // k1 is missing
		{"k1": "2"},                        // altered
		{"k1": "1", "k2": "2"},             // applied although refused
		{"k1": "1", "k3": "4"},             // altered
		{"k1": "1", "k5": "5"},             // nobody wrote it
		{"k1": "1", "k3": "3", "k4": "42"}, // altered
	} {
		if got := presence(good, documents); len(got) != 1 {
			t.Errorf("%v: found %v, want one finding", documents, got)
		}
	}
}

func TestOverlapChecker(t *testing.T) {
	ack := func(node string, at int64) record {
		return record{Node: node, InvokeNS: at - 2, ReturnNS: at, Outcome: applied}
	}
	h := history{ack("a", 5), ack("b", 6), ack("a", 20), ack("b", 30), {Node: "a", ReturnNS: 90, Outcome: unknown}, ack("b", 90), ack("a", 120)}
	for _, test := range []struct {
		cut, healed int64
		overlap     time.Duration
		quiet       time.Duration
	}{
		{0, 100, 12, 60}, // a in [5, 18], b in [6, 88]
		{0, 121, 82, 60}, // a in [5, 118], b in [6, 88]
		{15, 100, 0, 60}, // a at 20, b in [30, 88]
		{25, 100, 0, 60}, // a is silent
		{95, 110, 0, 15}, // both are
	} {
		if got := overlap(h, "a", "b", test.cut, test.healed); got != test.overlap {
			t.Errorf("[%d, %d]: overlap %d, want %d", test.cut, test.healed, got, test.overlap)
		}
		if got := quiet(h, test.cut, test.healed); got != test.quiet {
			t.Errorf("[%d, %d]: quiet for %d, want %d", test.cut, test.healed, got, test.quiet)
		}
	}
}
