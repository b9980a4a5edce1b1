package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// keyNames are few, so that documents and patches meet in them; some need
// escapes in JSON, some in a pointer.
func keyNames() []string {
	return []string{"a", "b", "c", "d", "", "é", "a/b", "m~n", "q\"", "<&>", "0", "\n"}
}

// spell writes a text as a JSON string, in one of its many spellings.
func spell(t *rapid.T, text string) string {
	if rapid.IntRange(0, 3).Draw(t, "escape all") > 0 {
		return quoted(text)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		fmt.Fprintf(&b, `\u%04x`, r) // all of keyNames lies in the basic plane
	}
	b.WriteByte('"')
	return b.String()
}

func drawSpace(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n  ", "\t"}).Draw(t, "space")
}

// drawValue writes a strict JSON value with the given levels at most.
func drawValue(t *rapid.T, levels int) string {
	kinds := 3
	if levels > 0 {
		kinds = 5
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "literal")
	case 1:
		return rapid.SampledFrom([]string{
			"0", "-0", "1", "1.0", "10e-1", "0.1", "1E2", "100", "-2.50",
			"9007199254740993", "9007199254740992", "1e308", "1e-400",
		}).Draw(t, "number")
	case 2:
		return spell(t, rapid.SampledFrom(keyNames()).Draw(t, "text"))
	case 3:
		return drawObject(t, levels)
	}
	var b strings.Builder
	b.WriteString("[" + drawSpace(t))
	for i := range rapid.IntRange(0, 4).Draw(t, "elements") {
		if i > 0 {
			b.WriteString("," + drawSpace(t))
		}
		b.WriteString(drawValue(t, levels-1) + drawSpace(t))
	}
	return b.String() + "]"
}

func drawObject(t *rapid.T, levels int) string {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(keyNames()), 0, 6, rapid.ID).Draw(t, "names")
	var b strings.Builder
	b.WriteString("{" + drawSpace(t))
	for i, name := range names {
		if i > 0 {
			b.WriteString("," + drawSpace(t))
		}
		b.WriteString(spell(t, name) + drawSpace(t) + ":" + drawSpace(t) + drawValue(t, levels-1) + drawSpace(t))
	}
	return b.String() + "}"
}

func drawDocument(t *rapid.T) string { return drawSpace(t) + drawObject(t, 3) + drawSpace(t) }

// twin decides what Check decides, over a library and in the slow way.
func twin(body []byte, depth int) (sound, object bool) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	first := jsontext.Kind(0)
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return false, false
		}
		if first == 0 {
			first = token.Kind()
		}
		if token.Kind() == '0' {
			if _, err := strconv.ParseFloat(token.String(), 64); err != nil {
				return false, false
			}
		}
		if decoder.StackDepth() > depth {
			return false, false
		}
		if decoder.StackDepth() == 0 {
			break
		}
	}
	_, err := decoder.ReadToken()
	return errors.Is(err, io.EOF), first == '{'
}

// plainValue decodes a text into maps and slices; numbers keep their text.
func plainValue(t testing.TB, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// rawMembers lists the members of an object with their exact bytes, in order.
func rawMembers(t testing.TB, text string) (keys []string, raw map[string]string) {
	t.Helper()
	decoder := jsontext.NewDecoder(strings.NewReader(text))
	raw = map[string]string{}
	if _, err := decoder.ReadToken(); err != nil {
		t.Fatal(err)
	}
	for decoder.PeekKind() == '"' {
		name, err := decoder.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		key := name.String()
		value, err := decoder.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
		raw[key] = string(value)
	}
	return keys, raw
}
