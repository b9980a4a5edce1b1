package merge

import (
	"errors"

	"github.com/cockroachdb/apd/v3"
)

// MaxDigits is the most digits that a number takes when it is written out,
// before and behind the point together. A member whose sum would pass it is not
// summed. The widest double has 309 digits before the point.
const MaxDigits = 800

// exact computes without rounding.
var exact = apd.BaseContext

// number is an exact decimal. Nil is zero. Numbers are never altered.
type number = *apd.Decimal

var errNumber = errors.New("no number that can be counted exactly")

// parseNumber reads a JSON number.
func parseNumber(text string) (number, error) {
	n, _, err := apd.NewFromString(text)
	if err != nil || n.Form != apd.Finite {
		return nil, errNumber
	}
	n.Reduce(n)
	if n.IsZero() {
		return nil, nil //nolint:nilnil // nil is zero, which has no sign
	}
	if max(int64(n.Exponent)+n.NumDigits(), 0)-min(int64(n.Exponent), 0) > MaxDigits {
		return nil, errNumber
	}
	return n, nil
}

// isNumber says whether a JSON value is a number.
func isNumber(value []byte) bool {
	return len(value) > 0 && (value[0] == '-' || '0' <= value[0] && value[0] <= '9')
}

func plus(a, b number) number {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	var sum apd.Decimal
	if _, err := exact.Add(&sum, a, b); err != nil {
		panic("merge: numbers that were checked cannot be added: " + err.Error())
	}
	sum.Reduce(&sum)
	if sum.IsZero() {
		return nil
	}
	return &sum
}

func negated(a number) number {
	if a == nil {
		return nil
	}
	return new(apd.Decimal).Neg(a)
}

func minus(a, b number) number { return plus(a, negated(b)) }

func compareNumbers(a, b number) int {
	zero := new(apd.Decimal)
	if a == nil {
		a = zero
	}
	if b == nil {
		b = zero
	}
	return a.Cmp(b)
}

// text is the number as JSON, without exponent, and the same for equal numbers.
func text(a number) string {
	if a == nil {
		return "0"
	}
	return a.Text('f')
}
