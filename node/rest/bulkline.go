package rest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// bulkStall is how long a client may send nothing of a bulk's body.
const bulkStall = 30 * time.Second

// lineBuffer is how much of a body is read at once, in bytes.
const lineBuffer = 64 << 10

// errLongLine is the error of a line above MaxBulkLine. The reader goes on
// behind it.
var errLongLine = tooLarge(MaxBulkLine, "the line")

// steadyBody is a body that must keep coming: each read gets a deadline of its
// own, so that a long request may take long and a silent one may not.
type steadyBody struct {
	body io.Reader
	rc   *http.ResponseController
}

func (s *steadyBody) Read(p []byte) (int, error) {
	// A body without a connection (a test's) has no deadline to set.
	_ = s.rc.SetReadDeadline(time.Now().Add(bulkStall))
	return s.body.Read(p)
}

type lineLimits struct {
	lines int
	bytes int64
}

// lineReader reads lines up to limits. Empty lines are skipped and do not
// count.
type lineReader struct {
	in     *bufio.Reader
	limits lineLimits
	lines  int
	bytes  int64
	line   []byte
}

func newLineReader(body io.Reader, limits lineLimits) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(body, lineBuffer), limits: limits}
}

// next returns a line without its end, valid until the next call. Its errors
// are io.EOF, one that is errLongLine (the line was skipped), one of kind
// TooLarge (a limit of the request), and those of reading.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if err != nil && !errors.Is(err, errLongLine) {
			return nil, err
		}
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if l.lines++; l.lines > l.limits.lines {
			return nil, &node.Error{Op: "bulk", Kind: node.TooLarge, Err: fmt.Errorf("more than %d lines, the most that is taken; the rest was not read", l.limits.lines)}
		}
		return line, err
	}
}

// read takes one line, whatever is in it.
func (l *lineReader) read() ([]byte, error) {
	l.line = l.line[:0]
	long := false
	for {
		part, err := l.in.ReadSlice('\n')
		if l.bytes += int64(len(part)); l.bytes > l.limits.bytes {
			return nil, tooLarge(l.limits.bytes, "the bulk")
		}
		if long = long || len(l.line)+len(part) > MaxBulkLine; !long {
			l.line = append(l.line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(l.line) == 0 && !long:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, bodyError(err)
		case long:
			return nil, errLongLine
		}
		return l.line, nil
	}
}

// ready says whether a whole line that is not empty has already come.
func (l *lineReader) ready() bool {
	waiting, err := l.in.Peek(l.in.Buffered())
	return err == nil && bytes.IndexByte(bytes.TrimLeft(waiting, " \t\r\n"), '\n') >= 0
}

// parseLine reads one line of a bulk. The id is returned with an error too,
// where it could be read.
func (s *Server) parseLine(at target, line []byte) (string, node.Write, error) {
	m, err := readMembers(line)
	if err != nil {
		return "", node.Write{}, err
	}
	id, w := m.text("id"), node.Write{Kind: node.Put, Session: at.session}
	if !m.has("id") {
		m.fail("the line has no id")
	}
	lineTarget(m, &w)
	tag, token := m.text("if_match"), m.text("context")
	m.only("id", "doc", "delete", "if_match", "context")
	if m.err != nil {
		return id, w, invalid(m.err)
	}
	docID, err := conflict.ParseDocID(id)
	if err != nil {
		return id, w, invalid(err)
	}
	w.Key = conflict.Key{Collection: at.collection, ID: docID}
	if m.has("if_match") {
		if w.IfMatch, err = lineTag(tag); err != nil {
			return id, w, err
		}
	}
	if m.has("context") {
		w.Context, err = s.engine.ParseContext(w.Key, token)
	}
	return id, w, err
}

// lineTag reads the entity tag of a line: as in a header, or without quotes.
func lineTag(tag string) ([]string, error) {
	if tag == "" || tag == "*" || strings.Contains(tag, `"`) {
		return parseTags("if_match", []string{tag})
	}
	return []string{tag}, nil
}

// lineTarget reads what the line does: it has a document, or says "delete":
// true.
func lineTarget(m *members, w *node.Write) {
	switch {
	case m.has("doc") && m.has("delete"):
		m.fail("the line has both doc and delete")
	case m.has("doc"):
		w.Body = m.of["doc"]
	case string(m.of["delete"]) == "true":
		w.Kind = node.Delete
	default:
		m.fail(`the line has neither doc nor "delete": true`)
	}
}
