package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/vclock"
)

// goodSource is a script that resolves whatever it is given.
const goodSource = `
def resolve(conflict):
    return {"n": len(conflict.siblings), "newest": conflict.siblings[-1].doc}
`

// bank is the conflict of DESIGN section 1: 120, -100 and -50 at once.
func bank() *Conflict {
	return &Conflict{
		Collection: "accounts", ID: "alice", BaseExact: true,
		Base: []byte(`{"balance": 120, "tags": ["x"]}`),
		Siblings: []Sibling{
			sib("b", 2, `{"balance": 70, "tags": ["x"]}`),
			sib("a", 1, `{"balance": 20, "tags": ["x"]}`),
		},
		Sums: map[string]string{"/balance": "-30"},
	}
}

// sib is a sibling of a node with a time in milliseconds; no document is a
// tombstone.
func sib(node string, ms int64, doc string) Sibling {
	return Sibling{
		Dot:     vclock.Dot{Actor: vclock.Actor(node + testSuffix), Seq: uint64(ms)},
		Time:    vclock.At(time.UnixMilli(ms)),
		Deleted: doc == "", Doc: []byte(doc),
	}
}

func compile(t testing.TB, source string) *Script {
	t.Helper()
	s, err := Compile("test", source)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startPool runs a pool of this test binary until the test ends.
func startPool(t testing.TB, c PoolConfig) *Pool {
	t.Helper()
	if c.Command == nil {
		c.Command = workerCommand(t)
	}
	p, err := NewPool(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

// workerCommand starts this test binary as a worker, or as one that misbehaves.
func workerCommand(t testing.TB, how ...string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{self, workerArgument}, how...)
}

func mustResolve(t testing.TB, e Evaluator, s *Script) *Result {
	t.Helper()
	r, err := e.Resolve(context.Background(), s, bank())
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != Value {
		t.Fatalf("%s: %v", r.Verdict, r.Failure)
	}
	return r
}

// DESIGN section 7: "scripts run in a warm child process of the same binary".
// The worker gives what this process gives, for both kinds of calls.
func TestPoolLikeInline(t *testing.T) {
	t.Parallel()
	p, inline := startPool(t, PoolConfig{}), NewInline()
	for _, source := range []string{
		goodSource,
		"def resolve(c):\n    note(\"n\")\n    event(\"e\", [1])\n    print(1)\n    return DELETE\n",
		"def resolve(c):\n    return DEFER\n",
		"def f(x):\n    fail(x)\n\ndef resolve(c):\n    f(\"x\")\n",
		"X = 1 // 0\n\ndef resolve(c):\n    return {}\n",
	} {
		s := compile(t, source)
		for range 2 { // cold and warm
			want, err := inline.Resolve(t.Context(), s, bank())
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Resolve(t.Context(), s, bank())
			if err != nil || !sameResult(want, got) {
				t.Errorf("%+v (%v), want %+v (%v): %v", got, got.Failure, want, want.Failure, err)
			}
		}
	}
	s := compile(t, goodSource+"def test_a():\n    print(1)\n    conflict(siblings = [{}])\n\ndef test_b():\n    fail(\"b\")\n")
	want, err := RunTests(t.Context(), inline, s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := RunTests(t.Context(), p, s)
	if err != nil || len(got) != len(want) {
		t.Fatal(got, err)
	}
	for i := range got {
		if got[i].Name != want[i].Name || got[i].Output != want[i].Output || got[i].Steps != want[i].Steps || got[i].Passed() != want[i].Passed() ||
			len(got[i].Samples) != len(want[i].Samples) {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if _, err := p.Test(t.Context(), s, "resolve"); err == nil {
		t.Error("resolve was called as a test")
	}
}

// FAILURES row 28 for tests: a test that never ends is a failed test.
func TestPoolTestIsKilled(t *testing.T) {
	t.Parallel()
	p := startPool(t, PoolConfig{})
	s := compile(t, goodSource+"def test_a():\n    max(range(1 << 60))\n")
	r, err := p.Test(t.Context(), s, "test_a")
	if err != nil || r.Passed() || r.Failure.Kind != KindTime {
		t.Errorf("%+v %v", r, err)
	}
}

// Many callers at once each get the answer to their own question.
func TestPoolTogether(t *testing.T) {
	t.Parallel()
	p := startPool(t, PoolConfig{Workers: 2})
	scripts := make([]*Script, workerScripts+8) // more than a worker keeps
	for i := range scripts {
		scripts[i] = compile(t, fmt.Sprintf("def resolve(c):\n    return {\"i\": %d, \"doc\": c.siblings[0].doc}\n", i))
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i, s := range scripts {
				n := worker*1000 + i
				r, err := p.Resolve(context.Background(), s, &Conflict{Siblings: []Sibling{sib("a", 1, fmt.Sprintf(`{"n":%d}`, n))}})
				if err != nil {
					t.Error(err)
					return
				}
				if want := fmt.Sprintf(`{"i":%d,"doc":{"n":%d}}`, i, n); string(r.Doc) != want {
					t.Errorf("%s (%v), want %s", r.Doc, r.Failure, want)
				}
			}
		})
	}
	group.Wait()
}

// A worker that has dropped a script asks for it again.
func TestSourceAgain(t *testing.T) {
	t.Parallel()
	w, err := start(t.Context(), workerCommand(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	}()
	s := compile(t, goodSource)
	w.remember(s.hash) // wrongly
	answer, err := w.ask(&request{hash: s.hash, conflict: bank()}, s.source, KillAfter)
	if err != nil || answer.result.Verdict != Value {
		t.Fatalf("%+v %v", answer, err)
	}
	for i := range 3 * workerScripts {
		w.remember(Hash{byte(i), byte(i >> 8)})
	}
	if len(w.known) > workerScripts {
		t.Errorf("%d scripts are remembered", len(w.known))
	}
}

// DESIGN section 7: "a kill means failed, never a result". Whatever a worker
// does instead of answering is a Local failure, and ends with its process.
func TestBadWorkers(t *testing.T) {
	t.Parallel()
	big := bank()
	big.Base = []byte(`{"a":"` + strings.Repeat("x", 4<<20) + `"}`) // more than a pipe holds
	still := KindTime                                               // where a system does not tell what a worker has taken
	if _, told := processorTime(os.Getpid()); told {
		still = KindKilled
	}
	for how, want := range map[string]Kind{
		"garbage": KindKilled, "source": KindKilled, "bomb": KindKilled, "half": KindKilled, "noise": KindKilled,
		"hang": still, "deaf": still,
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			died := make(chan error, 64)
			p := startPool(t, PoolConfig{Command: workerCommand(t, how), Died: func(err error) { died <- err }})
			conflict := bank()
			if how == "deaf" {
				conflict = big
			}
			r, err := p.Resolve(t.Context(), compile(t, goodSource), conflict)
			if err != nil || r.Verdict != Failed || !r.Failure.Kind.Local() || r.Failure.Kind != want && !(raceDetector && r.Failure.Kind == KindTime) {
				t.Fatalf("%+v %v", r, err)
			}
			if len(r.Failure.Msg) > MaxMessage+len("…") {
				t.Errorf("%d bytes of last words", len(r.Failure.Msg))
			}
			if err := <-died; err == nil {
				t.Error("nobody was told")
			}
		})
	}
}

// Issue 4, point 3: "restart when it dies"; with pauses that grow, since a
// worker that cannot start will not start the next millisecond either.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{"exit": "exit status 7", "stranger": "another version"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			died := make(chan time.Time, 64)
			startPool(t, PoolConfig{Command: workerCommand(t, how), Died: func(err error) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
				died <- time.Now()
			}})
			last := <-died
			for pause := MinPause; pause <= 8*MinPause; pause *= 2 {
				next := <-died
				if next.Sub(last) < pause {
					t.Errorf("a pause of %v, want %v", next.Sub(last), pause)
				}
				last = next
			}
		})
	}
}

