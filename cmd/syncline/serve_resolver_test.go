package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// workers is an evaluator whose answers a test lays down, one after the other.
type workers struct {
	answers []func() (*script.Result, error)
	asked   []*script.Conflict
}

func (w *workers) Resolve(_ context.Context, _ *script.Script, c *script.Conflict) (*script.Result, error) {
	w.asked = append(w.asked, c)
	return w.answers[min(len(w.asked), len(w.answers))-1]()
}

func (*workers) Test(context.Context, *script.Script, string) (*script.TestResult, error) {
	return nil, errors.New("nobody tests here")
}

func ends(kind script.Kind) func() (*script.Result, error) {
	return func() (*script.Result, error) {
		return &script.Result{Verdict: script.Failed, Failure: &script.Failure{Kind: kind, Msg: "no"}}, nil
	}
}

// "A kill means failed, never a result" (DESIGN 7): one that came from outside is
// tried again, once; what the script has done itself is not.
func TestScriptsOfTheEngine(t *testing.T) {
	good := func() (*script.Result, error) {
		return &script.Result{Verdict: script.Value, Doc: []byte(`{}`), Notes: []string{"n"}, Output: "o", Steps: 3, Events: []script.Event{{Name: "e", Data: []byte("1")}}}, nil
	}
	busy := func() (*script.Result, error) { return nil, script.ErrBusy }
	stored := node.Script{Name: "r", Version: "v", Source: "def resolve(c):\n    return DEFER\n"}
	c := node.Case{
		Collection: "accounts", ID: "alice", Base: []byte(`{"b":1}`), BaseExact: true, Sums: map[string]string{"/b": "2"}, MaxBody: 9,
		Siblings: conflict.Siblings{{Dot: vclock.Dot{Actor: "a~k3f9x2mz", Seq: 1}, Time: vclock.At(time.Unix(1, 0)), Body: []byte(`{"b":3}`)}},
	}
	for name, want := range map[string]struct {
		answers []func() (*script.Result, error)
		verdict conflict.Verdict
		local   bool
		asked   int
	}{
		"value":         {[]func() (*script.Result, error){good}, conflict.VerdictValue, false, 1},
		"error":         {[]func() (*script.Result, error){ends(script.KindError), good}, conflict.VerdictFailed, false, 1},
		"memory":        {[]func() (*script.Result, error){ends(script.KindMemory), good}, conflict.VerdictFailed, true, 1},
		"time":          {[]func() (*script.Result, error){ends(script.KindTime), good}, conflict.VerdictFailed, true, 1},
		"killed, then":  {[]func() (*script.Result, error){ends(script.KindKilled), good}, conflict.VerdictValue, false, 2},
		"killed always": {[]func() (*script.Result, error){ends(script.KindKilled)}, conflict.VerdictFailed, true, killedTries},
	} {
		w := &workers{answers: want.answers}
		s, err := newScripts(w)
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Resolve(t.Context(), stored, c)
		if err != nil || f.Verdict != want.verdict || f.Local != want.local || len(w.asked) != want.asked || (f.Run.Failure == "") != (want.verdict == conflict.VerdictValue) {
			t.Errorf("%s: %+v, %v, asked %d times", name, f, err, len(w.asked))
		}
		if got := w.asked[0]; got.Collection != "accounts" || got.ID != "alice" || string(got.Base) != `{"b":1}` || !got.BaseExact || got.Sums["/b"] != "2" || got.MaxBody != 9 ||
			len(got.Siblings) != 1 || string(got.Siblings[0].Doc) != `{"b":3}` || got.Siblings[0].Dot.Seq != 1 || got.Siblings[0].Time != c.Siblings[0].Time {
			t.Errorf("%s: asked about %+v", name, got)
		}
		if want.verdict == conflict.VerdictValue && (f.Run.Notes[0] != "n" || f.Run.Output != "o" || f.Run.Steps != 3 || f.Run.Events[0].Name != "e") {
			t.Errorf("%s: %+v", name, f.Run)
		}
	}
	w := &workers{answers: []func() (*script.Result, error){busy}}
	s, err := newScripts(w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resolve(t.Context(), stored, c); !errors.Is(err, script.ErrBusy) {
		t.Errorf("nothing is known, and the engine hears %v", err)
	}
	// One that compiles no more, on another version of the program, fails alike on
	// each node that has this version.
	f, err := s.Resolve(t.Context(), node.Script{Name: "r", Version: "w", Source: "def"}, c)
	if err != nil || f.Verdict != conflict.VerdictFailed || f.Local || f.Run.Failure == "" {
		t.Errorf("%+v, %v", f, err)
	}
}

// A node's workers are its own program: here the test binary, by TestMain. One
// that is not would be killed and begun anew for ever.
func TestWorkersAreThisProgram(t *testing.T) {
	defer noGoroutineIsLeft(t)()
	log := &buffer{}
	pool, err := newWorkers(hclog.New(&hclog.LoggerOptions{Output: log}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	s, err := newScripts(pool)
	if err != nil {
		t.Fatal(err)
	}
	stored := node.Script{Name: "r", Version: "v", Source: "def resolve(c):\n    return {\"by\": \"a worker\"}\n"}
	sides := conflict.Siblings{
		{Dot: vclock.Dot{Actor: "a~k3f9x2mz", Seq: 1}, Time: vclock.At(time.Unix(1, 0)), Body: []byte(`{"n":1}`)},
		{Dot: vclock.Dot{Actor: "b~k3f9x2mz", Seq: 1}, Time: vclock.At(time.Unix(2, 0)), Body: []byte(`{"n":2}`)},
	}
	f, err := s.Resolve(t.Context(), stored, node.Case{Collection: "c", ID: "i", Siblings: sides, MaxBody: 100})
	if err != nil || f.Verdict != conflict.VerdictValue || !strings.Contains(string(f.Doc), "a worker") || log.String() != "" {
		t.Errorf("%+v, %v, log %q", f, err, log)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
