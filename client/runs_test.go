package client

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const oneRun = `{"id":"x-1","script":"split","seed":7,"node":"a","state":"held","started":"2026-11-21T12:00:00Z","ended":"2026-11-21T12:00:09Z","error":"","dropped":0,"timeline":{"lanes":[]},"verdict":{"held":true}}`

// chaosNode answers the routes of scripts, runs and presets. The stream of the
// run breaks off after its second step, once.
func chaosNode(t *testing.T) *fake {
	broke := false
	return newFake(t, "a", func(w http.ResponseWriter, r *http.Request, body string) {
		step := func(n string) string {
			return `{"id":"` + n + `","event":"step","data":{"seq":` + n + `,"at":"2026-11-21T12:00:00Z","kind":"net","line":3,"text":"cut a b"}}` + "\n"
		}
		switch r.Method + " " + r.URL.EscapedPath() {
		case "GET /v1/chaos/scripts":
			answerWith(w, 200, `{"scripts":[{"name":"split","about":"Cuts.","data":["a","b"],"witness":"w","fits":true,"why_not":""}]}`)
		case "GET /v1/chaos/scripts/a%2Fb":
			answerWith(w, 422, problemOf(422, "invalid"))
		case "GET /v1/chaos/scripts/split":
			answerWith(w, 200, `{"name":"split","source":"cluster(nodes = 2)\n"}`)
		case "POST /v1/chaos/scripts/split/run":
			if body == "" {
				answerWith(w, 409, `{"title":"A chaos script is run already","status":409,"code":"run_in_progress","detail":"…","node":"a","trace_id":"t","run":"x-1"}`)
				return
			}
			answerWith(w, 201, strings.Replace(oneRun, "held", "running", 1))
		case "GET /v1/chaos/runs":
			answerWith(w, 200, `{"runs":[`+oneRun+`]}`)
		case "GET /v1/chaos/runs/x-1":
			switch {
			case r.URL.Query().Get("feed") == "":
				answerWith(w, 200, oneRun)
			case !broke:
				broke = true
				answerWith(w, 200, step("1")+`{"event":"alive","data":null}`+"\n"+step("2"))
			default:
				answerWith(w, 200, step("3")+`{"event":"run","data":`+oneRun+"}\n")
			}
		case "DELETE /v1/chaos/runs/x-1":
			answerWith(w, 503, problemOf(503, "busy"))
		case "GET /v1/chaos/presets":
			answerWith(w, 200, `{"presets":[{"name":"isolate","about":"","takes":["node"]}]}`)
		case "POST /v1/chaos/presets/isolate":
			answerWith(w, 201, `{"preset":"isolate","expires":"2026-11-21T12:00:30Z","faults":[{"node":"w","id":"f1","from":"b","to":"w","kind":"cut","both":true,"duration":"30s"}],"unreachable":[{"node":"a","error":"silent"}]}`)
		case "POST /v1/chaos/heal":
			answerWith(w, 200, `{"healed":[{"node":"w","faults":1}],"stopped":["x-1"],"unreachable":[]}`)
		default:
			t.Errorf("asked for %s %s", r.Method, r.URL)
		}
	})
}

// "The command line … use[s] it": scripts, runs and presets of one node.
func TestChaosRuns(t *testing.T) {
	t.Parallel()
	node := chaosNode(t)
	c := newTestClient(t, Config{Pinned: true}, node)
	ctx := t.Context()
	scripts, err := c.ChaosScripts(ctx)
	if err != nil || len(scripts) != 1 || !scripts[0].Fits || scripts[0].Witness != "w" {
		t.Errorf("%+v, %v", scripts, err)
	}
	if one, err := c.ChaosScript(ctx, "split"); err != nil || one.Source != "cluster(nodes = 2)\n" {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := c.ChaosScript(ctx, "a/b"); !errors.Is(err, Invalid) {
		t.Errorf("a name with a slash: %v", err)
	}
	seed := uint64(7)
	if run, err := c.StartRun(ctx, "split", &seed); err != nil || run.State != RunRunning || run.ID != "x-1" {
		t.Errorf("%+v, %v", run, err)
	}
	_, err = c.StartRun(ctx, "split", nil)
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != RunInProgress || e.Run != "x-1" {
		t.Errorf("a second run: %v", err)
	}
	runs, err := c.ChaosRuns(ctx)
	if err != nil || len(runs) != 1 || string(runs[0].Verdict) != `{"held":true}` || !runs[0].Ended.Equal(runs[0].Started.Add(9*time.Second)) {
		t.Errorf("%+v, %v", runs, err)
	}
	if run, err := c.ChaosRun(ctx, "x-1"); err != nil || run.State != RunHeld {
		t.Errorf("%+v, %v", run, err)
	}
	if _, err := c.StopRun(ctx, "x-1"); !errors.Is(err, Busy) {
		t.Errorf("%v", err)
	}
	if _, err := c.StopRun(ctx, ""); !errors.Is(err, Invalid) {
		t.Errorf("without an id: %v", err)
	}
	if presets, err := c.ChaosPresets(ctx); err != nil || len(presets) != 1 || !slices.Equal(presets[0].Takes, []string{"node"}) {
		t.Errorf("%+v, %v", presets, err)
	}
	set, err := c.SetPreset(ctx, "isolate", ChaosPresetRequest{Node: "b", Duration: Span(30 * time.Second)})
	if err != nil || len(set.Faults) != 1 || set.Faults[0].Node != "w" || set.Faults[0].Kind != FaultCut || set.Unreachable[0].Error != "silent" {
		t.Errorf("%+v, %v", set, err)
	}
	if healed, err := c.HealCluster(ctx); err != nil || healed.Healed[0].Faults != 1 || healed.Stopped[0] != "x-1" {
		t.Errorf("%+v, %v", healed, err)
	}
	var sent []string
	for _, r := range node.requests() {
		if r.method == http.MethodPost {
			sent = append(sent, r.body)
		}
	}
	if want := []string{`{"seed":7}`, "", `{"node":"b","duration":"30s"}`, ""}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
}

// A run is watched to its end over a connection that breaks, and each step comes
// once.
func TestWatchRun(t *testing.T) {
	t.Parallel()
	node := chaosNode(t)
	c := newTestClient(t, Config{Pinned: true}, node)
	var seen []uint64
	var run *ChaosRun
	for event, err := range c.WatchRun(t.Context(), "x-1", 0) {
		switch {
		case err != nil:
			t.Fatal(err)
		case event.Run != nil:
			run = event.Run
		default:
			seen = append(seen, event.Step.Seq)
		}
	}
	if !slices.Equal(seen, []uint64{1, 2, 3}) || run == nil || run.State != RunHeld {
		t.Errorf("steps %v, run %+v", seen, run)
	}
	if last := node.requests()[1].header.Get("Last-Event-ID"); last != "2" {
		t.Errorf("it goes on behind %q", last)
	}
	open := newTestClient(t, Config{}, node)
	for _, err := range open.WatchRun(t.Context(), "x-1", 0) {
		if !errors.Is(err, Invalid) || !strings.Contains(err.Error(), "by At") {
			t.Errorf("a client of several nodes: %v", err)
		}
	}
}
