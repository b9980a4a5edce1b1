package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/scripts/chaos"
	"github.com/syncline/syncline/scripts/ports"
)

// twoNodes is a roster of two data nodes and a witness, at whose addresses nobody
// listens.
func twoNodes(t *testing.T) roster {
	t.Helper()
	r := roster{Cluster: "test"}
	at := ports.For(t, 3)
	for i, name := range []string{"a", "b", "w"} {
		role := peer.Data
		if name == "w" {
			role = peer.Witness
		}
		r.Members = append(r.Members, roleMember{Name: name, Role: role, addresses: addresses{API: at[i]}})
	}
	return r
}

// quickScript is a script that holds, however busy the machine is.
const quickScript = `# Shows that it is quick.
cluster(nodes = 2, witness = True)
eventually(lambda: put("a", "k/1", {"n": 1}).ok, what = "a write is taken", within = "1m")
`

// folderOf writes scripts into a folder.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Issue 5, "From the API": "list and run scripts from the folder given at the
// start (no path, no upload outside it)"; a script that is wrong is named with
// its line.
func TestOfferedScripts(t *testing.T) {
	t.Parallel()
	outside := folderOf(t, map[string]string{"secret.star": quickScript})
	dir := folderOf(t, map[string]string{
		"quick.star":  quickScript,
		"broken.star": "cluster(nodes = 2, witness = True)\ncut('a', 'x', lasts = '1s')\n",
		"three.star":  "cluster(nodes = 3)\n",
		"kills.star":  "cluster(nodes = 2, witness = True)\nkill('a')\n",
		"block.star":  "cluster(nodes = 2, witness = True)\nblock('a', 'b', port = 'peer', lasts = '1s')\n",
		"long.star":   "#" + strings.Repeat("x", chaos.MaxSource),
		"Upper.star":  quickScript, "with-dash.star": quickScript, "notes.txt": "no script",
	})
	if err := os.Symlink(filepath.Join(outside, "secret.star"), filepath.Join(dir, "escape.star")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.star"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := &offeredScripts{folder: dir, roster: twoNodes(t)}
	all, err := s.list()
	if err != nil {
		t.Fatal(err)
	}
	run := "; on a cluster of its own it runs by: syncline chaos run "
	reasons := map[string]string{
		"block":  "block.star:2:1: the link layer cuts whole links: run the script with --net=ns, as root" + run + filepath.Join(dir, "block.star") + " --net=ns",
		"broken": `broken.star:2:10: cut: b: no node "x" in this cluster, which has a, b, w`,
		"escape": "escape.star:1:1: ", "folder": "folder.star:1:1: this is no regular file",
		"kills": "kills.star:2:1: a run over the API takes the running cluster, whose processes and clocks it leaves alone" + run + filepath.Join(dir, "kills.star"),
		"long":  "long.star:1:1: a script is UTF-8 text of at most 65536 bytes",
		"quick": "",
		"three": "three.star:1:1: the script wants data nodes a, b, c; the cluster has data nodes a, b, witness w" + run + filepath.Join(dir, "three.star"),
	}
	var names []string
	for _, one := range all {
		names = append(names, one.Name)
		why := reasons[one.Name]
		if one.Fits != (why == "") || !strings.HasPrefix(one.WhyNot, why) || one.Source != "" || one.Data == nil {
			t.Errorf("%+v, want %q", one, why)
		}
	}
	if want := []string{"block", "broken", "escape", "folder", "kills", "long", "quick", "three"}; !slices.Equal(names, want) {
		t.Errorf("listed are %v, want %v", names, want)
	}
	one, err := s.find("quick")
	if err != nil || one.wrong != nil || one.source != quickScript || one.shown().About != "Shows that it is quick." || one.shown().Witness != "w" {
		t.Errorf("%+v, %v", one, err)
	}
	for name, kind := range map[string]node.Kind{
		"../secret": node.Invalid, "": node.Invalid, "Upper": node.Invalid, "quick.star": node.Invalid, strings.Repeat("a", 65): node.Invalid,
		"with-dash": node.Invalid, "none": node.NotFound, "secret": node.NotFound, "notes": node.NotFound,
	} {
		if _, err := s.find(name); node.KindOf(err) != kind {
			t.Errorf("%q: %v, want %s", name, err, kind)
		}
	}
	// Read anew each time, and gone when the folder is.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.list(); node.KindOf(err) != node.NotFound || !strings.Contains(err.Error(), "--chaos-scripts") {
		t.Errorf("%v", err)
	}
}

