package rest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/stream"
)

// chaosWorlds are the calls of scripts, runs and presets.
func chaosWorlds() []world {
	const scripts, runs, presets, heal = "/v1/chaos/scripts", "/v1/chaos/runs", "/v1/chaos/presets", "/v1/chaos/heal"
	const start, isolate = scripts + "/split/run", presets + "/isolate"
	const body = `{"node":"b","duration":"30s"}`
	get := func(target string, status int, code string, headers ...string) call {
		return call{method: "GET", target: target, status: status, code: code, headers: headers}
	}
	post := func(target, body string, status int, code string) call {
		return call{method: "POST", target: target, body: body, status: status, code: code}
	}
	stop := func(status int, code string) call {
		return call{method: "DELETE", target: runs + "/r1", status: status, code: code}
	}
	encoded := func(target string) call {
		return call{method: "POST", target: target, body: body, status: 415, code: "unsupported_type", headers: merge("Content-Encoding: gzip")}
	}
	long := strings.Repeat(" ", maxFault+1)
	worlds := []world{
		{name: "scripts and runs", calls: []call{
			get(scripts, 200, ""), get(scripts+"/split", 200, ""), get(scripts+"/none", 404, "not_found"), get(scripts+"/..%2fx", 422, "invalid"),
			get(runs, 200, ""), get(runs+"/r1", 404, "not_found"), stop(404, "not_found"),
			post(scripts+"/none/run", "", 404, "not_found"), post(scripts+"/broken/run", "", 422, "invalid_script"), post(scripts+"/..%2fx/run", "", 422, "invalid"),
			post(start, `{"seed":`, 400, "bad_json"), post(start, `{"seed":"7"}`, 422, "invalid"), post(start, `{"speed":7}`, 422, "invalid"),
			post(start, long, 413, "too_large"), post(start, stuck, 408, "slow_body"), encoded(start),
			post(start, `{"seed":7}`, 201, ""), post(start, "", 409, "run_in_progress"),
			get(runs, 200, ""), get(runs+"/r1", 200, ""), get(runs+"/r1?feed=page", 200, ""),
			get(runs+"/r1?feed=longpoll", 400, "bad_request"), get(runs+"/r1?feed=sse", 400, "bad_cursor", "Last-Event-ID: 7"),
			get(runs+"/r1?feed=sse", 400, "bad_cursor", "Last-Event-ID: x"), get(runs+"/r1", 406, "not_acceptable", "Accept: text/html"),
			{method: "HEAD", target: runs + "/r1?feed=sse", status: 200},
			stop(200, ""), stop(200, ""),
			get(runs+"/r1?feed=sse", 200, ""), get(runs+"/r1", 200, "", "Accept: application/x-ndjson"),
		}},
		{name: "a run that does not stop", setup: func(s *stand) {
			s.must(201, "POST", start, "")
			s.chaosRuns().busy = true
		}, calls: []call{stop(503, "busy")}},
		{name: "runs of a node that stops", setup: func(s *stand) { s.chaosRuns().closed = true }, calls: []call{post(start, "", 503, "draining")}},
		{name: "too many streams of runs", setup: func(s *stand) {
			s.must(201, "POST", start, "")
			for range stream.MaxStreams {
				s.server.places.Take()
			}
		}, calls: []call{get(runs+"/r1?feed=sse", 503, "busy")}},
		{name: "a folder that has gone", setup: func(s *stand) {
			s.chaosRuns().gone = &node.Error{Op: "list scripts", Kind: node.NotFound, Err: errors.New("the folder cannot be read")}
		}, calls: []call{get(scripts, 404, "not_found")}},
		{name: "presets", calls: []call{
			get(presets, 200, ""), post(isolate, body, 201, ""), post(presets+"/tilt", body, 404, "not_found"),
			post(isolate, `{"node":"b"}`, 422, "invalid"), post(isolate, `{"node":"b","duration":"soon"}`, 422, "invalid"),
			post(isolate, "", 400, "bad_json"), post(isolate, long, 413, "too_large"), post(isolate, stuck, 408, "slow_body"), encoded(isolate),
			post(heal, "", 200, ""),
		}},
		{name: "presets of silent processes", setup: func(s *stand) { s.server.cfg.ChaosPresets = &fakePresets{silent: true} }, calls: []call{
			post(isolate, body, 503, "peer_silent"),
		}},
		{name: "healing a run that does not stop", setup: func(s *stand) { s.server.cfg.ChaosPresets = &fakePresets{busy: true} }, calls: []call{
			post(heal, "", 503, "busy"),
		}},
	}
	without := world{name: "scripts without chaos"}
	for _, c := range []call{
		get(scripts, 0, ""), get(scripts+"/split", 0, ""), post(start, "", 0, ""), get(runs, 0, ""), get(runs+"/r1", 0, ""), stop(0, ""),
		get(presets, 0, ""), post(isolate, body, 0, ""), post(heal, "", 0, ""),
	} {
		c.status, c.code = 404, "unknown_route"
		without.calls = append(without.calls, c)
	}
	return append(worlds, without)
}

