package strictjson

// equal compares two closed values as the test operation does (RFC 6902,
// section 4.6): numbers by value, strings as decoded, arrays by order, objects
// without order.
func equal(a, b *value) bool {
	if a.raw == b.raw {
		return true
	}
	switch first := a.raw[0]; {
	case first == '{' && b.raw[0] == '{':
		return equalObjects(a.openObject(), b.openObject())
	case first == '[' && b.raw[0] == '[':
		return equalArrays(a.openArray(), b.openArray())
	case first == '"' && b.raw[0] == '"':
		return decoded(a.raw) == decoded(b.raw)
	default:
		return isNumber(first) && isNumber(b.raw[0]) && decimalOf(a.raw) == decimalOf(b.raw)
	}
}

func isNumber(first byte) bool { return first == '-' || '0' <= first && first <= '9' }

func equalObjects(a, b *object) bool {
	if len(a.members) != len(b.members) {
		return false
	}
	for i := range a.members {
		j := b.find(a.members[i].key)
		if j < 0 || !equal(a.at(i), b.at(j)) {
			return false
		}
	}
	return true
}

func equalArrays(a, b *array) bool {
	if len(a.elements) != len(b.elements) {
		return false
	}
	for i := range a.elements {
		if !equal(a.at(i), b.at(i)) {
			return false
		}
	}
	return true
}

// summary repeats a value in an error, cut to a bearable length.
func summary(raw string) string {
	if len(raw) <= maxQuoted {
		return raw
	}
	return cut(raw) + "…"
}