// Without a folder the scripts that ship are offered, of which all fit some
// cluster; a member without an API keeps every one from being run.
func TestShippedScriptsAreOffered(t *testing.T) {
	t.Parallel()
	s := &offeredScripts{roster: twoNodes(t)}
	all, err := s.list()
	if err != nil || len(all) < 16 {
		t.Fatalf("%d scripts, %v", len(all), err)
	}
	fits := 0
	for _, one := range all {
		if one.Fits {
			fits++
		}
		if one.About == "" || len(one.Data) == 0 || !one.Fits && !strings.HasSuffix(one.WhyNot, ": syncline chaos run scripts/"+one.Name+".star") {
			t.Errorf("%+v", one)
		}
	}
	if fits < 8 || fits == len(all) {
		t.Errorf("%d of %d fit", fits, len(all))
	}
	s.roster.Members[2].API = ""
	one, err := s.find("split_brain")
	if err != nil || one.wrong == nil || !strings.HasPrefix(one.wrong.Error(), "split_brain.star:1:1: w has no API address") {
		t.Errorf("%+v, %v", one, err)
	}
}

// A run keeps the newest of its steps within a limit, and says how many it has
// dropped; whoever reads goes on behind the step that he had.
func TestStepsOfARun(t *testing.T) {
	t.Parallel()
	r := newNodeRun(nil, rest.ChaosRun{})
	const n = 3 * maxStepBytes / 8000
	text := strings.Repeat("x", 8000)
	for i := range n {
		_, changed := r.Steps(0, 1)
		r.add(chaos.Step{At: time.Now(), Kind: chaos.StepNote, Line: i, Text: text})
		select {
		case <-changed:
		default:
			t.Fatal("nobody was told of a step")
		}
	}
	steps, _ := r.Steps(0, 0)
	dropped := r.Run().Dropped
	if dropped == 0 || int(dropped)+len(steps) != n || len(steps)*len(text) > maxStepBytes || steps[0].Seq != dropped+1 || steps[len(steps)-1].Seq != n {
		t.Errorf("%d steps from %d to %d, %d dropped, of %d", len(steps), steps[0].Seq, steps[len(steps)-1].Seq, dropped, n)
	}
	if next, _ := r.Steps(n-2, 1); len(next) != 1 || next[0].Seq != n-1 {
		t.Errorf("after %d: %+v", n-2, next)
	}
	if next, _ := r.Steps(n+7, 0); len(next) != 0 {
		t.Errorf("behind the end: %+v", next)
	}
	r.add(chaos.Step{Text: strings.Repeat("é", 2*maxStepText)})
	if last, _ := r.Steps(n, 0); len([]rune(last[0].Text)) != maxStepText {
		t.Errorf("a step has %d characters", len([]rune(last[0].Text)))
	}
	r.end(time.Now(), outcome{err: errors.New("planted")}, false)
	_, changed := r.Steps(n+1, 0)
	<-changed // closed for good
	if run := r.Run(); run.State != rest.RunFailed || run.Error != "planted" || run.Ended == nil {
		t.Errorf("%+v", run)
	}
}

// heardRuns notes what is told of runs.
type heardRuns struct {
	mu    sync.Mutex
	lines []string
}

func (h *heardRuns) tell(state string, run rest.ChaosRun) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, state+" "+run.ID+" "+run.State)
}

