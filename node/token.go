package node

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Tokens are opaque to clients. Each is a kind, a payload and a MAC of both
// under a key of the cluster, so that every node of the cluster can read it
// and nobody can forge it: a forged context would swallow later writes
// (PROTOCOL D2).
const (
	kindContext = 'c'
	kindSession = 's'
	kindChanges = 'f'
	kindList    = 'l'

	macSize = 16
	// MaxToken is the longest Causal-Context, in bytes of its text.
	MaxToken = 2048
	// MaxSession is the longest Session or cursor, in bytes of its text.
	MaxSession = 16384
	docHash    = 16
)

// Token is a causal context that was handed out with a document.
type Token struct {
	Seen  vclock.Context
	Shown []vclock.Dot // the live versions that the reader was shown
	Time  vclock.Time  // the highest of their times
}

// ContextToken is the context of a reader of this document; it is empty for
// one with so many siblings that it would pass MaxToken.
func (e *Engine) ContextToken(d *Document) string {
	var t Token
	t.Seen = d.Seen()
	for _, v := range d.Live {
		t.Shown = append(t.Shown, v.Dot)
		t.Time = max(t.Time, v.Time)
	}
	hash := hashKey(d.Key)
	b := append(make([]byte, 0, 256), hash[:]...)
	b = binary.AppendUvarint(b, uint64(t.Time))
	b = appendContexts(b, t.Seen, vclock.ContextOf(vclock.Vector{}, t.Shown...))
	s := e.seal(kindContext, b)
	if len(s) > MaxToken {
		return ""
	}
	return s
}

// ParseContext reads the Causal-Context of a document.
func (e *Engine) ParseContext(key conflict.Key, s string) (*Token, error) {
	bad := func(kind Kind, text string) error {
		return &Error{Op: "context", Kind: kind, Key: key.String(), Err: errors.New(text)}
	}
	b, err := e.open(kindContext, s, MaxToken)
	if err != nil {
		return nil, bad(BadContext, "Causal-Context: "+err.Error())
	}
	if hash := hashKey(key); len(b) < docHash || [docHash]byte(b[:docHash]) != hash {
		return nil, bad(WrongContext, "Causal-Context: the token is of another document; send the one that came with this document")
	}
	t := &Token{}
	time, n := binary.Uvarint(b[docHash:])
	if n <= 0 {
		return nil, bad(BadContext, "Causal-Context: the token is cut off")
	}
	t.Time = vclock.Time(time)
	var shown vclock.Context
	if t.Seen, shown, err = readContexts(b[docHash+n:]); err != nil {
		return nil, bad(BadContext, "Causal-Context: "+err.Error())
	}
	for d := range shown.Loose() {
		t.Shown = append(t.Shown, d)
	}
	return t, nil
}

// SessionToken is a session as it is handed out.
func (e *Engine) SessionToken(session vclock.Context) string {
	b, err := session.AppendBinary(make([]byte, 0, 128))
	if err != nil {
		panic("node: a context has no binary form: " + err.Error())
	}
	return e.seal(kindSession, b)
}

// ParseSession reads a Session.
func (e *Engine) ParseSession(s string) (vclock.Context, error) {
	var c vclock.Context
	b, err := e.open(kindSession, s, MaxSession)
	if err == nil {
		err = c.UnmarshalBinary(b)
	}
	if err != nil {
		return c, &Error{Op: "session", Kind: BadSession, Err: fmt.Errorf("Session: %w", err)}
	}
	return c, nil
}

func hashKey(k conflict.Key) [docHash]byte {
	sum := sha256.Sum256([]byte("syncline document\n" + k.String()))
	return [docHash]byte(sum[:docHash])
}

// seal makes a token of a kind and a payload.
func (e *Engine) seal(kind byte, payload []byte) string {
	b := make([]byte, 0, 1+len(payload)+macSize)
	b = append(append(b, kind), payload...)
	b = append(b, e.mac(b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// open reads a token of a kind and returns its payload.
func (e *Engine) open(kind byte, s string, limit int) ([]byte, error) {
	if len(s) > limit {
		return nil, fmt.Errorf("the token has %d characters: at most %d", len(s), limit)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	// The decoder skips line ends; a token has one spelling.
	if err != nil || len(b) < 1+macSize || base64.RawURLEncoding.EncodedLen(len(b)) != len(s) {
		return nil, errors.New("this is no token; send the whole text that came in an answer")
	}
	payload, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(mac, e.mac(payload)) {
		return nil, errors.New("the token was not made by this cluster, or it was changed on its way")
	}
	if payload[0] != kind {
		return nil, errors.New("the token is of another kind; send back each token under the name that it came with")
	}
	return payload[1:], nil
}

// mac computes the MAC of a token. Keyed hashes are kept for further use, since
// every answer carries two tokens.
func (e *Engine) mac(b []byte) []byte {
	h, _ := e.macs.Get().(hash.Hash)
	if h == nil {
		h = hmac.New(sha256.New, e.cfg.Key)
	}
	h.Write(b)
	sum := h.Sum(make([]byte, 0, sha256.Size))[:macSize]
	h.Reset()
	e.macs.Put(h)
	return sum
}

// appendContexts writes two contexts, each behind its length.
func appendContexts(b []byte, contexts ...vclock.Context) []byte {
	for _, c := range contexts {
		bin, err := c.MarshalBinary()
		if err != nil {
			panic("node: a context has no binary form: " + err.Error())
		}
		b = append(binary.AppendUvarint(b, uint64(len(bin))), bin...)
	}
	return b
}

func readContexts(b []byte) (first, second vclock.Context, err error) {
	for _, c := range []*vclock.Context{&first, &second} {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return first, second, errors.New("the token is cut off")
		}
		if err := c.UnmarshalBinary(b[used : used+int(n)]); err != nil {
			return first, second, err
		}
		b = b[used+int(n):]
	}
	return first, second, nil
}
