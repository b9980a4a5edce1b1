package client

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// API: "Sent with a read or a write it asks for a node that has at least that
// much, waiting up to Prefer: wait". The client keeps it by itself.
func TestSessionIsKept(t *testing.T) {
	t.Parallel()
	a := newFake(t, "a", written)
	b := newFake(t, "b", said(200, `{}`))
	c := newTestClient(t, Config{}, a)
	if _, err := put(t, c); err != nil || c.Session() != "session-a" {
		t.Fatalf("session %q, %v", c.Session(), err)
	}
	c.current = b.URL // as if a had gone
	if _, err := c.Get(t.Context(), alice(), Options{}); err != nil {
		t.Fatal(err)
	}
	if h := a.requests()[0].header; h.Get("Session") != "" || h.Get("Prefer") != "" {
		t.Errorf("the first call asks for %q", h.Get("Session"))
	}
	if h := b.requests()[0].header; h.Get("Session") != "session-a" || h.Get("Prefer") != "wait=5" {
		t.Errorf("asked for %q, %q", h.Get("Session"), h.Get("Prefer"))
	}
	if c.Session() != "session-b" {
		t.Errorf("session %q: the answer of b has all that a's had", c.Session())
	}
}

// An answer that did not wait for the session says nothing about it: taking its
// token would let the next read see something older.
func TestSessionDoesNotGoBack(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*Client) error{
		"refused as behind": func(c *Client) error {
			_, err := put(t, c)
			if errors.Is(err, Behind) {
				return nil
			}
			return err
		},
		"asked for nothing": func(c *Client) error {
			_, err := c.Get(t.Context(), alice(), Options{NoSession: true})
			return err
		},
		"asked for something else": func(c *Client) error {
			_, err := c.Get(t.Context(), alice(), Options{Session: "old"})
			return err
		},
		"state of the cluster": func(c *Client) error {
			_, err := c.Cluster(t.Context())
			return err
		},
	} {
		n := newFake(t, "b", func(w http.ResponseWriter, r *http.Request, _ string) {
			if r.Method == http.MethodPut {
				answerWith(w, 503, problemOf(503, "behind"))
				return
			}
			answerWith(w, 200, `{}`)
		})
		c := newTestClient(t, Config{}, n)
		c.SetSession("newest")
		if err := call(c); err != nil || c.Session() != "newest" {
			t.Errorf("%s: session %q, %v", name, c.Session(), err)
		}
	}
	// What waited for the session, and found nothing, has seen it.
	n := newFake(t, "b", said(404, problemOf(404, "not_found")))
	c := newTestClient(t, Config{}, n)
	c.SetSession("newest")
	if _, err := c.Get(t.Context(), alice(), Options{}); !Absent(err) || c.Session() != "session-b" {
		t.Errorf("session %q, %v", c.Session(), err)
	}
}

func TestSessionOptions(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", said(200, `{}`))
	get := func(c *Client, options Options) http.Header {
		t.Helper()
		c.SetSession("own")
		if _, err := c.Get(t.Context(), alice(), options); err != nil {
			t.Fatal(err)
		}
		seen := n.requests()
		return seen[len(seen)-1].header
	}
	kept := newTestClient(t, Config{Wait: 90 * time.Second}, n)
	without := newTestClient(t, Config{NoSession: true}, n)
	hasty := newTestClient(t, Config{Wait: -1}, n)
	for _, tc := range []struct {
		name, session, wait string
		got                 http.Header
	}{
		{"own", "own", "wait=60", get(kept, Options{})},
		{"given", "given", "wait=60", get(kept, Options{Session: "given"})},
		{"none", "", "", get(kept, Options{NoSession: true})},
		{"switched off", "", "", get(without, Options{})},
		{"switched off, but given", "given", "wait=5", get(without, Options{Session: "given"})},
		{"no wait", "own", "", get(hasty, Options{})},
	} {
		if tc.got.Get("Session") != tc.session || tc.got.Get("Prefer") != tc.wait {
			t.Errorf("%s: asked for %q, %q", tc.name, tc.got.Get("Session"), tc.got.Get("Prefer"))
		}
	}
}
