package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func event(id string) string {
	return fmt.Sprintf(`{"cursor":"at-%s","collection":"accounts","id":%q,"dot":"a~k3f9x2mz:1","time":"2026-03-01T14:02:11Z",`+
		`"deleted":false,"etag":"e","context":"c","conflicts":2,"settles":null,"doc":{ "n":1.0 }}`, id, id)
}

// follow reads changes until limit items came. Items are written "id" or
// "=checkpoint".
func follow(ctx context.Context, c *Client, options ChangesOptions, limit int) (got []string, last error) {
	for change, err := range c.Changes(ctx, options) {
		switch {
		case err != nil:
			last = err
			continue
		case change.Checkpoint != "":
			got = append(got, "="+change.Checkpoint)
		default:
			got = append(got, change.ID)
		}
		if len(got) == limit {
			break
		}
	}
	return got, last
}

// API: "Changes: events …, then {"checkpoint":"…"}"; a page without a checkpoint
// has more behind it.
func TestChangesToThePresent(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		switch r.URL.Query().Get("since") {
		case "start":
			answerWith(w, 200, `{"events":[`+event("1")+`,`+event("2")+`],"checkpoint":null,"next":"at-2"}`)
		case "at-2":
			answerWith(w, 200, `{"events":[`+event("3")+`],"checkpoint":"cp","next":"cp"}`)
		default:
			answerWith(w, 400, problemOf(400, "bad_cursor"))
		}
	})
	c := newTestClient(t, Config{}, n)
	got, err := follow(t.Context(), c, ChangesOptions{Collection: "accounts", Since: "start", Page: 2}, 0)
	expect(t, got, "1", "2", "3", "=cp")
	if err != nil {
		t.Error(err)
	}
	if q := n.requests()[0].query; q != "c=accounts&feed=page&limit=2&since=start" {
		t.Errorf("asked %q", q)
	}
	if h := n.requests()[0].header; h.Get("Session") != "" || h.Get("Prefer") != "wait=5" {
		t.Errorf("asked for %q, %q: the cursor says it all", h.Get("Session"), h.Get("Prefer"))
	}
	for change, err := range c.Changes(t.Context(), ChangesOptions{Since: "start"}) {
		if err != nil || change.Cursor != "at-1" || change.Conflicts != 2 || string(change.Doc) != `{ "n":1.0 }` || change.Dot != "a~k3f9x2mz:1" {
			t.Errorf("got %+v, %v", change, err)
		}
		break
	}
}

// API: "feed=longpoll"; a checkpoint is "valid on any node", so the feed goes on
// elsewhere when its node is gone.
func TestChangesFollowAndGoOnElsewhere(t *testing.T) {
	t.Parallel()
	second := newFake(t, "b", func(w http.ResponseWriter, r *http.Request, _ string) {
		if q := r.URL.Query(); q.Get("since") != "cp2" || q.Get("feed") != "longpoll" {
			t.Errorf("asked %v", q)
		}
		answerWith(w, 200, `{"events":[`+event("2")+`],"checkpoint":"cp3","next":"cp3"}`)
	})
	var polls atomic.Int32
	first := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		switch polls.Add(1) {
		case 1:
			answerWith(w, 200, `{"events":[`+event("1")+`],"checkpoint":"cp1","next":"cp1"}`)
		case 2: // nothing happened
			answerWith(w, 200, `{"events":[],"checkpoint":"cp1","next":"cp1"}`)
		case 3: // something of another collection did
			answerWith(w, 200, `{"events":[],"checkpoint":"cp2","next":"cp2"}`)
		default:
			hangUp(w, r, "")
		}
	})
	c := newTestClient(t, Config{}, first, second)
	got, err := follow(t.Context(), c, ChangesOptions{Follow: true, Poll: 7 * time.Second}, 5)
	expect(t, got, "1", "=cp1", "=cp2", "2", "=cp3")
	if err != nil {
		t.Error(err)
	}
	if h := first.requests()[1]; h.header.Get("Prefer") != "wait=7" || h.query != "feed=longpoll&since=cp1" {
		t.Errorf("asked %q, %q", h.query, h.header.Get("Prefer"))
	}
}

// An error ends the feed; a context that ends it is one.
func TestChangesEnd(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", said(410, problemOf(410, "cursor_expired")))
	got, err := follow(t.Context(), newTestClient(t, Config{}, n), ChangesOptions{Since: "old", Follow: true}, 0)
	if len(got) > 0 || !errors.Is(err, Code("cursor_expired")) {
		t.Errorf("got %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	polling := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.URL.Query().Get("feed") == "longpoll" {
			cancel()
			<-r.Context().Done()
			return
		}
		answerWith(w, 200, `{"events":[],"checkpoint":"cp","next":"cp"}`)
	})
	got, err = follow(ctx, newTestClient(t, Config{}, polling), ChangesOptions{Follow: true}, 0)
	expect(t, got, "=cp")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
