package node_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// clash ends a conflict of a document between this node and others, who wrote so
// long after noon, and returns the record.
func (r *rig) clash(id string, after time.Duration, others ...vclock.Actor) *conflict.Record {
	r.Helper()
	r.wall = noon.Add(after)
	r.write(put(id, `{"by":"me"}`))
	for _, a := range others {
		seq := r.Frontier().Get(a) + 1
		r.takeClosed(fmt.Sprintf("%s:%d", a, seq), row(id, dot(a, seq), "", at(after)))
	}
	set := r.get(id).Live.ID()
	r.write(put(id, `{}`))
	return r.one(set).Record
}

// "Conflicts from one partition are grouped as an episode" (DESIGN 7): those
// between the same nodes, one after the other.
func TestEpisodes(t *testing.T) {
	r := newRig(t)
	first := r.clash("one", 0, actorB)
	if first.Episode != first.ID {
		t.Errorf("the first of an episode: %q of %q", first.Episode, first.ID)
	}
	joined := func(name, want string, rec *conflict.Record) {
		t.Helper()
		if want == "" {
			want = rec.ID
		}
		if rec.Episode != want {
			t.Errorf("%s: in episode %q, want %q", name, rec.Episode, want)
		}
	}
	joined("a minute later", first.ID, r.clash("two", node.EpisodeGap, actorB))
	joined("other nodes", "", r.clash("three", node.EpisodeGap, actorB, actorC))
	joined("a minute after the last", first.ID, r.clash("four", 2*node.EpisodeGap, actorB))
	later := r.clash("five", 3*node.EpisodeGap+time.Millisecond, actorB)
	joined("more than a minute after the last", "", later)
	joined("of the new one", later.ID, r.clash("six", 3*node.EpisodeGap+time.Second, actorB))

	page, err := r.Conflicts(t.Context(), node.ConflictQuery{State: node.ConflictSettled, Episode: first.ID})
	r.ok(err)
	if len(page.Conflicts) != 3 {
		t.Errorf("%d conflicts in the episode, want 3", len(page.Conflicts))
	}
	r.reopen(r.store.Reopen(0))
	joined("after a restart", "", r.clash("seven", 3*node.EpisodeGap+2*time.Second, actorB))
}

// A conflict within one node is of no partition.
func TestNoEpisodeWithinANode(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{}`))
	w := put("alice", `{"n":1}`)
	w.Context = r.context()
	r.write(w)
	r.write(w)
	set := r.shows("alice", `{"n":1}`, 2).Live.ID()
	r.write(put("alice", `{}`))
	if e := r.one(set).Record.Episode; e != "" {
		t.Errorf("it is in episode %q", e)
	}
}

// An episode whose first record was not committed is none.
func TestEpisodeOfAFailedCommit(t *testing.T) {
	r := newRig(t)
	r.collide(`{}`, `{"n":1}`)
	r.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull, Err: errors.New("no space left")}, false)
	if _, err := r.try(put("alice", `{"n":2}`)); node.KindOf(err) != node.DiskFull {
		t.Fatal(err)
	}
	if rec := r.clash("bob", 2*time.Second, actorB); rec.Episode != rec.ID {
		t.Errorf("it joined episode %q, of which nobody has a record", rec.Episode)
	}
}

// "A batch holds at most MaxEpisodes": more sets of nodes than that make no state
// without end.
func TestEpisodesAreBounded(t *testing.T) {
	r := newRig(t)
	first := r.clash("first", 0, actorB)
	for n := range node.MaxEpisodes {
		r.clash(fmt.Sprintf("doc%d", n), 0, vclock.Actor(fmt.Sprintf("n%d~aaaaaaaa", n)))
	}
	if rec := r.clash("last", 0, actorB); rec.Episode == first.ID {
		t.Error("the oldest episodes are not forgotten")
	}
}