// HOUSE, habit 7: "Every queue … has a named limit". A caller who waits in vain
// is told so, and a caller who leaves is not waited for.
func TestQueue(t *testing.T) {
	t.Parallel()
	s := compile(t, goodSource)
	synctest.Test(t, func(t *testing.T) {
		p, err := NewPool(PoolConfig{Command: []string{os.DevNull}, Queue: 2}) // without Run
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		done := make(chan error, 2)
		go func() {
			_, err := p.Resolve(context.Background(), s, bank())
			done <- err
		}()
		ctx, cancel := context.WithCancelCause(context.Background())
		left := errors.New("left")
		go func() {
			_, err := p.Resolve(ctx, s, bank())
			done <- err
		}()
		synctest.Wait()
		if _, err := p.Resolve(context.Background(), s, bank()); !errors.Is(err, ErrBusy) {
			t.Errorf("the third in a queue of two: %v", err)
		}
		cancel(left)
		if err := <-done; !errors.Is(err, left) {
			t.Errorf("the one who left: %v", err)
		}
		if err := <-done; !errors.Is(err, ErrBusy) || time.Since(begin) != MaxWait {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

// A pool that ends leaves nobody waiting, and takes nobody's kill for a failure
// of the script.
func TestPoolEnds(t *testing.T) {
	t.Parallel()
	p, err := NewPool(PoolConfig{Command: workerCommand(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	mustResolve(t, p, compile(t, goodSource))
	endless := compile(t, "def resolve(c):\n    return {\"n\": max(range(1 << 60))}\n")
	answers := make(chan error, 4)
	for range cap(answers) {
		go func() {
			r, err := p.Resolve(context.Background(), endless, bank())
			if err == nil {
				err = errors.New(r.Failure.String())
			}
			answers <- err
		}()
	}
	cancel()
	for range cap(answers) {
		if err := <-answers; !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want %v", err, ErrClosed)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestPoolConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]PoolConfig{
		"no command":       {},
		"relative path":    {Command: []string{"syncline"}},
		"negative workers": {Command: []string{"/x"}, Workers: -1},
		"too many workers": {Command: []string{"/x"}, Workers: MaxWorkers + 1},
		"negative queue":   {Command: []string{"/x"}, Queue: -1},
		"too long a queue": {Command: []string{"/x"}, Queue: MaxQueue + 1},
	} {
		if _, err := NewPool(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	died := make(chan error, 64)
	startPool(t, PoolConfig{Command: []string{filepath.Join(t.TempDir(), "nothing")}, Died: func(err error) { died <- err }})
	if err := <-died; !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that is not there: %v", err)
	}
}

// A conflict of MaxInput bytes gets through, and MaxValues of the dearest kind
// fit into a worker's memory: what a worker dies of is the script's doing. Time
// is not the matter here, so there is more of it than a pool gives.
func TestWorkerBigConflict(t *testing.T) {
	t.Parallel()
	size, values := MaxInput-100, MaxValues-2 // the object and its list count too
	if raceDetector {
		size, values = size/10, values/10 // it is ten times as slow, and as hungry
	}
	w, err := start(t.Context(), workerCommand(t))
	if err != nil {
		t.Fatal(err)
	}
	s := compile(t, "def resolve(c):\n    return {\"n\": len(c.siblings[0].doc[\"a\"])}\n")
	for doc, want := range map[string]int{
		`{"a":"` + strings.Repeat("x", size) + `"}`:         size,
		`{"a":[` + strings.Repeat(`{},`, values-1) + `{}]}`: values,
	} {
		answer, err := w.ask(&request{hash: s.hash, conflict: &Conflict{Siblings: []Sibling{sib("a", 1, doc)}}}, s.source, fuseAfter)
		if err != nil {
			t.Fatalf("%.20s: %v", doc, err) // and the worker is dead
		}
		if string(answer.result.Doc) != fmt.Sprintf(`{"n":%d}`, want) {
			t.Errorf("%.20s: %+v", doc, answer.result)
		}
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

// A conflict beyond MaxInput is a failure that is the same on every node.
func TestPoolBeyondInput(t *testing.T) {
	t.Parallel()
	p := startPool(t, PoolConfig{})
	c := &Conflict{Siblings: []Sibling{sib("a", 1, `{"a":"`+strings.Repeat("x", MaxInput)+`"}`)}}
	r, err := p.Resolve(t.Context(), compile(t, goodSource), c)
	if err != nil || r.Verdict != Failed || r.Failure.Kind != KindInput {
		t.Errorf("%+v %v", r, err)
	}
}

// The worker's loop ends with its input, and refuses what is no request.
func TestServe(t *testing.T) {
	t.Parallel()
	s := compile(t, goodSource)
	ask := func(q *request) string { return string(q.appendTo(nil)) }
	for name, c := range map[string]struct {
		body string
		ok   bool
	}{
		"a request":           {ask(&request{hash: s.hash, source: s.source, conflict: bank()}), true},
		"an unknown script":   {ask(&request{hash: s.hash, conflict: bank()}), true},
		"another hash":        {ask(&request{source: s.source, conflict: bank()}), false},
		"a script with flaws": {ask(&request{hash: s.hash, source: "def", conflict: bank()}), false},
		"no such test":        {ask(&request{hash: s.hash, source: s.source, test: "test_x"}), false},
		"noise":               {strings.Repeat("x", 100), false},
	} {
		var out bytes.Buffer
		frame := append(newFrame(0), c.body...)
		var in bytes.Buffer
		if err := writeFrame(&in, frame); err != nil {
			t.Fatal(err)
		}
		if err := serve(t.Context(), &in, &out); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if text, err := readFrame(&out, maxReply); err != nil || string(text) != greeting {
			t.Errorf("%s: greeted by %q: %v", name, text, err)
		}
	}
}
