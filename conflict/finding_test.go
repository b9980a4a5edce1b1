package conflict_test

import (
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
)

// "A script that fails … defers" (DESIGN 7); a failure of one node alone is told
// apart from one that is the same everywhere.
func TestFindingReason(t *testing.T) {
	for _, c := range []struct {
		f    conflict.Finding
		want conflict.Reason
	}{
		{conflict.Finding{Verdict: conflict.VerdictValue}, ""},
		{conflict.Finding{Verdict: conflict.VerdictDelete}, ""},
		{conflict.Finding{Verdict: conflict.VerdictDefer}, conflict.ReasonDeferred},
		{conflict.Finding{Verdict: conflict.VerdictFailed}, conflict.ReasonFailed},
		{conflict.Finding{Verdict: conflict.VerdictFailed, Local: true}, conflict.ReasonFailedHere},
	} {
		if got := c.f.Reason(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
}

// "Written in one transaction, so that no limit is passed" (DESIGN 7): what a
// script leaves without end is cut off, and what is left out is counted.
func TestRunIsCut(t *testing.T) {
	const long = 20 << 10
	r := conflict.Run{Steps: 7, Failure: "no", Output: strings.Repeat("ä", conflict.MaxRunOutput)}
	for range 10 {
		r.Notes = append(r.Notes, strings.Repeat("n", long))
	}
	for range 20 {
		r.Events = append(r.Events, conflict.RunEvent{Name: "e", Data: []byte(`"` + strings.Repeat("x", long) + `"`)})
	}
	cut := r.Cut()
	if len(cut.Notes) != conflict.MaxRunNotes/long || len(cut.Events) != conflict.MaxRunEvents/long || len(cut.Output) != conflict.MaxRunOutput || cut.Steps != 7 || cut.Failure != "no" {
		t.Errorf("%d notes, %d events, %d bytes, %d steps", len(cut.Notes), len(cut.Events), len(cut.Output), cut.Steps)
	}
	if want := 10 - len(cut.Notes) + 20 - len(cut.Events) + len(r.Output) - len(cut.Output); cut.More != want {
		t.Errorf("%d left out, want %d", cut.More, want)
	}
	if again := cut.Cut(); again.More != cut.More || len(again.Notes) != len(cut.Notes) {
		t.Errorf("cut again: %+v", again.More)
	}
	small := conflict.Run{Notes: []string{"a"}, Output: "b"}
	if got := small.Cut(); got.More != 0 || got.Notes[0] != "a" || got.Output != "b" {
		t.Errorf("%+v", got)
	}
	f := conflict.Finding{Doc: []byte("12345"), Run: small}
	if empty := (&conflict.Finding{}); f.Size()-empty.Size() != 7 {
		t.Errorf("a size of %d, and %d empty", f.Size(), empty.Size())
	}
}

func TestResolverNames(t *testing.T) {
	for _, name := range []string{"a", "no_overdraft", "2-b", strings.Repeat("x", conflict.MaxResolver)} {
		if got, err := conflict.ParseResolver(name); err != nil || got != name {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "_a", "-a", "A", "a.b", "a b", strings.Repeat("x", conflict.MaxResolver+1)} {
		if _, err := conflict.ParseResolver(name); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if a, b := conflict.ScriptVersion("x"), conflict.ScriptVersion("y"); a == b || len(a) != 16 || a != "2d711642b726b044" {
		t.Errorf("%s and %s", a, b)
	}
}

// API: {"policy":{"kind":"script","resolver":"no_overdraft"}}.
func TestScriptConfig(t *testing.T) {
	limits := conflict.ConfigLimits{DefaultBody: 1 << 20, MaxBody: 16 << 20}
	for text, ok := range map[string]bool{
		`{"policy":{"kind":"script","resolver":"no_overdraft"}}`:                            true,
		`{"policy":{"kind":"script","resolver":"no_overdraft","rules":{"/balance":"sum"}}}`: true,
		`{"policy":{"kind":"script","resolver":"r"},"delete":"update_wins"}`:                true,
		`{"policy":{"kind":"script"}}`:                                                      false,
		`{"policy":{"kind":"script","resolver":"No"}}`:                                      false,
		`{"policy":{"kind":"script","resolver":"r","path":"/n"}}`:                           false,
		`{"policy":{"kind":"script","resolver":"r","default":"lww"}}`:                       false,
		`{"policy":{"kind":"script","resolver":"r","rules":[]}}`:                            false,
		`{"policy":{"kind":"lww","resolver":"r"}}`:                                          false,
	} {
		c, err := conflict.ParseConfig([]byte(text), limits)
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
		if ok && c.Policy.Kind != conflict.KindScript {
			t.Errorf("%s: %+v", text, c.Policy)
		}
	}
}
