package merge

import (
	"encoding/json"
	"slices"
	"strconv"
)

// Why a member was decided by LWW although it has another rule.
const (
	notNumbers = "not all values are numbers that can be counted exactly"
	notArrays  = "not all values are arrays"
	outOfRange = "the result is outside the range of a double"
)

// apply decides a member that several siblings have changed, by a rule other than
// sum. Nil means LWW, with the reason where that is not the rule.
func (m *merging) apply(rule Rule, path string, standing []*sibling) ([]byte, string) {
	switch rule {
	case Max, Min:
		return extreme(rule, path, standing)
	case Union, Concat:
		list, ok := m.list(path, standing)
		if !ok {
			return nil, notArrays
		}
		m.items[path] = list
		return arrayOf(list), ""
	case KeepBoth:
		var values []json.RawMessage
		for _, s := range standing {
			if !slices.ContainsFunc(values, func(v json.RawMessage) bool { return equal(v, s.value[path]) }) {
				values = append(values, s.value[path])
			}
		}
		if len(values) == 1 {
			return values[0], ""
		}
		return array(values), ""
	case LWW, Sum:
	}
	return nil, ""
}

// sum is the total of the join. A value that is the total already keeps its
// spelling.
func (m *merging) sum(path string, standing []*sibling) ([]byte, string) {
	for _, s := range standing {
		if v := s.value[path]; !isNumber(v) || !countable(v) {
			return nil, notNumbers
		}
	}
	total := m.past.total(path)
	if !inDouble(total) {
		return nil, outOfRange
	}
	for _, s := range slices.Backward(standing) {
		if compareNumbers(counted(s.value[path]), total) == 0 {
			return s.value[path], ""
		}
	}
	return []byte(text(total)), ""
}

func countable(value []byte) bool {
	_, err := parseNumber(string(value))
	return err == nil
}

// inDouble says whether a document may have the number.
func inDouble(n number) bool {
	_, err := strconv.ParseFloat(text(n), 64)
	return err == nil
}

// extreme is the largest or smallest number; of equal ones the newest spelling.
func extreme(rule Rule, path string, standing []*sibling) ([]byte, string) {
	var best []byte
	for _, s := range standing {
		v := s.value[path]
		if !isNumber(v) || !countable(v) {
			return nil, notNumbers
		}
		c := 0
		if best != nil {
			c = compareNumbers(counted(v), counted(best))
		}
		if best == nil || c == 0 || c > 0 == (rule == Max) {
			best = v
		}
	}
	return best, ""
}

// array writes a list.
func array(list []json.RawMessage) []byte {
	b := []byte{'['}
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return append(b, ']')
}
