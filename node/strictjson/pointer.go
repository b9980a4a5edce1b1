package strictjson

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// pointer is a JSON pointer (RFC 6901).
type pointer struct {
	text   string
	tokens []string // unescaped
}

func parsePointer(text string) (pointer, error) {
	if text == "" {
		return pointer{}, nil
	}
	if text[0] != '/' {
		return pointer{}, errors.New("a JSON pointer is empty or begins with '/', found " + quote(text))
	}
	p := pointer{text: text, tokens: strings.Split(text[1:], "/")}
	for i, token := range p.tokens {
		plain, err := unescape(token)
		if err != nil {
			return pointer{}, err
		}
		p.tokens[i] = plain
	}
	return p, nil
}

// unescape turns ~1 into / and ~0 into ~.
func unescape(token string) (string, error) {
	if strings.IndexByte(token, '~') < 0 {
		return token, nil
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		switch {
		case token[i] != '~':
			b.WriteByte(token[i])
			continue
		case i+1 < len(token) && token[i+1] == '0':
			b.WriteByte('~')
		case i+1 < len(token) && token[i+1] == '1':
			b.WriteByte('/')
		default:
			return "", errors.New("'~' in a JSON pointer must be written ~0, and '/' in a key ~1, found " + quote(token))
		}
		i++
	}
	return b.String(), nil
}

// above says whether p names a container of what q names.
func (p pointer) above(q pointer) bool {
	return len(p.tokens) < len(q.tokens) && slices.Equal(p.tokens, q.tokens[:len(p.tokens)])
}

// index reads a token as the index of an element, at most limit.
func index(token string, limit int) (int, error) {
	if token == "" || digits(token, 0) < len(token) || token[0] == '0' && len(token) > 1 {
		return 0, errors.New(quote(token) + " is not an index of an array")
	}
	i, err := strconv.Atoi(token)
	if err != nil || i > limit {
		return 0, errors.New("index " + quote(token) + " is beyond the end of the array")
	}
	return i, nil
}
