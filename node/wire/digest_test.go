package wire

import (
	"reflect"
	"testing"
)

// FuzzDigestRequest: whatever bytes come, there is no panic, and what is taken
// comes back the same.
func FuzzDigestRequest(f *testing.F) {
	q := DigestRequest{Cluster: "shop", Node: "a", Collection: "accounts", After: "a", Ranges: []DigestRange{{Until: "b", Sum: [DigestSize]byte{1}}, {}}}
	fuzzDigest(f, &q, func() any { return &DigestRequest{} }, func(m any) error { return m.(*DigestRequest).Check() })
}

// FuzzDigestAnswer is FuzzDigestRequest for answers.
func FuzzDigestAnswer(f *testing.F) {
	q := &DigestRequest{Cluster: "shop", Node: "a", Collection: "accounts", After: "a", Ranges: []DigestRange{{Until: "b"}, {}}}
	a := DigestAnswer{
		Node: "b", Collections: []CollectionDigest{{Name: "accounts"}}, Differs: []int{1}, Until: "z",
		Copies: []DocCopy{{ID: "c", Dots: []string{"a~k3f9x2mz:1"}, Tag: "a~k3f9x2mz:1", Sum: [DigestSize]byte{2}}},
	}
	fuzzDigest(f, &a, func() any { return &DigestAnswer{} }, func(m any) error { return m.(*DigestAnswer).Check(q) })
}

func fuzzDigest(f *testing.F, seed any, fresh func() any, check func(any) error) {
	data, err := Encode(seed)
	if err != nil {
		f.Fatal(err)
	}
	if err := check(seed); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		m := fresh()
		if Decode(data, m) != nil || check(m) != nil {
			return
		}
		text, err := Encode(m)
		if err != nil {
			t.Fatalf("%+v was taken and cannot be sent: %v", m, err)
		}
		again := fresh()
		if err := Decode(text, again); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v came back as %+v, %v", m, again, err)
		}
	})
}
