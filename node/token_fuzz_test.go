package node

import (
	"bytes"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// The payloads of tokens, behind the MAC: "every decoder … no panic, canonical
// round trip, limits hold" (FAILURES 2). A bug of another node of the cluster
// must not stop this one.

// bare is an engine that makes and reads tokens, and has no store.
func bare() *Engine {
	return &Engine{cfg: Config{Key: []byte("key")}, actor: "a~aaaaaaaa"}
}

var fuzzKey = conflict.Key{Collection: "accounts", ID: "alice"}

func FuzzContextToken(f *testing.F) {
	e := bare()
	hash := hashKey(fuzzKey)
	for _, seen := range []vclock.Context{{}, vclock.ContextOf(vclock.VectorOf(vclock.Dot{Actor: "a~aaaaaaaa", Seq: 3}), vclock.Dot{Actor: "b~bbbbbbbb", Seq: 9})} {
		f.Add(appendContexts(append(hash[:], 5), seen, seen))
	}
	f.Add(hash[:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		token, err := e.ParseContext(fuzzKey, e.seal(kindContext, payload))
		if err != nil {
			if k := KindOf(err); k != BadContext && k != WrongContext {
				t.Errorf("%x: %v of kind %s", payload, err, k)
			}
			return
		}
		if !bytes.HasPrefix(payload, hash[:]) {
			t.Errorf("%x is of another document, and was read as %+v", payload, token)
		}
	})
}

func FuzzSessionToken(f *testing.F) {
	e := bare()
	f.Add([]byte("\x00\x00"))
	f.Add([]byte("\x01\x0aa~aaaaaaaa\x07\x00"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		session, err := e.ParseSession(e.seal(kindSession, payload))
		if err != nil {
			if KindOf(err) != BadSession {
				t.Errorf("%x: %v", payload, err)
			}
			return
		}
		if again := e.SessionToken(session); again != e.seal(kindSession, payload) {
			t.Errorf("%x was read as %s, and is written otherwise", payload, session)
		}
	})
}

func FuzzChangesCursor(f *testing.F) {
	e := bare()
	v := vclock.VectorOf(vclock.Dot{Actor: "a~aaaaaaaa", Seq: 3})
	f.Add(appendContexts([]byte("\x0aa~aaaaaaaa"), vclock.ContextOf(v), vclock.ContextOf(v)))
	f.Add([]byte("\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := e.changesCursor(e.seal(kindChanges, payload))
		if err != nil {
			if KindOf(err) != BadCursor {
				t.Errorf("%x: %v", payload, err)
			}
			return
		}
		if p.maker != e.actor && p.told.Len() > 0 {
			t.Errorf("%x was made by %q, and what it told there counts here", payload, p.maker)
		}
	})
}

func FuzzListCursor(f *testing.F) {
	e := bare()
	f.Add("accounts\n\nalice", "")
	f.Add("accounts\nal\nalice", "al")
	f.Fuzz(func(t *testing.T, payload, prefix string) {
		q := ListQuery{Collection: "accounts", Prefix: prefix, Cursor: e.seal(kindList, []byte(payload))}
		after, err := e.listCursor(q)
		if err != nil {
			if KindOf(err) != BadCursor {
				t.Errorf("%q: %v", payload, err)
			}
			return
		}
		if payload != "accounts\n"+prefix+"\n"+string(after) {
			t.Errorf("%q with prefix %q was read as %q", payload, prefix, after)
		}
	})
}

func FuzzHistoryCursor(f *testing.F) {
	e := bare()
	head := historyHead(e.actor, fuzzKey)
	f.Add(head + "\x07")
	f.Add(head + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Add(head)
	f.Add("a~aaaaaaaa\nother/document\n\x07")
	f.Fuzz(func(t *testing.T, payload string) {
		_, err := e.historyCursor(HistoryQuery{Key: fuzzKey, Cursor: e.seal(kindHistory, []byte(payload))})
		if err != nil && KindOf(err) != BadCursor {
			t.Errorf("%q: %v", payload, err)
		}
		if err == nil && !strings.HasPrefix(payload, head) {
			t.Errorf("%q is taken for a cursor of %q", payload, head)
		}
	})
}

// FuzzTokenText is the way in that a client has: no text but ours passes.
func FuzzTokenText(f *testing.F) {
	e := bare()
	good := e.SessionToken(vclock.Context{})
	f.Add(good)
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := e.ParseSession(s); (err == nil) != (s == good) {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := e.ParseContext(fuzzKey, s); err == nil {
			t.Errorf("%q is a context", s)
		}
		if _, err := e.historyCursor(HistoryQuery{Key: fuzzKey, Cursor: s}); s != "" && KindOf(err) != BadCursor {
			t.Errorf("%q is a cursor of a history: %v", s, err)
		}
		if _, err := e.changesCursor(s); s != "" && KindOf(err) != BadCursor {
			t.Errorf("%q is a cursor: %v", s, err)
		}
	})
}