// A node carries out one run at a time and keeps the last 16; what a run cannot
// reach it says; nothing begins on a node that stops.
func TestNodeRuns(t *testing.T) {
	t.Parallel()
	h := &heardRuns{}
	members := twoNodes(t)
	n := newNodeRuns(nodeRunsConfig{
		Node: "a", Roster: members, Bound: time.Second, Tell: h.tell,
		Scripts: &offeredScripts{folder: folderOf(t, map[string]string{"quick.star": quickScript, "wrong.star": "cut(\n"}), roster: members},
	})
	start := func() rest.ChaosRun {
		t.Helper()
		seed := uint64(7)
		run, err := n.Start("quick", &seed)
		if err != nil || run.Seed != 7 || run.State != rest.RunRunning || run.Node != "a" {
			t.Fatalf("%+v, %v", run, err)
		}
		return run
	}
	first := start()
	_, err := n.Start("quick", nil)
	if running, is := errors.AsType[*rest.RunningError](err); !is || running.ID != first.ID || node.KindOf(err) != rest.RunInProgress {
		t.Errorf("a second run: %v", err)
	}
	_, err = n.Start("wrong", nil)
	if wrong, is := errors.AsType[*rest.ChaosScriptError](err); !is || wrong.Problems[0].Line != 2 || node.KindOf(err) != rest.InvalidScript {
		t.Errorf("a wrong script: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	for i := range maxRuns + 2 {
		if i > 0 {
			first = start()
		}
		r, err := n.find(first.ID)
		if err != nil {
			t.Fatal(err)
		}
		<-r.done
		if run := r.Run(); run.State != rest.RunFailed || !strings.Contains(run.Error, "no node could be reached") || run.Verdict != nil {
			t.Fatalf("nobody listens, and %+v", run)
		}
	}
	runs := n.Runs()
	if len(runs) != maxRuns || !slices.IsSortedFunc(runs, func(x, y rest.ChaosRun) int { return y.Started.Compare(x.Started) }) {
		t.Errorf("%d runs are kept", len(runs))
	}
	if _, err := n.Find(n.life + "-1"); node.KindOf(err) != node.NotFound {
		t.Errorf("the oldest run: %v", err)
	}
	if err := n.Stop(ctx, runs[0].ID); err != nil || n.Runs()[0].State != rest.RunFailed {
		t.Errorf("stopping one that has ended: %v, %+v", err, n.Runs()[0])
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := n.Start("quick", nil); node.KindOf(err) != node.Draining {
		t.Errorf("a run of a node that stops: %v", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.lines) != 2*(maxRuns+2) || h.lines[0] != "begun "+n.life+"-1 running" || h.lines[1] != "ended "+n.life+"-1 failed" {
		t.Errorf("told: %v", h.lines)
	}
}

// A run that has not begun when its node stops is stopped, and so is one whose end
// is asked for before it begins.
func TestRunsThatNeverBegin(t *testing.T) {
	t.Parallel()
	members := twoNodes(t)
	for _, asked := range []bool{false, true} {
		n := newNodeRuns(nodeRunsConfig{
			Node: "a", Roster: members, Tell: func(string, rest.ChaosRun) {},
			Scripts: &offeredScripts{folder: folderOf(t, map[string]string{"quick.star": quickScript}), roster: members},
		})
		run, err := n.Start("quick", nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if asked {
			gone, leave := context.WithCancel(ctx)
			leave()
			if err := n.Stop(gone, run.ID); node.KindOf(err) != node.Busy {
				t.Errorf("nobody carries it out yet, and it has stopped: %v", err)
			}
			go func() { _ = n.Run(ctx) }()
			if err := n.Stop(ctx, run.ID); err != nil {
				t.Error(err)
			}
			cancel()
		} else {
			cancel()
			_ = n.Run(ctx)
		}
		r, err := n.find(run.ID)
		if err != nil {
			t.Fatal(err)
		}
		<-r.done
		if got := r.Run(); got.State != rest.RunStopped || (got.Error == "the node was stopped") == asked {
			t.Errorf("%+v", got)
		}
	}
}

// "upper limit as for faults": a preset that a process would refuse is refused
// before anybody is asked; when nobody answers, nothing was set.
func TestPresetLimits(t *testing.T) {
	t.Parallel()
	n := &nodePresets{roster: twoNodes(t)}
	const lasts = link.Span(30 * time.Second)
	for _, test := range []struct {
		name string
		want rest.ChaosPresetRequest
		kind node.Kind
		says string
	}{
		{"tilt", rest.ChaosPresetRequest{Duration: lasts}, node.NotFound, `no preset "tilt"`},
		{"halves", rest.ChaosPresetRequest{}, node.Invalid, "duration is missing"},
		{"halves", rest.ChaosPresetRequest{Duration: link.Span(link.MaxDuration + 1)}, node.Invalid, "at most 24h"},
		{"slow", rest.ChaosPresetRequest{From: "a", To: "b", Delay: link.Span(link.MaxDelay + 1), Duration: lasts}, node.Invalid, "at most 10s"},
		{"flap", rest.ChaosPresetRequest{From: "a", To: "b", Delay: link.Span(link.MinFlapPeriod - 1), Duration: lasts}, node.Invalid, "20ms to 1h0m0s"},
		{"flap", rest.ChaosPresetRequest{From: "a", To: "b", Duration: lasts}, rest.PeerSilent, "nothing was set"},
		{"witness_alone", rest.ChaosPresetRequest{Duration: lasts}, rest.PeerSilent, "w: "},
	} {
		_, err := n.Set(t.Context(), test.name, test.want)
		if node.KindOf(err) != test.kind || !strings.Contains(fmt.Sprint(err), test.says) {
			t.Errorf("%s: %v, want %s and %q", test.name, err, test.kind, test.says)
		}
	}
}

// One process that hangs keeps no other from being asked, and who has no API is
// told.
func TestPresetOfWhoAnswers(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b")
	n := &nodePresets{runs: newNodeRuns(nodeRunsConfig{})}
	for _, name := range []string{"a", "b"} {
		n.roster.Members = append(n.roster.Members, roleMember{Name: name, Role: peer.Data, addresses: addresses{API: s.nodes[name].url}})
	}
	n.roster.Members = append(n.roster.Members, roleMember{Name: "w", Role: peer.Witness})
	set, err := n.Set(t.Context(), "isolate", rest.ChaosPresetRequest{Node: "b", Duration: link.Span(time.Minute)})
	if err != nil || len(set.Faults) != 3 || set.Preset != "isolate" || time.Until(set.Expires) < 50*time.Second {
		t.Fatalf("%+v, %v", set, err)
	}
	if len(s.nodes["a"].faults) != 1 || len(s.nodes["b"].faults) != 2 {
		t.Errorf("a has %+v, b has %+v", s.nodes["a"].faults, s.nodes["b"].faults)
	}
	if u := set.Unreachable; len(u) != 1 || u[0].Node != "w" || !strings.Contains(u[0].Error, "w has no API address") {
		t.Errorf("unreachable: %+v", u)
	}
	s.nodes["b"].server.Close()
	healed, err := n.Heal(t.Context())
	if err != nil || len(healed.Healed) != 1 || healed.Healed[0] != (rest.HealedNode{Node: "a", Faults: 1}) || len(healed.Unreachable) != 2 || healed.Stopped != nil {
		t.Errorf("%+v, %v", healed, err)
	}
}

// "refused without --chaos"; a folder that is not there is said at the start.
func TestServeChaosScriptsFlag(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t, "", "a")
	args := []string{"serve", "--config", filepath.Join(c.dir, "cluster.yaml"), "--name", "a", "--data", filepath.Join(c.dir, "a"), "--chaos-scripts", filepath.Join(c.dir, "none")}
	runCLI(t.Context(), "", nil, args...).want(t, exitUsage, "--chaos-scripts", "needs --chaos")
	runCLI(t.Context(), "", nil, append(args, "--chaos")...).want(t, exitError, "--chaos-scripts: ", "no such file or directory")
}
