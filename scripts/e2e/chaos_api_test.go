package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// chaosAPITimeout bounds all that this test asks of the API.
const chaosAPITimeout = 90 * time.Second

// chaosFolder has scripts for a node to offer.
func chaosFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"short.star": `# A short cut, over which one side goes on.
cluster(nodes = 2, witness = True)
load(rate = 60, at_least = 1)
eventually(lambda: put("a", "accounts/alice", {"balance": 120}).ok, what = "a write is taken")
cut("a", "b", lasts = "1m")
eventually(lambda: len(writers()) == 1, what = "one side writes", within = "30s")
`,
		"long.star":   "cluster(nodes = 2, witness = True)\nisolate('b', lasts = '10m')\nslow('a', 'w', delay = '1ms', lasts = '10m')\nnote('all is broken')\nwait('9m')\n",
		"broken.star": "cluster(nodes = 2, witness = True)\n\ncut('a', 'c', lasts = '1s')\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ask sends a request to a node and returns its answer, whose status must be the
// one that is wanted.
func (c *cluster) ask(ctx context.Context, name, method, path string, status int) string {
	c.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, c.url(name)+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		c.t.Fatalf("%s %s: %s, want %d: %s, %v", method, path, response.Status, status, body, err)
	}
	return string(body)
}

// sseEvent is one event of a stream, as it comes over the wire.
type sseEvent struct{ id, event, data string }

// follow reads the stream of a run until a function has enough, or it ends.
func (c *cluster) follow(ctx context.Context, name, run, last string, take func(sseEvent) (more bool)) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(name)+"/v1/chaos/runs/"+run, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		c.t.Fatalf("the stream of run %s: %s, %s", run, response.Status, kind)
	}
	var e sseEvent
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 8<<20) // the last event has a timeline
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "":
			if e != (sseEvent{}) && !take(e) {
				return
			}
			e = sseEvent{}
		}
	}
	if err := lines.Err(); err != nil {
		c.t.Fatal(err)
	}
}

// startRun starts a script at a node and returns the run's id.
func (c *cluster) startRun(ctx context.Context, name, script string) string {
	c.t.Helper()
	var run client.ChaosRun
	body := c.ask(ctx, name, http.MethodPost, "/v1/chaos/scripts/"+script+"/run", http.StatusCreated)
	if err := json.Unmarshal([]byte(body), &run); err != nil || run.ID == "" || run.State != client.RunRunning {
		c.t.Fatalf("%s, %v", body, err)
	}
	return run.ID
}

// wantNoFaults fails unless no process has a fault.
func (c *cluster) wantNoFaults() {
	c.t.Helper()
	for _, m := range c.members {
		faults, err := c.at(m.name).Faults(c.context())
		if err != nil || len(faults) > 0 {
			c.t.Errorf("%s has the faults %+v, %v", m.name, faults, err)
		}
	}
}

// Issue 5, "From the API": "list and run scripts from the folder given at the
// start (no path, no upload outside it), watch a run as SSE, stop it; presets;
// every fault expires; 'heal' undoes all."
func TestChaosOverTheAPI(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true, flags: []string{"--chaos-scripts", chaosFolder(t)}})
	c.startAll()
	ctx, cancel := context.WithTimeout(c.context(), chaosAPITimeout)
	defer cancel()
	c.step("scripts", func() {
		list := c.ask(ctx, "a", http.MethodGet, "/v1/chaos/scripts", http.StatusOK)
		for _, want := range []string{
			`{"name":"broken","about":"","data":[],"witness":"","fits":false,"why_not":"broken.star:3:10: cut: b: no node \"c\" in this cluster, which has a, b, w"}`,
			`{"name":"short","about":"A short cut, over which one side goes on.","data":["a","b"],"witness":"w","fits":true,"why_not":""}`,
		} {
			if !strings.Contains(list, want) {
				t.Errorf("%s is missing in %s", want, list)
			}
		}
		for _, path := range []string{"..%2fcluster", "%2e%2e%2fsecret", "short.star"} {
			c.ask(ctx, "a", http.MethodGet, "/v1/chaos/scripts/"+path, http.StatusUnprocessableEntity)
			c.ask(ctx, "a", http.MethodPost, "/v1/chaos/scripts/"+path+"/run", http.StatusUnprocessableEntity)
		}
		c.ask(ctx, "a", http.MethodGet, "/v1/chaos/scripts/split_brain", http.StatusNotFound) // it ships, and is not in the folder
		if text := c.ask(ctx, "a", http.MethodPost, "/v1/chaos/scripts/broken/run", http.StatusUnprocessableEntity); !strings.Contains(text, `"problems":[{"line":3,"column":10,`) {
			t.Errorf("%s", text)
		}
		// A witness has no scripts: it answers as it does to all that it has not.
		c.ask(ctx, "w", http.MethodGet, "/v1/chaos/scripts", http.StatusMisdirectedRequest)
	})
	c.step("a run to its verdict", func() { c.runToVerdict(ctx) })
	c.step("a run that is stopped", func() { c.runAndStop(ctx) })
	c.step("presets and heal", func() {
		at := c.at("a")
		set, err := at.SetPreset(ctx, "isolate", client.ChaosPresetRequest{Node: "b", Duration: client.Span(time.Minute)})
		if err != nil || len(set.Faults) != 4 || len(set.Unreachable) != 0 {
			c.t.Fatalf("%+v, %v", set, err)
		}
		c.awaitState("b", "read-only", readOnly)
		if _, err := at.SetPreset(ctx, "halves", client.ChaosPresetRequest{}); !errors.Is(err, client.Invalid) || !strings.Contains(err.Error(), "duration is missing") {
			c.t.Errorf("without a duration: %v", err)
		}
		c.kill("w")
		healed, err := at.HealCluster(ctx)
		if err != nil || len(healed.Healed) != 2 || len(healed.Unreachable) != 1 || healed.Unreachable[0].Node != "w" {
			c.t.Errorf("%+v, %v", healed, err)
		}
		c.start("w")
		c.wantNoFaults()
		c.awaitAllVotes()
	})
}

