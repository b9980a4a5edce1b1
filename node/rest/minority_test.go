package rest

import (
	"testing"

	"github.com/syncline/syncline/node"
)

// "Write-State: … minority (on document routes it speaks of the collection
// asked; minority: taken here by the collection's own rule)" (API).
func TestWriteStateOfTheCollection(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/collections/notes", `{"minority":"accept"}`)
	s.vote.set(&node.Error{Op: "write", Kind: node.ReadOnly, ReadOnly: &node.ReadOnlyState{Cause: node.NoMajority}}, 0)
	state := func(a answer, want string) {
		t.Helper()
		if got := a.header.Get("Write-State"); got != want {
			t.Errorf("Write-State: %s, want %s", got, want)
		}
	}
	state(s.must(201, "PUT", "/v1/docs/notes/n", `{"n":1}`), "minority")
	state(s.must(200, "GET", "/v1/docs/notes/n", ""), "minority")
	state(s.must(200, "POST", "/v1/bulk/notes", `{"id":"m","doc":{}}`+"\n"), "minority")
	state(s.must(503, "PUT", "/v1/docs/accounts/n", `{"n":1}`), "read-only")
	state(s.must(404, "GET", "/v1/docs/accounts/n", ""), "read-only")
	state(s.must(503, "PUT", "/v1/collections/notes", `{}`), "read-only")
	state(s.must(200, "GET", "/v1/cluster", ""), "read-only")
}
