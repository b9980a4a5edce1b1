package conflict

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of names, in bytes.
const (
	MaxCollection = 64
	MaxDocID      = 512
)

// Collection names a set of documents: [a-z0-9][a-z0-9_-]{0,63}, or for the
// system's own collections an underscore and small letters.
type Collection string

// ParseCollection reads a collection's name.
func ParseCollection(s string) (Collection, error) {
	if s == "" || len(s) > MaxCollection {
		return "", fmt.Errorf("collection name %.80q: want 1 to %d characters", s, MaxCollection)
	}
	if system, ok := strings.CutPrefix(s, "_"); ok {
		if system == "" || strings.Trim(system, "abcdefghijklmnopqrstuvwxyz") != "" {
			return "", fmt.Errorf("collection name %q: want small letters after the underscore of a system collection", s)
		}
		return Collection(s), nil
	}
	for i := range len(s) {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !plain && (i == 0 || c != '_' && c != '-') {
			return "", fmt.Errorf("collection name %q: want small letters and digits, then underscores and hyphens too", s)
		}
	}
	return Collection(s), nil
}

// IsSystem says whether the collection is one of the system's own.
func (c Collection) IsSystem() bool { return strings.HasPrefix(string(c), "_") }

// DocID names a document in its collection: 1 to 512 bytes of UTF-8 without
// control characters.
type DocID string

// ParseDocID reads a document's id. "." and ".." are refused, since paths
// with them are rewritten on their way.
func ParseDocID(s string) (DocID, error) {
	switch {
	case s == "" || len(s) > MaxDocID:
		return "", fmt.Errorf("document id of %d bytes: want 1 to %d", len(s), MaxDocID)
	case !utf8.ValidString(s):
		return "", fmt.Errorf("document id %.80q: not valid UTF-8", s)
	case s == "." || s == "..":
		return "", fmt.Errorf("document id %q: a path cannot carry it; choose another", s)
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		return "", fmt.Errorf("document id %.80q: control character at byte %d", s, i)
	}
	return DocID(s), nil
}

// Key names one document of the database.
type Key struct {
	Collection Collection
	ID         DocID
}

// String is the collection and the id with a slash between.
func (k Key) String() string { return string(k.Collection) + "/" + string(k.ID) }
