package node_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// document makes what a node might show of a document, with live versions by
// several actors.
func document(t *rapid.T) node.Document {
	d := node.Document{Key: key(rapid.StringN(1, 20, -1).Draw(t, "id"))}
	for i := range rapid.IntRange(0, 4).Draw(t, "siblings") {
		a := vclock.Actor(fmt.Sprintf("n%d~%08d", i, i))
		seq := rapid.Uint64Range(2, vclock.MaxSeq).Draw(t, "seq")
		clock := vclock.ContextOf(vclock.VectorOf(dot(a, seq-1)), dot(actorC, rapid.Uint64Range(1, 9).Draw(t, "loose")))
		d.Live = append(d.Live, row(string(d.Key.ID), dot(a, seq), "", func(v *conflict.Version) {
			v.Clock, v.Time = clock, vclock.Time(rapid.Uint64Range(0, uint64(vclock.MaxTime)).Draw(t, "time"))
		}))
		if rapid.Bool().Draw(t, "covered") {
			d.Frontier = d.Frontier.With(dot(a, seq))
		}
	}
	return d
}

// "Context token of a document: join of dots and clocks of the live versions
// shown, and the list of those dots" (PROTOCOL D2); "valid on any node".
func TestContextTokenRoundTrip(t *testing.T) {
	here := newRig(t)
	there := newRig(t, func(c *node.Config) { c.Node = "b" })
	rapid.Check(t, func(t *rapid.T) {
		d := document(t)
		token := here.ContextToken(&d)
		got, err := there.ParseContext(d.Key, token)
		if err != nil {
			t.Fatal(err)
		}
		var newest vclock.Time
		for i, v := range d.Live {
			newest = max(newest, v.Time)
			if got.Shown[i] != v.Dot {
				t.Fatalf("shown were %v, and the token says %v", dotsOf(d.Live), got.Shown)
			}
		}
		if !got.Seen.Equal(d.Live.Seen(d.Frontier)) || got.Time != newest || len(got.Shown) != len(d.Live) {
			t.Fatalf("%+v was read of %+v", got, d)
		}
	})
}

// "Sent with a write of that document …; the token names its document, another
// one's is 400 wrong_context" (API).
func TestContextTokenIsOfItsDocument(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{}`))
	d := r.get("alice")
	token := r.ContextToken(&d)
	for _, k := range []conflict.Key{key("bob"), key("alic"), {Collection: "account", ID: "alice"}, {Collection: "accounts", ID: ""}, {Collection: "a", ID: "ccounts/alice"}} {
		_, err := r.ParseContext(k, token)
		r.fails(err, node.WrongContext)
	}
}

// "Authenticated by a MAC from a key derived from the cluster secret. (Else a
// forged a:999999 swallows later writes …)" (PROTOCOL D2)
func TestTokensCannotBeForged(t *testing.T) {
	r := newRig(t)
	other := newRig(t, func(c *node.Config) { c.Key = []byte("another cluster's key") })
	r.write(put("alice", `{}`))
	d := r.get("alice")
	context, session := r.ContextToken(&d), r.SessionToken(d.Session())
	parse := map[node.Kind]func(*rig, string) error{
		node.BadContext: func(r *rig, s string) error { _, err := r.ParseContext(key("alice"), s); return err },
		node.BadSession: func(r *rig, s string) error { _, err := r.ParseSession(s); return err },
		node.BadCursor: func(r *rig, s string) error {
			_, err := r.Changes(r.Context(), node.ChangesQuery{Since: s})
			return err
		},
	}
	page, err := r.Changes(r.Context(), node.ChangesQuery{})
	r.ok(err)
	tokens := map[node.Kind]string{node.BadContext: context, node.BadSession: session, node.BadCursor: page.Next}
	for kind, token := range tokens {
		r.ok(parse[kind](r, token))
		r.fails(parse[kind](other, token), kind)
		for name, stranger := range tokens {
			if name != kind {
				r.fails(parse[kind](r, stranger), kind)
			}
		}
		raw, err := base64.RawURLEncoding.DecodeString(token)
		r.ok(err)
		for i := range raw {
			for bit := range 8 {
				raw[i] ^= 1 << bit
				r.fails(parse[kind](r, base64.RawURLEncoding.EncodeToString(raw)), kind)
				raw[i] ^= 1 << bit
			}
		}
		for _, s := range []string{token[1:], token[:len(token)-1], token + "A", token + "=", " " + token, token + "\n", strings.Repeat("A", 17), "§"} {
			r.fails(parse[kind](r, s), kind)
		}
		if kind != node.BadCursor {
			r.fails(parse[kind](r, ""), kind)
		}
	}
}

// A session is what its node had; it comes back as it was (API).
func TestSessionTokenRoundTrip(t *testing.T) {
	r := newRig(t)
	rapid.Check(t, func(t *rapid.T) {
		d := document(t)
		session := d.Session()
		got, err := r.ParseSession(r.SessionToken(session))
		if err != nil || !got.Equal(session) {
			t.Fatalf("%s was read as %s, %v", session, got, err)
		}
		for _, v := range d.Live {
			if !got.Covers(v.Dot) {
				t.Fatalf("%s was shown, and the session is %s", v.Dot, got)
			}
		}
	})
}

// "Causal-Context: opaque, at most 2 KiB" (API); what is longer is not handed
// out, and not read.
func TestContextTokenLimit(t *testing.T) {
	r := newRig(t)
	d := node.Document{Key: key("alice")}
	for i := range 200 {
		d.Live = append(d.Live, row("alice", dot(vclock.Actor(fmt.Sprintf("node-%d~%08d", i, i)), 1), ""))
		token := r.ContextToken(&d)
		if len(token) > node.MaxToken {
			t.Fatalf("with %d siblings the token has %d characters", i+1, len(token))
		}
		if token == "" {
			if i < 20 {
				t.Fatalf("no token for %d siblings", i+1)
			}
			_, err := r.ParseContext(d.Key, strings.Repeat("A", node.MaxToken+1))
			r.fails(err, node.BadContext)
			return
		}
	}
	t.Fatal("200 siblings have a token")
}
