package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/strictjson"
)

// members are those of a JSON object that a request brings. They are known by
// their exact names: a struct would take "ID" for "id", and what one reader
// takes for a member another would not. Values keep their bytes. The first
// error stays.
type members struct {
	of  map[string]json.RawMessage
	err error
}

// checkObject says whether a body is one strict JSON object of at most so many
// levels.
func checkObject(body []byte, depth int) error {
	err := strictjson.Check(body, strictjson.Limits{Depth: depth})
	if err == nil {
		return nil
	}
	kind := node.BadJSON
	if errors.Is(err, strictjson.ErrNotObject) {
		kind = node.Invalid
	}
	return &node.Error{Op: "request", Kind: kind, Err: err}
}

// readMembers reads an object around a document: it may have one level more.
func readMembers(body []byte) (*members, error) {
	if err := checkObject(body, node.MaxDepth+1); err != nil {
		return nil, err
	}
	m := &members{}
	if err := json.Unmarshal(body, &m.of); err != nil {
		return nil, &node.Error{Op: "request", Kind: node.BadJSON, Err: err}
	}
	return m, nil
}

func (m *members) has(name string) bool { return m.of[name] != nil }

// fail notes an error, unless there is one.
func (m *members) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

// text is a string, empty when it is absent.
func (m *members) text(name string) string {
	raw := m.of[name]
	if raw == nil || m.err != nil {
		return ""
	}
	var out string
	if raw[0] != '"' || json.Unmarshal(raw, &out) != nil {
		m.fail("%s is not a string", name)
	}
	return out
}

// flag is true or false, false when it is absent.
func (m *members) flag(name string) bool {
	switch string(m.of[name]) {
	case "", "false":
		return false
	case "true":
		return true
	}
	m.fail("%s is neither true nor false", name)
	return false
}

// number is a whole number from 1 to the limit, or 0 when it is absent.
func (m *members) number(name string, limit int) int {
	if !m.has(name) {
		return 0
	}
	n, err := strconv.Atoi(string(m.of[name]))
	if err != nil || n < 1 || n > limit {
		m.fail("%s is %.40s: want a whole number from 1 to %d", name, m.of[name], limit)
	}
	return n
}

// object is an object within, with no members when it is absent.
func (m *members) object(name string) *members {
	in := &members{}
	if !m.has(name) {
		return in
	}
	if m.of[name][0] != '{' || json.Unmarshal(m.of[name], &in.of) != nil {
		m.fail("%s is not an object", name)
	}
	return in
}

// only refuses members of other names: a misspelt one would be a condition that
// is not kept.
func (m *members) only(known ...string) {
	for name := range m.of {
		if !slices.Contains(known, name) {
			m.fail("a member %.40q, which nobody knows; known are %q", name, known)
		}
	}
}

// one says which single one of the names is there.
func (m *members) one(names ...string) string {
	found := ""
	for _, name := range names {
		switch {
		case !m.has(name):
		case found != "":
			m.fail("both %s and %s: say one of them", found, name)
		default:
			found = name
		}
	}
	if found == "" {
		m.fail("none of %q: say one of them", names)
	}
	return found
}

// readNothing reads a body that may be absent, or an object without members.
func readNothing(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	m, err := readMembers(body)
	if err != nil {
		return err
	}
	if m.only(); m.err != nil {
		return invalid(m.err)
	}
	return nil
}
