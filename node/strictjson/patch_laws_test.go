package strictjson

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"pgregory.net/rapid"
)

// libraryPatch applies a patch by json-patch, as near to the RFC as its
// options go.
func libraryPatch(doc, patch string) (string, error) {
	operations, err := jsonpatch.DecodePatch([]byte(patch))
	if err != nil {
		return "", err
	}
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices = false
	options.EscapeHTML = false
	out, err := operations.ApplyWithOptions([]byte(doc), options)
	return string(out), err
}

// Why json-patch is not used for what is stored. When one of these no longer
// holds, the choice can be looked at again.
func TestWhatTheLibraryDoesNotKeep(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, doc, patch, ours string }{
		{
			"whitespace beside a change", `{"a": 1, "b": {"c": [1, 2]}}`,
			`[{"op":"replace","path":"/a","value":2}]`, `{"a": 2, "b": {"c": [1, 2]}}`,
		},
		{
			"spelling of keys", `{"\u0061":1,"b":2}`,
			`[{"op":"replace","path":"/b","value":3}]`, `{"\u0061":1,"b":3}`,
		},
		{
			"1.0 equals 1", `{"a":1.0}`,
			`[{"op":"test","path":"/a","value":1}]`, `{"a":1.0}`,
		},
	} {
		got, err := JSONPatch([]byte(tc.doc), []byte(tc.patch))
		if err != nil || string(got) != tc.ours {
			t.Errorf("%s: got %s, %v; want %s", tc.name, got, err, tc.ours)
		}
		if theirs, err := libraryPatch(tc.doc, tc.patch); err == nil && theirs == tc.ours {
			t.Errorf("%s: the library does it now", tc.name)
		}
	}
	// The empty key is a key like any other; the library takes it for the
	// document where it is absent.
	const empty = `[{"op":"replace","path":"/","value":1}]`
	if _, err := JSONPatch([]byte(`{"a":1}`), []byte(empty)); !errors.Is(err, ErrPatchFailed) {
		t.Errorf("an absent empty key is replaced: %v", err)
	}
	if _, err := libraryPatch(`{"a":1}`, empty); err != nil {
		t.Error("the library knows the empty key now: let the law below draw it")
	}
}

// drawPointer makes a pointer that often names something.
func drawPointer(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(1, 3).Draw(t, "tokens") {
		token := rapid.OneOf(rapid.SampledFrom(keyNames()), rapid.SampledFrom([]string{"0", "1", "2", "-"})).Draw(t, "token")
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
	}
	return b.String()
}

func drawOperation(t *rapid.T) string {
	path := quoted(drawPointer(t))
	switch op := rapid.SampledFrom([]string{"add", "replace", "remove", "move", "copy"}).Draw(t, "op"); op {
	case "add", "replace":
		return fmt.Sprintf(`{"op":%q,"path":%s,"value":%s}`, op, path, drawValue(t, 2))
	case "remove":
		return fmt.Sprintf(`{"op":%q,"path":%s}`, op, path)
	default:
		return fmt.Sprintf(`{"op":%q,"path":%s,"from":%s}`, op, path, quoted(drawPointer(t)))
	}
}

// One operation means what the library makes of it, and what it does not name
// keeps its bytes.
func TestJSONPatchAgreesWithTheLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		doc := drawDocument(rt)
		for range rapid.IntRange(1, 4).Draw(rt, "operations") {
			operation := drawOperation(rt)
			if strings.Contains(operation, `/"`) || strings.Contains(operation, "//") {
				continue // an empty key, see above
			}
			got, err := JSONPatch([]byte(doc), []byte("["+operation+"]"))
			want, libraryErr := libraryPatch(doc, "["+operation+"]")
			if errors.Is(err, ErrPatchInvalid) {
				continue // a move into itself, which the library does not refuse
			}
			if (err == nil) != (libraryErr == nil) {
				rt.Fatalf("%q with %s: %v, the library %v", doc, operation, err, libraryErr)
			}
			if err != nil {
				continue
			}
			if !reflect.DeepEqual(plainValue(t, string(got)), plainValue(t, want)) {
				rt.Fatalf("%q with %s: %s, the library %s", doc, operation, got, want)
			}
			doc = string(got)
		}
	})
}

// A patch is all or nothing and goes step by step: all operations at once give
// the bytes that they give one after the other.
func TestJSONPatchIsItsStepsInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := drawDocument(t)
		var operations []string
		for range rapid.IntRange(0, 5).Draw(t, "operations") {
			operations = append(operations, drawOperation(t))
		}
		all, err := JSONPatch([]byte(doc), []byte("["+strings.Join(operations, ",")+"]"))
		step := doc
		for i, operation := range operations {
			out, stepErr := JSONPatch([]byte(step), []byte("["+operation+"]"))
			if stepErr != nil {
				e, ok := errors.AsType[*PatchError](err)
				if !ok || e.Operation < i || errors.Is(e, ErrPatchFailed) && e.Operation != i {
					t.Fatalf("%q with %s: step %d: %v, all at once: %v", doc, operations, i, stepErr, err)
				}
				return
			}
			step = string(out)
		}
		if err != nil || string(all) != step {
			t.Fatalf("%q with %s: %q, %v; step by step %q", doc, operations, all, err, step)
		}
	})
}

// What is written can be tested for: a document equals itself in every other
// spelling, and a changed one does not.
func TestJSONPatchTestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawValue(t, 3), drawValue(t, 3)
		if !equal(&value{raw: a}, &value{raw: a + ""}) {
			t.Fatalf("%s is not itself", a)
		}
		ab, ba := equal(&value{raw: a}, &value{raw: b}), equal(&value{raw: b}, &value{raw: a})
		if ab != ba {
			t.Fatalf("%s and %s: %v one way, %v the other", a, b, ab, ba)
		}
		packed := strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(a) // texts here hold none of these unescaped
		if !equal(&value{raw: a}, &value{raw: packed}) {
			t.Fatalf("%s is not %s", a, packed)
		}
	})
}
