package strictjson

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101 // 1 in each byte of a word
	highs = 0x8080808080808080 // the high bit of each byte of a word
)

// stops marks the bytes of a word that end a plain run in a string: control
// characters, quotes, backslashes. The lowest mark is exact; marks above it
// may be false, since a borrow spills over.
func stops(word uint64) uint64 {
	quotes := word ^ ones*'"'
	slashes := word ^ ones*'\\'
	return ((word-ones*' ')&^word | (quotes-ones)&^quotes | (slashes-ones)&^slashes) & highs
}

// plain skips bytes that stand for themselves in a string. Bytes of longer
// UTF-8 sequences are among them: the body was found valid before.
func plain[T []byte | string](text T, at int) int {
	for at < len(text) {
		if b := text[at]; b < ' ' || b == '"' || b == '\\' {
			break
		}
		at++
	}
	return at
}

// plainWords is plain for a long run: eight bytes at a time.
func plainWords(text []byte, at int) int {
	for at+8 <= len(text) {
		if marks := stops(binary.LittleEndian.Uint64(text[at:])); marks != 0 {
			return at + bits.TrailingZeros64(marks)/8
		}
		at += 8
	}
	return plain(text, at)
}

// str checks the string whose opening quote is at an offset. It returns the
// offset behind the closing quote and whether there was an escape.
func (c *checker) str(at int) (end int, escaped bool, err error) {
	at++
	for {
		at = plainWords(c.body, at)
		if at >= len(c.body) {
			return at, escaped, expected(c.body, at, `'"' to end a string`)
		}
		switch c.body[at] {
		case '"':
			return at + 1, escaped, nil
		case '\\':
			escaped = true
			if at, err = c.escape(at); err != nil {
				return at, escaped, err
			}
		default:
			return at, escaped, failAt(c.body, at, fmt.Sprintf("a control character in a string: write it as \\u%04x", c.body[at]))
		}
	}
}

// escape checks the escape whose backslash is at an offset.
func (c *checker) escape(at int) (int, error) {
	if at+1 >= len(c.body) {
		return at, expected(c.body, at+1, "the rest of an escape")
	}
	switch c.body[at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 2, nil
	case 'u':
	default:
		return at, expected(c.body, at+1, `one of "\/bfnrtu after a backslash`)
	}
	unit, bad := hex4(c.body, at+2)
	if bad >= 0 {
		return at, expected(c.body, bad, `four hexadecimal digits after \u`)
	}
	if !utf16.IsSurrogate(unit) {
		return at + 6, nil
	}
	if at+8 <= len(c.body) && c.body[at+6] == '\\' && c.body[at+7] == 'u' {
		low, bad := hex4(c.body, at+8)
		if bad < 0 && utf16.DecodeRune(unit, low) != utf8.RuneError {
			return at + 12, nil
		}
	}
	return at, failAt(c.body, at, fmt.Sprintf("a lone surrogate \\u%04x: surrogates come in pairs, high then low", unit))
}

// hex4 reads four hexadecimal digits; bad is where there is none, else -1.
func hex4[T []byte | string](text T, at int) (unit rune, bad int) {
	for i := at; i < at+4; i++ {
		if i >= len(text) {
			return 0, len(text)
		}
		digit := text[i]
		switch {
		case digit >= '0' && digit <= '9':
			digit -= '0'
		case digit >= 'a' && digit <= 'f':
			digit -= 'a' - 10
		case digit >= 'A' && digit <= 'F':
			digit -= 'A' - 10
		default:
			return 0, i
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, -1
}

// appendDecoded appends what the inside of a checked string means.
func appendDecoded[T []byte | string](dst []byte, text T) []byte {
	for at := 0; at < len(text); {
		run := plain(text, at)
		dst = append(dst, text[at:run]...)
		if at = run; at == len(text) {
			break
		}
		switch e := text[at+1]; e {
		case 'u':
			unit, _ := hex4(text, at+2)
			at += 6
			if utf16.IsSurrogate(unit) {
				low, _ := hex4(text, at+2)
				unit = utf16.DecodeRune(unit, low)
				at += 6
			}
			dst = utf8.AppendRune(dst, unit)
			continue
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		default:
			dst = append(dst, e)
		}
		at += 2
	}
	return dst
}

// quoted writes a text as a JSON string, with no escape that is not needed.
func quoted(text string) string {
	b := append(make([]byte, 0, len(text)+len(`""`)), '"')
	for at := 0; at < len(text); {
		run := plain(text, at)
		b = append(b, text[at:run]...)
		if at = run; at == len(text) {
			break
		}
		if c := text[at]; c < ' ' {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, '\\', c)
		}
		at++
	}
	return string(append(b, '"'))
}
