package main

import (
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// style is how a cell stands out on a terminal that shows colours. State is
// always said in words too, so nothing is lost without them.
type style string

// The styles, as the codes that a terminal takes.
const (
	plain   style = ""
	strong  style = "1"
	faint   style = "2"
	bad     style = "31"
	good    style = "32"
	caution style = "33"
)

// columnGap stands between two columns of a table.
const columnGap = "  "

// cell is one field of a table.
type cell struct {
	text  string
	style style
}

// text is a cell without a style.
func text(s string) cell { return cell{text: s} }

// table is rows of cells under column heads, aligned for people. Programs ask
// for JSON instead.
type table struct {
	head []string // none: no line of heads
	rows [][]cell
}

// add appends one row. A row may be shorter than the heads.
func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// write prints the table. The last column is not padded.
func (t *table) write(w io.Writer, colour bool) error {
	rows := t.rows
	if len(t.head) > 0 {
		var head []cell
		for _, name := range t.head {
			head = append(head, cell{name, faint})
		}
		rows = append([][]cell{head}, rows...)
	}
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(printable(c.text)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, c := range row {
			shown := printable(c.text)
			b.WriteString(paint(shown, c.style, colour))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(shown)))
				b.WriteString(columnGap)
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// paint puts a style around a text where colours are shown.
func paint(s string, as style, colour bool) string {
	if !colour || as == plain || s == "" {
		return s
	}
	return "\x1b[" + string(as) + "m" + s + "\x1b[0m"
}

// printable makes a text of a foreign hand safe to show on a terminal: what is
// not a printable character could move the cursor or pose as our own words.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// clip cuts a text to at most n characters, and shows that it did.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// sortedKeys are the keys of a map in the order in which they are shown.
func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
