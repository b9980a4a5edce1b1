package conflict_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/syncline/syncline/conflict"
)

// "A collection (name [a-z0-9][a-z0-9_-]{0,63})"; "collections whose names
// begin with _ … (names _[a-z]+)" (DESIGN 3).
func TestParseCollection(t *testing.T) {
	for s, system := range map[string]bool{
		"a": false, "0": false, "accounts": false, "a-b_c": false, "2026-11": false, "a_": false, "a--": false,
		strings.Repeat("a", conflict.MaxCollection): false,
		"_conflicts": true, "_a": true, "_" + strings.Repeat("a", conflict.MaxCollection-1): true,
	} {
		got, err := conflict.ParseCollection(s)
		if err != nil || string(got) != s || got.IsSystem() != system {
			t.Errorf("%q was read as %q (system: %v), %v", s, got, got.IsSystem(), err)
		}
	}
	for _, s := range []string{
		"", "_", "-a", "A", "aB", "a b", "a.b", "a/b", "a%b", "ä", "a\x00", "a\n", "_A", "_a1", "_a_b", "__a", "_a-b",
		strings.Repeat("a", conflict.MaxCollection+1), "_" + strings.Repeat("a", conflict.MaxCollection),
	} {
		if got, err := conflict.ParseCollection(s); err == nil {
			t.Errorf("%q was read as %q", s, got)
		}
	}
}

// "A document has an id (1 to 512 bytes of UTF-8, no control characters)"
// (DESIGN 3); ". and .. are refused" (API, Conventions).
func TestParseDocID(t *testing.T) {
	for _, s := range []string{
		"a", "A b", "name:arch", "a/b", "a%2Fb", "...", ".a", "é", "日本", "\u00a0", "🙂", "\\", `"`, "<script>",
		strings.Repeat("a", conflict.MaxDocID), strings.Repeat("é", conflict.MaxDocID/2),
	} {
		if got, err := conflict.ParseDocID(s); err != nil || string(got) != s {
			t.Errorf("%q was read as %q, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", ".", "..", "a\x00", "a\nb", "\t", "\x7f", "\u0085", "\u009f", "\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80",
		strings.Repeat("a", conflict.MaxDocID+1), strings.Repeat("é", conflict.MaxDocID/2) + "a",
	} {
		if got, err := conflict.ParseDocID(s); err == nil {
			t.Errorf("%q was read as %q", s, got)
		}
	}
}

func TestKeyText(t *testing.T) {
	if got := theKey.String(); got != "accounts/alice" {
		t.Fatal(got)
	}
}

// "Every decoder … no panic, canonical round trip, limits hold" (FAILURES 2).
func FuzzParseCollection(f *testing.F) {
	for _, s := range []string{"accounts", "_conflicts", "_", "a-b_c", "A", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := conflict.ParseCollection(s)
		if err != nil {
			return
		}
		if string(c) != s || len(s) > conflict.MaxCollection || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || s[0] == '-' {
			t.Errorf("%q was read as %q", s, c)
		}
	})
}

func FuzzParseDocID(f *testing.F) {
	for _, s := range []string{"alice", "name:arch", ".", "..", "é", "\xff", "a\x00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := conflict.ParseDocID(s)
		if err != nil {
			return
		}
		if string(id) != s || s == "" || len(s) > conflict.MaxDocID || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("%q was read as %q", s, id)
		}
	})
}

func FuzzSumText(f *testing.F) {
	f.Add("000102030405060708090a0b0c0d0e0f")
	f.Add("00")
	f.Fuzz(func(t *testing.T, s string) {
		var sum conflict.Sum
		if sum.UnmarshalText([]byte(s)) == nil && !strings.EqualFold(sum.String(), s) {
			t.Errorf("%q was read as %s", s, sum)
		}
	})
}
