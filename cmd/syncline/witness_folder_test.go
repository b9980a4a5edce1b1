package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/node/peer"
)

// durableOf is what the first start of a cluster of that name writes.
func durableOf(t *testing.T, cluster, secret string) durable {
	t.Helper()
	d, err := parseConfig("example", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	s, err := peer.NewSecret([]byte(strings.Repeat(secret, peer.MinSecret)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := firstDurable(roster{Cluster: cluster, Epoch: firstEpoch, Members: d.members}, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openFolder(t *testing.T, dir string) *witnessFolder {
	t.Helper()
	w, err := openWitnessFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// PROTOCOL W4: "now < boot + the largest T' ever set": a shorter lease in the
// file does not shorten what a former run has promised.
func TestLongestPromise(t *testing.T) {
	w := openFolder(t, filepath.Join(t.TempDir(), "deep", "w"))
	fresh := durableOf(t, "shop", "s")
	for _, test := range []struct{ set, longest time.Duration }{
		{time.Second, time.Second}, {3 * time.Second, 3 * time.Second}, {2 * time.Second, 3 * time.Second},
	} {
		k, differs, err := w.settle(fresh, "w", test.set)
		if err != nil || k.Longest != test.longest || len(differs) != 0 {
			t.Errorf("promise %v: %+v %v %v", test.set, k, differs, err)
		}
		// Durable before it is used.
		if kept, err := w.read(); err != nil || kept.Longest != test.longest {
			t.Errorf("the folder keeps %v, %v", kept.Longest, err)
		}
	}
}

// API.md: "The roster of the file counts at the first start; then the durable
// one does, and a file that differs is reported, not obeyed."
func TestRosterIsDurable(t *testing.T) {
	w := openFolder(t, t.TempDir())
	fresh := durableOf(t, "shop", "s")
	if _, _, err := w.settle(fresh, "w", time.Second); err != nil {
		t.Fatal(err)
	}
	changed := durableOf(t, "shop", "s")
	changed.Roster.Members[1].API = "127.0.0.1:9999"
	changed.Roster.Members = append(changed.Roster.Members, roleMember{Name: "c", Role: peer.Data})
	k, differs, err := w.settle(changed, "w", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(k.Durable.Roster.Members) != 3 || k.Durable.Roster.Members[1].API != "127.0.0.1:7402" {
		t.Errorf("the file was obeyed: %+v", k.Durable.Roster)
	}
	if got := strings.Join(differs, "; "); !strings.Contains(got, "b is") || !strings.Contains(got, "c is new in the file") {
		t.Errorf("reported: %s", got)
	}
}

// issue 3, "Bad input": "wrong secret, other cluster: one clear line".
func TestWrongFolder(t *testing.T) {
	w := openFolder(t, t.TempDir())
	if _, _, err := w.settle(durableOf(t, "shop", "s"), "w", time.Second); err != nil {
		t.Fatal(err)
	}
	other := durableOf(t, "shop", "s")
	other.Roster.Members[0], other.Roster.Members[2] = other.Roster.Members[2], other.Roster.Members[0]
	other.Roster.Members[2].Role = peer.Witness
	for _, test := range []struct {
		fresh      durable
		name, says string
	}{
		{durableOf(t, "shop", "t"), "w", "the cluster secret is not the one"},
		{durableOf(t, "shed", "s"), "w", "the folder belongs to cluster shop, not to shed"},
		{durableOf(t, "shop", "s"), "v", "no member v"},
		{other, "a", "the folder was made by a data named a"},
	} {
		if _, _, err := w.settle(test.fresh, test.name, time.Second); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("want %q, got %v", test.says, err)
		}
	}
}

// issue 3, "Bad input": "folder locked, disk unwritable, file from a newer
// version".
func TestWitnessFolderRefused(t *testing.T) {
	dir := t.TempDir()
	w := openFolder(t, dir)
	if _, err := openWitnessFolder(dir); err == nil || !strings.Contains(err.Error(), "another process has it") {
		t.Errorf("locked twice: %v", err)
	}
	if _, err := openWitnessFolder(filepath.Join(dir, witnessLock, "w")); err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Errorf("a folder below a file: %v", err)
	}
	for _, test := range []struct{ text, says string }{
		{`{"version":99,"longest_promise_ns":1}`, "written by a newer program"},
		{`{"version":`, "is damaged"},
		{`{"version":1,"longest_promise_ns":-1}`, "is damaged"},
	} {
		if err := os.WriteFile(filepath.Join(dir, witnessFile), []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.settle(durableOf(t, "shop", "s"), "w", time.Second); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: want %q, got %v", test.text, test.says, err)
		}
	}
}
