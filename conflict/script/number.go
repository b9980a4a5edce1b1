package script

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

// maxExponent is where the exponent of a decimal stops counting, so that no
// exponent overflows. No document of ours has as many digits.
const maxExponent = 100_000_000

// decimal is a JSON number in a form that is the same for equal numbers.
type decimal struct {
	negative bool
	digits   string // without zeros at either end; empty for zero
	exponent int    // of the last digit, within ±maxExponent
}

// decimalOf reads a number that has the grammar of JSON. It is exact.
func decimalOf(text string) decimal {
	rest, negative := strings.CutPrefix(text, "-")
	mantissa, power := rest, 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa = rest[:i]
		power, _ = strconv.Atoi(strings.TrimPrefix(rest[i+1:], "+")) // out of range: the nearest that fits
		power = min(max(power, -maxExponent), maxExponent)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return decimal{} // zero has no sign: -0 is 0
	}
	trimmed := strings.TrimRight(digits, "0")
	return decimal{negative, trimmed, power - len(fraction) + len(digits) - len(trimmed)}
}

// integer returns the exact integer that the decimal is, if it is one of at
// most maxDigits digits.
func (d decimal) integer() (starlark.Int, bool) {
	if d.exponent < 0 || len(d.digits)+d.exponent > maxDigits {
		return starlark.Int{}, false
	}
	n, ok := integerOf(d.digits + strings.Repeat("0", d.exponent))
	if d.negative {
		n = starlark.MakeInt(0).Sub(n)
	}
	return n, ok
}

// integerOf reads an integer of at most maxDigits digits; no digits are zero.
func integerOf(text string) (starlark.Int, bool) {
	if text == "" {
		return starlark.MakeInt(0), true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return starlark.MakeInt64(n), true
	}
	if len(strings.TrimPrefix(text, "-")) > maxDigits {
		return starlark.Int{}, false
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return starlark.Int{}, false
	}
	return starlark.MakeBigInt(n), true
}

// integral says whether a JSON number is spelled as an integer.
func integral(text string) bool { return !strings.ContainsAny(text, ".eE") }

// spellings remembers how the input spells its doubles. The empty text stands
// for a double with two spellings that are different decimals.
type spellings map[float64]string

// add notes one spelling.
func (s spellings) add(f float64, text string) {
	if f == 0 {
		return
	}
	first, known := s[f]
	switch {
	case !known:
		s[f] = text
	case first != text && first != "" && decimalOf(first) != decimalOf(text):
		s[f] = ""
	}
}

// appendFloat writes a finite double: as the input spells it, else in the
// shortest form that reads back the same.
func (s spellings) appendFloat(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0')
	}
	if text := s[f]; text != "" {
		return append(b, text...)
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic("script: a finite double has no JSON form: " + err.Error())
	}
	return append(b, text...)
}

// finite says whether a double has a place in JSON.
func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// inDouble says whether an integer lies in the range of a double, which is
// what a document takes.
func inDouble(n starlark.Int) bool {
	const most = 1024 // bits of the largest double
	if _, small := n.Int64(); small {
		return true
	}
	return n.BigInt().BitLen() <= most && finite(float64(n.Float()))
}
