package vclock_test

import (
	"testing"

	"github.com/syncline/syncline/vclock"
)

// entry spells one dot with a sequence below 128.
func entry(actor string, seq byte) string {
	return string([]byte{byte(len(actor))}) + actor + string([]byte{seq})
}

// "A decoder refuses every other spelling" (doc.go).
func TestUnmarshalBinaryRefuses(t *testing.T) {
	a, c := entry("a~aaaaaaaa", 1), entry("c~aaaaaaaa", 2)
	const actor = "a~aaaaaaaa"
	vector := []string{
		"",                              // no count
		"\x01",                          // no entry
		"\x02" + a,                      // one entry of two
		"\x01" + a[:5],                  // cut in the actor
		"\x01" + a[:len(a)-1],           // no sequence
		"\x01" + entry(actor, 0),        // sequence 0
		"\x81\x00" + a,                  // count in two bytes
		"\x01\x8a\x00" + actor + "\x01", // length in two bytes
		"\x01\x0a" + actor + "\x81\x00", // sequence in two bytes
		"\x02" + c + a,                  // out of order
		"\x02" + a + a,                  // twice
		"\x01" + entry("A~aaaaaaaa", 1), // no actor
		"\x01" + entry("a~aaaaaaa", 1),  // no actor
		"\x01\xff\x01" + actor,          // an actor longer than may be
		"\x01\x0a" + actor + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",     // sequence 2^64-1
		"\x01\x0a" + actor + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // sequence beyond 64 bits
	}
	refuses(t, func(s string) (v vclock.Vector, err error) { return v, v.UnmarshalBinary([]byte(s)) }, append(vector, "\x00\x00", "\x01"+a+"\x00", "\x02"+a+entry(actor, 2))...) // left over; one actor twice
	context := []string{
		"\x00", "\x01" + a, // no cloud
		"\x00\x00\x00", "\x01" + a + "\x00\x00", // left over
		"\x01" + a + "\x01" + a,                // in the vector too
		"\x00\x02" + c + a, "\x00\x02" + a + a, // out of order, twice
		"\x01" + entry(actor, 5) + "\x01" + entry(actor, 4), // below the vector
	}
	for _, s := range vector {
		context = append(context, "\x00"+s)
		if s != "" {
			context = append(context, s+"\x00")
		}
	}
	refuses(t, func(s string) (c vclock.Context, err error) { return c, c.UnmarshalBinary([]byte(s)) }, context...)
}

// A decoder that fails leaves what it was given.
func TestFailedDecodeChangesNothing(t *testing.T) {
	v, c := vclock.VectorOf(dot(actorA, 1)), vclock.ContextOf(vclock.VectorOf(dot(actorA, 1)), dot(actorC, 4))
	d, tm := dot(actorA, 1), vclock.Time(5<<16)
	for _, err := range []error{
		v.UnmarshalBinary([]byte("\x01")), v.UnmarshalText([]byte("x")), v.UnmarshalJSON([]byte(`{"x":1}`)),
		c.UnmarshalBinary([]byte("\x01")), c.UnmarshalText([]byte("x")),
		d.UnmarshalText([]byte("x")), tm.UnmarshalText([]byte("x")),
	} {
		if err == nil {
			t.Fatal("nonsense was decoded")
		}
	}
	if v.String() != "a~aaaaaaaa:1" || c.String() != "a~aaaaaaaa:1+c-1~00000000:4" || d != dot(actorA, 1) || tm != 5<<16 {
		t.Fatalf("a failed decode left %s, %s, %s, %s", v, c, d, tm)
	}
}
