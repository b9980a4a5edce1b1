package strictjson

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// agree fails when Check and its twin differ about a body.
func agree(t rapid.TB, body []byte) {
	t.Helper()
	err := Check(body, Limits{})
	sound, object := twin(body, MaxDepth)
	_, isError := errors.AsType[*Error](err)
	switch {
	case sound && object && err != nil:
		t.Fatalf("%q: %v, and the twin accepts it", body, err)
	case sound && !object && !errors.Is(err, ErrNotObject):
		t.Fatalf("%q: %v, and the twin finds sound JSON that is no object", body, err)
	case !sound && !isError:
		t.Fatalf("%q: %v, and the twin refuses it", body, err)
	}
	var out any
	if err == nil && json.Unmarshal(body, &out) != nil {
		t.Fatalf("%q: accepted, and encoding/json cannot decode it", body)
	}
}

// FAILURES 2: laws. Whatever is written by the grammar is accepted.
func TestCheckAcceptsDocuments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := []byte(drawDocument(t))
		if err := Check(body, Limits{}); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		agree(t, body)
	})
}

// FAILURES 3: "two parsers differ (duplicate key gives admin)": damaged
// documents are judged as a library judges them.
func TestCheckAgreesWithItsTwin(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		`"`, `\`, `\u`, `\ud800`, `\udc00`, "{", "}", "[", "]", ",", ":", "0", "1", "-", ".", "e", "E9", "+", "e400",
		"true", "null", " ", "\n", "\t", "\x00", "\x1f", "\x7f", "\x80", "\xc3", "\xed\xa0\x80", "é", "𝄞", "\ufeff", `"a":1,`, `,"a":1`, `"a"`,
	})
	rapid.Check(t, func(t *rapid.T) {
		body := []byte(drawDocument(t))
		for range rapid.IntRange(1, 3).Draw(t, "damages") {
			from := rapid.IntRange(0, len(body)).Draw(t, "from")
			to := min(len(body), from+rapid.IntRange(0, 3).Draw(t, "cut"))
			body = slices.Replace(body, from, to, []byte(piece.Draw(t, "piece"))...)
		}
		agree(t, body)
	})
}

// Random pieces one after the other reach what damage to a document does not.
func TestCheckAgreesOnFragments(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		"{", "}", "[", "]", ",", ":", `"a"`, `"b"`, `"\u0061"`, `"`, "1", "-0.5e1", "1e308", "1e309", "9", "0", "true", "nul", " ", "{}", "[]", `{"a":`,
	})
	rapid.Check(t, func(t *rapid.T) {
		var body []byte
		for _, p := range rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces") {
			body = append(body, p...)
		}
		agree(t, body)
	})
}

// A text survives being quoted and decoded, and the quoted form is strict.
func TestQuotedTextsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		raw := quoted(text)
		if got := decoded(raw); got != text {
			t.Fatalf("%q became %s and then %q", text, raw, got)
		}
		if err := Check([]byte(`{"a":`+raw+`}`), Limits{}); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		var out string
		if err := json.Unmarshal([]byte(raw), &out); err != nil || out != text {
			t.Fatalf("%s: encoding/json reads %q, %v", raw, out, err)
		}
	})
}

// stops finds the first byte that ends a plain run, as a byte by byte search
// does.
func TestPlainWordsAgreesWithPlain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		special := rapid.SampledFrom([]byte{0, 1, 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 'a', 0x7f, 0x80, 0x9f, 0xa2, 0xdc, 0xff})
		text := rapid.SliceOfN(rapid.OneOf(special, rapid.Byte()), 0, 40).Draw(t, "text")
		if got, want := plainWords(text, 0), plain(text, 0); got != want {
			t.Fatalf("%q: %d, byte by byte %d", text, got, want)
		}
	})
}