// Issue 5, "From the API": the shapes of scripts, runs and presets.
func TestChaosShapes(t *testing.T) {
	s := newStand(t, withChaos)
	sameJSON(t, s.must(200, "GET", "/v1/chaos/scripts", "").body, `{"scripts":[
		{"name":"broken","about":"","data":[],"witness":"","fits":false,"why_not":"broken.star:2:10: no node x"},
		{"name":"split","about":"Cuts.","data":["a","b"],"witness":"w","fits":true,"why_not":""}]}`)
	sameJSON(t, s.must(200, "GET", "/v1/chaos/scripts/split", "").body,
		`{"name":"split","about":"Cuts.","data":["a","b"],"witness":"w","fits":true,"why_not":"","source":"cluster(nodes = 2)\n"}`)
	wrong := s.must(422, "POST", "/v1/chaos/scripts/broken/run", "")
	if p := wrong.object(t)["problems"]; string(mustJSON(p)) != `[{"column":10,"line":2,"msg":"no node x"}]` {
		t.Errorf("problems %s", wrong.body)
	}

	const begun = `{"id":"r1","script":"split","seed":7,"node":"b","state":"running","started":"2026-11-21T12:00:00Z","ended":null,"error":"","dropped":0,`
	a := s.must(201, "POST", "/v1/chaos/scripts/split/run", `{"seed":7}`)
	sameJSON(t, a.body, begun+`"steps":[],"timeline":null,"verdict":null}`)
	if at := a.header.Get("Location"); at != "/v1/chaos/runs/r1" {
		t.Errorf("Location %q", at)
	}
	if second := s.must(409, "POST", "/v1/chaos/scripts/split/run", ""); second.object(t)["run"] != "r1" {
		t.Errorf("which run is under way is not told: %s", second.body)
	}
	s.chaosRuns().find("r1").say("net", "cut a b")
	const step = `{"seq":1,"at":"2026-11-21T12:00:00Z","kind":"net","line":3,"text":"cut a b"}`
	sameJSON(t, s.must(200, "GET", "/v1/chaos/runs/r1", "").body, begun+`"steps":[`+step+`],"timeline":null,"verdict":null}`)
	sameJSON(t, s.must(200, "GET", "/v1/chaos/runs", "").body, `{"runs":[`+begun+`"timeline":null,"verdict":null}]}`)
	state, err := s.server.wholeState(t.Context())
	if text := mustJSON(state); err != nil || !strings.Contains(string(text), `"run":{"id":"r1"`) {
		t.Errorf("the state of /v1/events does not tell the run: %s, %v", text, err)
	}

	const ended = `{"id":"r1","script":"split","seed":7,"node":"b","state":"stopped","started":"2026-11-21T12:00:00Z","ended":"2026-11-21T12:00:00Z","error":"","dropped":0,`
	sameJSON(t, s.must(200, "DELETE", "/v1/chaos/runs/r1", "").body, ended+`"steps":[`+step+`],"timeline":`+runTimeline+`,"verdict":`+runVerdict+`}`)

	sameJSON(t, s.must(200, "GET", "/v1/chaos/presets", "").body, `{"presets":[
		{"name":"halves","about":"Two halves.","takes":[]},{"name":"isolate","about":"One alone.","takes":["node"]}]}`)
	sameJSON(t, s.must(201, "POST", "/v1/chaos/presets/isolate", `{"node":"b","duration":"30s","delay":"50ms"}`).body, `{"preset":"isolate","expires":"2026-11-21T12:00:00Z",
		"faults":[{"node":"a","id":"f1","from":"b","to":"a","kind":"cut","both":true,"duration":"30s","started":"2026-11-21T12:00:00Z","expires":"2026-11-21T12:00:00Z"}],
		"unreachable":[{"node":"w","error":"silent"}]}`)
	if asked := s.server.cfg.ChaosPresets.(*fakePresets).asked; asked.Node != "b" || time.Duration(asked.Delay) != 50*time.Millisecond {
		t.Errorf("asked for %+v", asked)
	}
	sameJSON(t, s.must(200, "POST", "/v1/chaos/heal", "").body, `{"healed":[{"node":"a","faults":2}],"stopped":[],"unreachable":[]}`)
}

