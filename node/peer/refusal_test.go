package peer_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/node/peer"
)

// FAILURES row 26: "wrong cluster, wrong secret, wrong witness behind the name:
// refused with the reason". DESIGN section 11: "a wrong secret is a failed
// handshake with that reason". At both ends, and no handler ever runs.
func TestRefusedAtBothEnds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(caller, server *side)
		reason peer.Reason
		caller string // words of the error
		server string // words of the report
	}{
		"wrong secret": {
			func(caller, _ *side) { caller.secret = secretTwo },
			peer.WrongSecret, "another cluster secret", "another cluster secret",
		},
		"other cluster": {
			func(caller, _ *side) { caller.identity.Cluster = "bank" },
			peer.OtherCluster, "belongs to cluster shop, we to bank", "belongs to cluster bank, we to shop",
		},
		"wrong process behind the name": {
			func(_, server *side) { server.identity = peer.Identity{Cluster: "shop", Role: peer.Witness, Name: "w"} },
			peer.WrongName, "is w, not b", "wants b at the address of w",
		},
		"one name twice": {
			func(caller, server *side) {
				caller.identity.Name, server.identity.Name = "b", "b"
			},
			peer.WrongName, "two processes", "two processes",
		},
		"wrong role of the caller": {
			func(caller, _ *side) { caller.identity.Role = peer.Replica },
			peer.WrongRole, "a runs as replica", "a runs as replica",
		},
		"caller not in the roster": {
			func(_, server *side) { delete(server.roster, "a") },
			peer.NotInRoster, "no member a", "no member a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			caller, server := newSide("a"), newSide("b")
			c.change(caller, server)
			run := server.serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{
				"/x": func(context.Context, peer.Caller, http.ResponseWriter, *http.Request) {
					t.Error("a handler ran")
				},
			})
			client := caller.client(t, run.Addr().String())
			_, err := client.Ballot(patient(t), "b", "/x", nil, 100)
			refusal, ok := errors.AsType[*peer.RefusedError](err)
			if !ok || refusal.Reason != c.reason || !strings.Contains(err.Error(), c.caller) {
				t.Errorf("the caller got %v, want %s: %s", err, c.reason, c.caller)
			}
			if r := caller.reported(t); r.Inbound || r.Peer != "b" || r.Reason != c.reason || r.Remote != run.Addr().String() {
				t.Errorf("the caller reported %+v", r)
			}
			if r := server.reported(t); !r.Inbound || r.Reason != c.reason || !strings.Contains(r.Detail, c.server) || r.Remote == "" {
				t.Errorf("the server reported %+v, want %s: %s", r, c.reason, c.server)
			}
			if _, names := run.seen(); len(names) != 0 {
				t.Errorf("a refused connection was counted as one of %v", names)
			}
		})
	}
}

// Only the dialler can see this one: our roster says something else of b.
func TestWrongRoleOfTheServer(t *testing.T) {
	caller, server := newSide("a"), newSide("b")
	caller.roster["b"] = peer.Witness
	run := server.serve(t, listen(t, "127.0.0.1:0"), nil)
	_, err := caller.client(t, run.Addr().String()).Ballot(patient(t), "b", "/x", nil, 100)
	if r, ok := errors.AsType[*peer.RefusedError](err); !ok || r.Reason != peer.WrongRole {
		t.Errorf("got %v, want %s", err, peer.WrongRole)
	}
	if _, err := caller.client(t, "").Ballot(patient(t), "z", "/x", nil, 100); !strings.Contains(err.Error(), "no such member") {
		t.Errorf("dialling a stranger: %v", err)
	}
}

// A member that is removed is out at once, on connections that it has, too.
func TestRemovedMemberIsOutAtOnce(t *testing.T) {
	caller, server := newSide("a"), newSide("b")
	run := server.serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{"/x": echo})
	client := caller.client(t, run.Addr().String())
	if _, err := client.Ballot(patient(t), "b", "/x", nil, 100); err != nil {
		t.Fatal(err)
	}
	server.mu.Lock()
	delete(server.roster, "a")
	server.mu.Unlock()
	_, err := client.Ballot(patient(t), "b", "/x", nil, 100)
	if r, ok := errors.AsType[*peer.RefusedError](err); !ok || r.Reason != peer.NotInRoster {
		t.Errorf("got %v, want %s", err, peer.NotInRoster)
	}
	if conns, _ := run.seen(); conns != 1 {
		t.Errorf("it took %d connections", conns)
	}
}

// Strangers learn nothing: plain HTTP, and TLS without a certificate.
func TestStrangers(t *testing.T) {
	server := newSide("b")
	run := server.serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{"/x": echo})
	for name, transport := range map[string]*http.Transport{
		"http://":  {},
		"https://": {TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	} {
		req, err := http.NewRequestWithContext(patient(t), http.MethodPost, name+run.Addr().String()+"/x", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusBadRequest || strings.Contains(string(body), "x") {
				t.Errorf("%s answered %d %q", name, resp.StatusCode, body)
			}
		}
		transport.CloseIdleConnections()
	}
	if r := server.reported(t); r.Reason != peer.NoHandshake {
		t.Errorf("reported %+v, want %s", r, peer.NoHandshake)
	}
}

// A process with a wrong secret calls several times a second: it is reported
// once in a while, with how often.
func TestReportsAreBounded(t *testing.T) {
	caller, server := newSide("a"), newSide("b")
	caller.secret = secretTwo
	run := server.serve(t, listen(t, "127.0.0.1:0"), nil)
	var now time.Time
	client, err := peer.NewClient(peer.ClientConfig{
		Credentials: caller.credentials(t), Roster: caller.lookup(run.Addr().String()), Network: direct{},
		Refused: caller.refused, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	call := func() {
		t.Helper()
		if _, err := client.Ballot(patient(t), "b", "/x", nil, 1); err == nil {
			t.Fatal("not refused")
		}
	}
	for range 5 {
		call()
	}
	if n := len(caller.reports); n != 1 {
		t.Errorf("%d reports of one refusal at one moment", n)
	}
	now = now.Add(time.Minute)
	call()
	if n := len(caller.reports); n != 2 || caller.reports[1].Suppressed != 4 {
		t.Errorf("reports: %+v, want a second one that counts 4", caller.reports)
	}
}
