package vclock_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/syncline/syncline/vclock"
)

// "Every decoder … no panic, canonical round trip, limits hold" (FAILURES 2).
// What a decoder accepts it must write back byte by byte: there is one
// spelling of each value.

func fuzzText[V interface{ String() string }](f *testing.F, parse func(string) (V, error), seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parse(s)
		if err == nil && v.String() != s {
			t.Errorf("%q was read and is written %q", s, v.String())
		}
	})
}

func FuzzParseActor(f *testing.F) {
	for _, s := range []string{"a~k3f9x2mz", "node-1~00000000", "a~", "~aaaaaaaa", "a~aaaa~aaa"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := vclock.ParseActor(s)
		if err != nil {
			return
		}
		if string(a) != s || len(a) > vclock.MaxActor || vclock.CheckNodeName(a.Node()) != nil {
			t.Errorf("%q was read as %q of node %q", s, a, a.Node())
		}
	})
}

func FuzzParseDot(f *testing.F) {
	fuzzText(f, vclock.ParseDot, "a~k3f9x2mz:42", "a~k3f9x2mz:042", "a~k3f9x2mz:", "a~k3f9x2mz:9223372036854775807")
}

func FuzzParseVector(f *testing.F) {
	fuzzText(f, vclock.ParseVector, "", "a~k3f9x2mz:42", "a~k3f9x2mz:42,b~77xq01ab:17", "b~77xq01ab:17,a~k3f9x2mz:42", ",")
}

func FuzzParseContext(f *testing.F) {
	fuzzText(f, vclock.ParseContext, "", "+a~k3f9x2mz:42", "a~k3f9x2mz:42+a~k3f9x2mz:44,b~77xq01ab:17", "a~k3f9x2mz:42+a~k3f9x2mz:41", "+")
}

func FuzzParseTime(f *testing.F) {
	fuzzText(f, vclock.ParseTime, "2026-11-21T14:02:11.12300042Z", "1970-01-01T00:00:00.00000000Z", "9999-12-31T23:59:59.99965535Z", "2026-11-21T14:02:11,12300042Z")
}

func FuzzVectorBinary(f *testing.F) {
	for _, v := range []vclock.Vector{{}, vclock.VectorOf(dot(actorA, 1)), vclock.VectorOf(dot(actorA, 300), dot(actorC, vclock.MaxSeq))} {
		b, err := v.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v vclock.Vector
		if v.UnmarshalBinary(b) != nil {
			return
		}
		again, err := v.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x was read as %s and is written %x, %v", b, v, again, err)
		}
	})
}

func FuzzContextBinary(f *testing.F) {
	for _, c := range []vclock.Context{
		{},
		vclock.ContextOf(vclock.VectorOf(dot(actorA, 1), dot(actorC, 200))),
		vclock.ContextOf(vclock.VectorOf(dot(actorA, 1)), dot(actorA, 3), dot(actorD, vclock.MaxSeq)),
	} {
		b, err := c.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c vclock.Context
		if c.UnmarshalBinary(b) != nil {
			return
		}
		again, err := c.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x was read as %s and is written %x, %v", b, c, again, err)
		}
	})
}

// JSON has many spellings of one object; the value must survive.
func FuzzVectorJSON(f *testing.F) {
	for _, s := range []string{`{}`, `null`, `{"a~k3f9x2mz":42}`, `{"b~77xq01ab":17,"a~k3f9x2mz":42}`, `{"a~k3f9x2mz":0}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v, again vclock.Vector
		if json.Unmarshal(b, &v) != nil {
			return
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &again); err != nil || !again.Equal(v) {
			t.Errorf("%s was read as %s, and %s as %s, %v", b, v, out, again, err)
		}
	})
}
