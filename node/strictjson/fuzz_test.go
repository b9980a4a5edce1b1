package strictjson

import (
	"bytes"
	"errors"
	"testing"
)

// FAILURES 2: "fuzz: every decoder: no panic, canonical round trip, limits
// hold". Seeds come from the corpus; `go test -fuzz` goes on from there.

func FuzzCheck(f *testing.F) {
	for _, value := range append(accepted(), refused()...) {
		f.Add([]byte(`{"w":` + value + `}`))
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		agree(t, body)
		if !bytes.Equal(body, before) {
			t.Errorf("%q was changed to %q", before, body)
		}
	})
}

func FuzzMergePatch(f *testing.F) {
	for _, value := range accepted() {
		f.Add([]byte(`{"w": 1, "x" :{ }}`), []byte(`{"w":`+value+`}`))
		f.Add([]byte(`{"w":`+value+`}`), []byte(`{"w":{"a":null},"x":null}`))
	}
	f.Fuzz(func(t *testing.T, doc, patch []byte) {
		out, err := MergePatch(doc, patch)
		if err != nil {
			return
		}
		if again, err := MergePatch(out, patch); err != nil || !bytes.Equal(again, out) {
			t.Errorf("%q with %q gives %q, then %q, %v", doc, patch, out, again, err)
		}
		if _, err := checkValue(out, Limits{}); err != nil {
			t.Errorf("%q with %q gives %q: %v", doc, patch, out, err)
		}
	})
}

func FuzzJSONPatch(f *testing.F) {
	for _, patch := range []string{
		`[{"op":"add","path":"/w/-","value":{"k": [ ]}}]`, `[{"op":"remove","path":"/w"},{"op":"add","path":"/w","value":0}]`,
		`[{"op":"copy","from":"","path":"/w"},{"op":"test","path":"/w/w","value":[1]}]`,
		`[{"op":"move","from":"/w/0","path":"/w/1"}]`, `[{"op":"replace","path":"/a~1b~0c","value":null}]`,
	} {
		for _, value := range accepted() {
			f.Add([]byte(`{"w":`+value+`}`), []byte(patch))
		}
	}
	f.Fuzz(func(t *testing.T, doc, patch []byte) {
		out, err := JSONPatch(doc, patch)
		if err != nil {
			_, where := errors.AsType[*Error](err)
			_, which := errors.AsType[*PatchError](err)
			if !where && !which && !errors.Is(err, ErrBadDocument) {
				t.Errorf("%q with %q: an error of no kind: %v", doc, patch, err)
			}
			return
		}
		// Copies may make a document deeper than it may be, never broken.
		if _, err := checkValue(out, Limits{Depth: MaxDepth + MaxOperations*patchDepth}); err != nil {
			t.Errorf("%q with %q gives %q: %v", doc, patch, out, err)
		}
	})
}