// "Streams: SSE (id: = cursor, Last-Event-ID resumes, a comment every 15 s) and
// NDJSON"; at the end comes the run, and the stream ends.
func TestStreamOfARun(t *testing.T) {
	s := newStand(t, withChaos)
	s.must(201, "POST", "/v1/chaos/scripts/split/run", "")
	run := s.chaosRuns().find("r1")
	for _, text := range []string{"one", "two", "three"} {
		run.say("note", text)
	}
	run.end(RunHeld)
	const third = `{"seq":3,"at":"2026-11-21T12:00:00Z","kind":"note","line":3,"text":"three"}`
	summary := string(mustJSON(run.Run()))
	const target = "/v1/chaos/runs/r1"
	for _, headers := range [][]string{{"Accept: text/event-stream", "Last-Event-ID: 2"}, {"Accept: text/event-stream, application/json;q=0", "Last-Event-ID: 2"}} {
		a := s.must(200, "GET", target, "", headers...)
		if want := "id: 3\nevent: step\ndata: " + third + "\n\nevent: run\ndata: " + summary + "\n\n"; string(a.body) != want {
			t.Errorf("%v: got\n%s\nwant\n%s", headers, a.body, want)
		}
	}
	a := s.must(200, "GET", target+"?feed=ndjson", "", "Last-Event-ID: 2")
	if want := `{"id":"3","event":"step","data":` + third + "}\n" + `{"event":"run","data":` + summary + "}\n"; string(a.body) != want {
		t.Errorf("got\n%s\nwant\n%s", a.body, want)
	}
	if a := s.must(200, "GET", target+"?feed=sse", "", "Last-Event-ID: 3"); !strings.HasPrefix(string(a.body), "event: run\n") {
		t.Errorf("all steps were known: %s", a.body)
	}
}

// Steps come as they are said, a silent run says that it lives, and a reader who
// goes ends nothing but its stream.
func TestStreamOfARunGoesOn(t *testing.T) {
	s := newStand(t, withChaos)
	s.must(201, "POST", "/v1/chaos/scripts/split/run", "")
	run := s.chaosRuns().find("r1")
	server := httptest.NewServer(s.server)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v1/chaos/runs/r1?feed=sse", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	next := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", want, lines.Err())
	}
	for i := range 2*stream.MaxBatch + 1 { // more than one write takes
		run.say("note", "step")
		if i == 0 {
			next("id: 1")
		}
	}
	next("id: 513")
	run.end(RunHeld)
	next("event: run")
	next(`"state":"held"`)
	if lines.Scan(); lines.Scan() || lines.Err() != nil {
		t.Errorf("the stream goes on with %q, %v", lines.Text(), lines.Err())
	}
}

// "a comment every 15 s"; a node that drains says so at the end.
func TestSilentRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		run := &fakeRun{changed: make(chan struct{})}
		for _, test := range []struct {
			format stream.Format
			want   string
		}{{stream.SSE, ": \n\n"}, {stream.NDJSON, `{"event":"alive","data":null}` + "\n"}} {
			rec := httptest.NewRecorder()
			out, err := stream.Begin(rec, test.format)
			if err != nil {
				t.Fatal(err)
			}
			draining, drain := context.WithTimeout(ctx, 2*stream.BeatEvery+time.Second)
			f := &runStream{s: &Server{stop: draining}, run: run, out: out, format: test.format}
			if err := f.follow(ctx); err != nil {
				t.Fatal(err)
			}
			drain()
			got := rec.Body.String()
			if !strings.HasPrefix(got, test.want+test.want) || !strings.Contains(got, `"end":"draining"`) || strings.Count(got, test.want) != 2 {
				t.Errorf("%s: %q", test.format, got)
			}
		}
	})
}

// Every state of a run that the API documents is one of the constants.
func TestRunStatesAreDescribed(t *testing.T) {
	var d struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Enum []string `json:"enum"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	got := d.Components.Schemas["ChaosRun"].Properties["state"].Enum
	if want := []string{RunRunning, RunHeld, RunNotHeld, RunFailed, RunStopped}; !slices.Equal(got, want) {
		t.Errorf("described are %v, want %v", got, want)
	}
}
