package main

import (
	"strings"
	"testing"
)

func TestTableAligns(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	tab := table{head: []string{"NAME", "STATE", "WHY"}}
	tab.add(text("a"), cell{"writable", good}, text("→"))
	tab.add(text("größer"), cell{"?", bad})
	if err := tab.write(&out, false); err != nil {
		t.Fatal(err)
	}
	want := "NAME    STATE     WHY\n" + "a       writable  →\n" + "größer  ?\n"
	if out.String() != want {
		t.Errorf("got\n%s want\n%s", out.String(), want)
	}
	out.Reset()
	if err := tab.write(&out, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\x1b[32mwritable\x1b[0m  →\n") || !strings.Contains(out.String(), "\x1b[31m?\x1b[0m\n") {
		t.Errorf("with colours: %q", out.String())
	}
}

// What comes from elsewhere cannot move the cursor or pose as our own words.
func TestForeignTextIsMadePrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain → ok": "plain → ok", "a\x1b[2Jb": "a�[2Jb", "line\nbreak\ttab": "line�break�tab", "\u202eevil": "�evil", "\xff": "�",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := clip("größer", 4); got != "grö…" {
		t.Errorf("clipped to %q", got)
	}
	if got := clip("abc", 3); got != "abc" {
		t.Errorf("clipped to %q", got)
	}
}
