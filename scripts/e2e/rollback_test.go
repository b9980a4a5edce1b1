package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issue 3, item 5: "A node that sees more of its own actor elsewhere than it has
// itself stops with a clear message". PROTOCOL D14: else it would use dots
// twice, which is silent loss.
func TestFolderWentBack(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	c.startAll()
	l := c.newLoad("back")
	l.awaitAcks(enough, "a", "b")
	c.running["b"].terminate(t)
	folder, copied := filepath.Join(c.dir, "b"), filepath.Join(c.dir, "copy-of-b")
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	c.start("b")
	c.awaitAllVotes()
	l.awaitAcks(enough, "b")
	h := l.finish()
	c.awaitEqual()
	c.running["b"].terminate(t)

	if err := os.Rename(folder, filepath.Join(c.dir, "newer")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(copied, folder); err != nil {
		t.Fatal(err)
	}
	c.launch("b")
	select {
	case <-c.running["b"].ended:
	case <-time.After(patience):
		t.Fatalf("b goes on with a file that went back:\n%s", c.running["b"].printed())
	}
	text := strings.TrimSpace(c.running["b"].printed())
	last := text[1+strings.LastIndexByte(text, '\n'):]
	if !strings.HasPrefix(last, "syncline: ") || !strings.Contains(last, "is a copy or went back") || c.running["b"].err == nil {
		t.Errorf("b ended with %v and said: %s", c.running["b"].err, last)
	}
	// The message says what to do: an empty folder.
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	c.start("b")
	c.awaitAllVotes()
	c.awaitEqual()
	c.checkPresence(h)
}
