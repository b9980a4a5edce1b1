package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/witness"
)

// example is the file of API.md, "Starting a cluster", word by word.
const example = `cluster: shop
secret_file: ./secret                  # 32 bytes or more; ` + "`syncline token secret`" + ` writes one
roster:                                # names: [a-z][a-z0-9-]{0,31}; addresses are what others dial
  - {name: a, role: data,    api: 127.0.0.1:7401, peer: 127.0.0.1:7411, gossip: 127.0.0.1:7421, priority: 0}
  - {name: b, role: data,    api: 127.0.0.1:7402, peer: 127.0.0.1:7412, gossip: 127.0.0.1:7422}
  - {name: w, role: witness, api: 127.0.0.1:7409, peer: 127.0.0.1:7419}      # api optional
listen: {a: {api: 0.0.0.0:7401}}       # optional, where what is bound differs from what is dialled
timing: {beat: 150ms, lease: 1500ms}   # optional; checked for sense, the worst case is printed at the start
auth: none                             # loopback only, unless --insecure; otherwise tokens
`

// testApp is an app whose environment is env, NAME=value.
func testApp(env ...string) (a *app, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	get := func(name string) string {
		for _, pair := range env {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
	return &app{stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, getenv: get, environ: func() []string { return env }}, stdout, stderr
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// load loads a configuration with flags as on a command line.
func load(t *testing.T, a *app, args ...string) (*config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	addServerFlags(flags)
	flags.Bool("found", false, "")
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadConfig(a, flags)
}

// API.md, "Starting a cluster": "One file describes a cluster; every process
// reads the same one."
func TestExampleConfig(t *testing.T) {
	file := writeConfig(t, example)
	a, _, _ := testApp()
	c, err := load(t, a, "--config", file, "--name", "b", "--data", "./b", "--chaos")
	if err != nil {
		t.Fatal(err)
	}
	want := []roleMember{
		{Name: "a", Role: peer.Data, addresses: addresses{API: "127.0.0.1:7401", Peer: "127.0.0.1:7411", Gossip: "127.0.0.1:7421"}},
		{Name: "b", Role: peer.Data, addresses: addresses{API: "127.0.0.1:7402", Peer: "127.0.0.1:7412", Gossip: "127.0.0.1:7422"}},
		{Name: "w", Role: peer.Witness, addresses: addresses{API: "127.0.0.1:7409", Peer: "127.0.0.1:7419"}},
	}
	if got := c.members; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("members %+v", got)
	}
	if got := c.secretFile; got != filepath.Join(filepath.Dir(file), "secret") {
		t.Errorf("secret_file %s is not relative to the configuration's folder", got)
	}
	if c.cluster != "shop" || c.name != "b" || c.data != "./b" || !c.chaos || c.insecure || !c.full || c.auth != authNone {
		t.Errorf("%+v", c)
	}
	if c.timing != witness.DefaultTiming() {
		t.Errorf("timing %+v", c.timing)
	}
	if got := c.listen["a"].API; got != "0.0.0.0:7401" {
		t.Errorf("listen.a.api %s", got)
	}
	// PROTOCOL part 2: "2.07 s for two data nodes and a witness"; API.md: "the
	// worst case is printed at the start".
	if got := boundOf(c.timing, c.roster().votes()); got != 2100*time.Millisecond {
		t.Errorf("bound %v", got)
	}
	if err := c.checkMe(peer.Data); err != nil {
		t.Error(err)
	}
	if err := c.checkMe(peer.Witness); err == nil || !strings.Contains(err.Error(), "syncline serve") {
		t.Errorf("b as a witness: %v", err)
	}
}

// API.md, "Command line": "YAML file < environment SYNCLINE_* < flags (koanf);
// config print shows where each value came from."
func TestConfigPrint(t *testing.T) {
	file := writeConfig(t, strings.Replace(example, "lease: 1500ms", "lease: 1600ms", 1))
	a, stdout, stderr := testApp("SYNCLINE_TIMING_LEASE=1700ms", "SYNCLINE_TIMING_BEAT=140ms", "SYNCLINE_NAME=a", "SYNCLINE_LOG_LEVEL=debug", "SYNCLINE_NODE=x", "PATH=/")
	if code := run(t.Context(), []string{"config", "print", "--config", file, "--name", "b"}, a); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, line := range []string{
		"config|" + file + "|--config",
		"cluster|shop|" + file + ":1",
		"secret_file|./secret|" + file + ":2",
		"timing.beat|140ms|SYNCLINE_TIMING_BEAT",
		"timing.lease|1700ms|SYNCLINE_TIMING_LEASE",
		"auth|none|" + file + ":9",
		"storage.sync|full|default",
		"name|b|--name",
		"log_level|debug|SYNCLINE_LOG_LEVEL",
		"roster.w|role=witness api=127.0.0.1:7409 peer=127.0.0.1:7419 gossip= priority=0|" + file + ":6",
		"listen.a|api=0.0.0.0:7401 peer= gossip=|" + file + ":7",
		"timing.bound|2.3s|follows from beat and lease",
	} {
		if !hasLine(stdout.String(), line) {
			t.Errorf("no line %s in\n%s", line, stdout)
		}
	}
}

// hasLine looks for a row of a table, its cells divided by |.
func hasLine(table, row string) bool {
	want := strings.Fields(strings.ReplaceAll(row, "|", " "))
	for line := range strings.Lines(table) {
		if strings.Join(strings.Fields(line), " ") == strings.Join(want, " ") {
			return true
		}
	}
	return false
}

// issue 3, "Bad input": "Wrong flags and config files say the line and what to
// do."
func TestBadConfig(t *testing.T) {
	replace := func(old, by string) string { return strings.Replace(example, old, by, 1) }
	tests := []struct {
		name, text string
		line       string // after the file's name
		says       string
	}{
		{"empty", "", "", "the file is empty"},
		{"no YAML", "cluster: [", "", "yaml"},
		{"a list", "- cluster", ":1", "want keys with values"},
		{"two documents", example + "---\ncluster: x\n", ":10", "one file describes one cluster"},
		{"unknown key", replace("auth: none", "auht: none"), ":9", `unknown key "auht"`},
		{"unknown inner key", replace("beat: 150ms", "beet: 150ms"), ":8", `unknown key "timing.beet"`},
		{"unknown key of a member", replace("priority: 0", "prio: 0"), ":4", "prio: unknown key"},
		{"unknown key of listen", replace("{api: 0.0.0.0:7401}", "{rest: 0.0.0.0:7401}"), ":7", `unknown key "rest"`},
		{"twice", example + "cluster: y\n", ":10", `"cluster" stands here twice`},
		{"a process's own setting", example + "name: a\n", ":10", "use --name or SYNCLINE_NAME"},
		{"cluster name", replace("cluster: shop", "cluster: a shop"), ":1", "cluster id"},
		{"no value", replace("cluster: shop", "cluster:"), ":1", "want one value"},
		{"a list as value", replace("auth: none", "auth: [none]"), ":9", "want one value"},
		{"no cluster", replace("cluster: shop\n", ""), "", "cluster is missing"},
		{"no secret", replace("secret_file: ./secret", ""), "", "secret_file is missing"},
		{"no roster", "cluster: shop\nsecret_file: s\n", "", "roster is missing"},
		{"roster is no list", "cluster: shop\nsecret_file: s\nroster: {a: b}\n", ":3", "want a list of members"},
		{"duration", replace("lease: 1500ms", "lease: 1500"), ":8", "write a number and a unit"},
		{"short lease", replace("lease: 1500ms", "lease: 1s"), ":8", "too short for beat 150ms"},
		{"auth", replace("auth: none", "auth: open"), ":9", "want none"},
		{"tokens", replace("auth: none", "auth: tokens"), ":9", "not built yet"},
		{"sync", example + "storage: {sync: off}\n", ":10", "want full or normal"},
		{"role", replace("role: witness", "role: judge"), ":6", "one of data, witness"},
		{"replica", replace("role: witness", "role: replica"), ":6", "not built yet"},
		{"name", replace("name: a,", "name: A,"), ":4", "name"},
		{"port 0", replace("api: 127.0.0.1:7402", "api: 127.0.0.1:0"), ":5", "a port from 1 to 65535"},
		{"no port", replace("peer: 127.0.0.1:7412", "peer: 127.0.0.1"), ":5", "want host:port"},
		{"no host", replace("peer: 127.0.0.1:7412", `peer: ":7412"`), ":5", "as others dial it"},
		{"priority", replace("priority: 0", "priority: high"), ":4", "whole number"},
		{"no peer", replace("peer: 127.0.0.1:7412, ", ""), ":5", "a member without peer"},
		{"no api", replace("api: 127.0.0.1:7402, ", ""), ":5", "a member without api"},
		{"same name", replace("name: b", "name: a"), ":5", "a stands in it twice"},
		{"same address", replace("127.0.0.1:7412", "127.0.0.1:7401"), ":5", "which a has too"},
		{"two witnesses", replace("role: data,    api: 127.0.0.1:7402", "role: witness, api: 127.0.0.1:7402"), ":6", "a second witness beside b"},
		{"misspelt roster", replace("roster:", "rooster:"), ":3", `unknown key "rooster"`},
		{"listen for nobody", replace("listen: {a:", "listen: {z:"), ":7", "no member z"},
		{"listen port", replace("0.0.0.0:7401", "0.0.0.0:http"), ":7", "a port from 1 to 65535"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := writeConfig(t, test.text)
			a, _, _ := testApp()
			_, err := load(t, a, "--config", file, "--name", "b", "--data", "./b")
			if err == nil {
				t.Fatal("it is taken")
			}
			if got := err.Error(); !strings.HasPrefix(got, file+test.line+": ") || !strings.Contains(got, test.says) {
				t.Errorf("want %s%s … %s, got %s", file, test.line, test.says, got)
			}
		})
	}
}

// API.md, "Command line": "Exit 0 ok, 1 error, 2 usage".
func TestConfigExitCodes(t *testing.T) {
	file := writeConfig(t, example)
	tests := []struct {
		args []string
		env  []string
		code int
		says string
	}{
		{[]string{"serve"}, nil, exitUsage, "--config is missing"},
		{[]string{"serve", "--config", file}, nil, exitUsage, "--name is missing"},
		{[]string{"serve", "--config", file, "--name", "b"}, nil, exitUsage, "--data is missing"},
		{[]string{"serve", "--config", file, "--name", "B", "--data", "x"}, nil, exitUsage, "--name"},
		{[]string{"serve", "--config", file, "--name", "b", "--data", "x", "--log-level", "loud"}, nil, exitUsage, "--log-level"},
		{[]string{"serve", "--config", file, "--nane", "b"}, nil, exitUsage, "--nane"},
		{[]string{"serve", "a"}, nil, exitUsage, "serve"},
		{[]string{"serve", "--config", file, "--name", "z", "--data", "x"}, nil, exitError, "the roster has no member z; it has a, b, w"},
		{[]string{"serve", "--config", file, "--name", "w", "--data", "x"}, nil, exitError, "syncline witness"},
		{[]string{"witness", "--config", file, "--name", "a", "--data", "x"}, nil, exitError, "syncline serve"},
		{[]string{"serve", "--config", file + "x", "--name", "b"}, nil, exitError, "no such file"},
		{[]string{"serve", "--config", file, "--name", "b", "--data", "x"}, []string{"SYNCLINE_CHAOS=maybe"}, exitError, "SYNCLINE_CHAOS"},
		{[]string{"serve", "--config", file, "--name", "b", "--data", "x"}, nil, exitError, "secret"},
		{[]string{"nothing"}, nil, exitUsage, `no command "nothing"`},
		{[]string{"config", "nothing"}, nil, exitUsage, `no command "nothing"`},
		{[]string{"config"}, nil, exitOK, ""},
		{[]string{"version"}, nil, exitOK, ""},
		{[]string{"completion", "bash"}, nil, exitOK, ""},
		{[]string{}, nil, exitOK, ""}, // not nil, for which cobra takes those of this process
	}
	for _, test := range tests {
		a, _, stderr := testApp(test.env...)
		code := run(t.Context(), test.args, a)
		if code != test.code || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%v: exit %d, want %d; %s", test.args, code, test.code, stderr)
		}
		if code != exitOK && strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%v: want one line, got %s", test.args, stderr)
		}
	}
}

// API.md: "32 bytes or more; `syncline token secret` writes one".
func TestTokenSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	a, stdout, stderr := testApp()
	if code := run(t.Context(), []string{"token", "secret", file}, a); code != exitOK {
		t.Fatal(stderr)
	}
	if _, warning, err := peer.ReadSecret(file); err != nil || warning != "" {
		t.Errorf("%v %s", err, warning)
	}
	before, _ := os.ReadFile(file)
	if code := run(t.Context(), []string{"token", "secret", file}, a); code != exitError || !strings.Contains(stderr.String(), "exists already") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("a secret was overwritten")
	}
	if code := run(t.Context(), []string{"token", "secret"}, a); code != exitOK || bytes.Equal(stdout.Bytes(), before) {
		t.Errorf("exit %d, printed %s", code, stdout)
	}
	if _, err := peer.NewSecret(stdout.Bytes()); err != nil {
		t.Error(err)
	}
}
