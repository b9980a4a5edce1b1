package strictjson

import (
	"strconv"
	"strings"
)

// safeMagnitude is a power of ten that a double holds: a number below
// 10^safeMagnitude needs no closer look.
const safeMagnitude = 308

// number checks a number: the grammar, then the range of a double.
func (c *checker) number(at int) (int, error) {
	start, body := at, c.body
	if body[at] == '-' {
		at++
	}
	whole := at
	at = digits(body, at)
	switch {
	case at == whole:
		return at, expected(body, at, "a digit")
	case body[whole] == '0' && at > whole+1:
		return at, failAt(body, whole, "a number with a leading zero")
	}
	magnitude := at - whole // the number is below 10^magnitude
	if at < len(body) && body[at] == '.' {
		from := at + 1
		if at = digits(body, from); at == from {
			return at, expected(body, at, "a digit after '.'")
		}
	}
	if at < len(body) && (body[at] == 'e' || body[at] == 'E') {
		from := at + 1
		if from < len(body) && (body[from] == '+' || body[from] == '-') {
			from++
		}
		if at = digits(body, from); at == from {
			return at, expected(body, at, "a digit of the exponent")
		}
		if body[from-1] != '-' {
			magnitude += exponent(body[from:at])
		}
	}
	if magnitude <= safeMagnitude {
		return at, nil
	}
	if _, err := strconv.ParseFloat(string(body[start:at]), 64); err != nil {
		return at, failAt(body, start, "a number outside the range of a double: send it as a string")
	}
	return at, nil
}

// digits skips decimal digits.
func digits[T []byte | string](text T, at int) int {
	for at < len(text) && '0' <= text[at] && text[at] <= '9' {
		at++
	}
	return at
}

// maxExponent is where exponents stop counting, so that none overflows: above
// what the digits of any body that fits in memory of ours can make up for.
const maxExponent = 100_000_000

// exponent reads the digits of an exponent, at most maxExponent.
func exponent[T []byte | string](text T) int {
	e := 0
	for i := range len(text) {
		if e = e*10 + int(text[i]-'0'); e > maxExponent {
			return maxExponent
		}
	}
	return e
}

// decimal is a number in a form that is the same for equal numbers.
type decimal struct {
	negative bool
	digits   string // without zeros at either end; empty for zero
	exponent int    // of the last digit
	huge     string // the spelling, when the exponent is beyond maxExponent
}

// decimalOf reads a checked number. It is exact: no double is involved.
func decimalOf(text string) decimal {
	d := decimal{}
	rest, negative := strings.CutPrefix(text, "-")
	mantissa := rest
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa = rest[:i]
		power := rest[i+1:]
		d.exponent = exponent(strings.TrimLeft(power, "+-"))
		if d.exponent == maxExponent {
			d.huge = text
		}
		if power[0] == '-' {
			d.exponent = -d.exponent
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.exponent -= len(fraction)
	d.digits = strings.TrimLeft(whole+fraction, "0")
	if d.digits == "" {
		return decimal{} // zero has no sign: -0 is 0
	}
	trimmed := strings.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(trimmed)
	d.digits, d.negative = trimmed, negative
	return d
}
