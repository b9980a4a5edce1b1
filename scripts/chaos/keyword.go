package chaos

import "strings"

// Starlark reserves the word load for modules. A script is one file and has
// none, and its load is a group of clients. So the word is handed to the parser
// under a name of the same length, which leaves every line and column as it is.
const (
	loadWord = "load"
	loadName = "l0ad"
)

// unreserve renames the word load outside of texts and comments.
func unreserve(source string) string {
	var out strings.Builder
	for i := 0; i < len(source); {
		end := i + 1
		switch c := source[i]; {
		case c == '#':
			end = i + len(untilLine(source[i:]))
		case c == '"' || c == '\'':
			end = i + literal(source[i:], i > 0 && source[i-1] == 'r')
		case isWord(c):
			for end < len(source) && isWord(source[end]) {
				end++
			}
		}
		token := source[i:end]
		// After a dot it is the name of a member, and stays what it is.
		if token == loadWord && (i == 0 || source[i-1] != '.') {
			token = loadName
		}
		out.WriteString(token)
		i = end
	}
	return out.String()
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func untilLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// literal is the length of the text that a source begins with, its quotes
// included. One that does not end goes to the end of the source, or of the line
// where it must end there: the parser says so.
func literal(source string, raw bool) int {
	quote := source[:1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(source, triple) {
		quote = triple
	}
	for i := len(quote); i < len(source); i++ {
		switch {
		case strings.HasPrefix(source[i:], quote):
			return i + len(quote)
		case source[i] == '\\' && (!raw || i+1 < len(source) && source[i+1] == quote[0]):
			i++
		case source[i] == '\n' && len(quote) == 1:
			return i
		}
	}
	return len(source)
}

// shown gives the word back its own name, in what people read.
func shown(msg string) string { return strings.ReplaceAll(msg, loadName, loadWord) }