// runToVerdict watches a run from its first step to its verdict; a reader who
// comes back goes on behind the step that he had.
func (c *cluster) runToVerdict(ctx context.Context) {
	c.t.Helper()
	id := c.startRun(ctx, "a", "short")
	var steps []client.ChaosStep
	var last sseEvent
	c.follow(ctx, "a", id, "", func(e sseEvent) bool {
		last = e
		var step client.ChaosStep
		if e.event == "step" {
			if err := json.Unmarshal([]byte(e.data), &step); err != nil {
				c.t.Fatal(err)
			}
			steps = append(steps, step)
		}
		return true
	})
	var run client.ChaosRun
	var held verdict
	err := json.Unmarshal([]byte(last.data), &run)
	if err == nil {
		err = json.Unmarshal(run.Verdict, &held)
	}
	if err != nil || last.event != "run" || run.State != client.RunHeld || run.Ended == nil || !held.Held || held.Lost != 0 || held.Acknowledged < 1 {
		c.t.Fatalf("the stream ended with %+v, %v; its steps: %+v", last, err, steps)
	}
	if !strings.Contains(string(run.Timeline), `"lanes":[{"node":"a"`) {
		c.t.Errorf("timeline %.300s", run.Timeline)
	}
	isCut := func(s client.ChaosStep) bool {
		return s.Kind == "net" && s.Line == 5 && s.Text == "cut a ↔ b, for 1m0s"
	}
	if !slices.ContainsFunc(steps, isCut) {
		c.t.Errorf("no step is the cut: %+v", steps)
	}
	for i, s := range steps {
		if s.Seq != uint64(i)+1 {
			c.t.Fatalf("step %d has the number %d", i+1, s.Seq)
		}
	}
	c.follow(ctx, "a", id, "2", func(e sseEvent) bool {
		if e.id != "3" {
			c.t.Errorf("behind 2 comes %+v", e)
		}
		return false
	})
	c.wantNoFaults()
}

// runAndStop stops a run in the middle: no fault is left, on no process.
func (c *cluster) runAndStop(ctx context.Context) {
	c.t.Helper()
	id := c.startRun(ctx, "a", "long")
	c.follow(ctx, "a", id, "", func(e sseEvent) bool { return !strings.Contains(e.data, "all is broken") })
	if text := c.ask(ctx, "a", http.MethodPost, "/v1/chaos/scripts/short/run", http.StatusConflict); !strings.Contains(text, `"code":"run_in_progress"`) || !strings.Contains(text, `"run":"`+id+`"`) {
		c.t.Errorf("a second run: %s", text)
	}
	for name, want := range map[string]int{"a": 2, "b": 2, "w": 2} {
		if faults, err := c.at(name).Faults(ctx); err != nil || len(faults) != want {
			c.t.Errorf("%s has %+v, %v: want %d faults", name, faults, err, want)
		}
	}
	var run client.ChaosRun
	text := c.ask(ctx, "a", http.MethodDelete, "/v1/chaos/runs/"+id, http.StatusOK)
	if err := json.Unmarshal([]byte(text), &run); err != nil || run.State != client.RunStopped || run.Error != "" || run.Ended == nil {
		c.t.Errorf("%s, %v", text, err)
	}
	c.wantNoFaults()
	c.ask(ctx, "a", http.MethodDelete, "/v1/chaos/runs/"+id, http.StatusOK) // once more changes nothing
	c.awaitAllVotes()
}
