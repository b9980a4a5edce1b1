package rest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/syncline/syncline/node"
)

// What net/http cannot parse it answers itself, in plain text, before any
// handler is asked: headers that are too large, a request line that is none, a
// missing Host. The contract wants a problem there too, so the connection
// looks at what is written and replaces exactly these answers. They are
// written in one piece, and begin as no answer of ours does. Should a later Go
// write them otherwise they go out as they are (and a test says so).
const (
	statusLine = "HTTP/1.1 "
	plainError = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	// maxStatusLine is the longest first line that is looked for, in bytes.
	maxStatusLine = 256
)

// problemListener wraps its connections.
type problemListener struct {
	net.Listener
	s *Server
}

// Accept implements net.Listener.
func (l *problemListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &problemConn{Conn: c, s: l.s}, nil
}

type problemConn struct {
	net.Conn
	s *Server
}

// CloseWrite is what net/http calls so that the client can read the answer
// before the connection goes.
func (c *problemConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Write implements net.Conn.
func (c *problemConn) Write(b []byte) (int, error) {
	status, text, ok := refusedUnread(b)
	if !ok {
		return c.Conn.Write(b)
	}
	if _, err := c.Conn.Write(c.s.rawProblem(status, text)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// refusedUnread recognises an answer that net/http gives by itself.
func refusedUnread(b []byte) (status int, text string, ok bool) {
	if !bytes.HasPrefix(b, []byte(statusLine)) {
		return 0, "", false
	}
	end := bytes.IndexByte(b[:min(len(b), maxStatusLine)], '\r')
	if end < 0 || !bytes.HasPrefix(b[end:], []byte(plainError)) {
		return 0, "", false
	}
	line := string(b[len(statusLine):end])
	if len(line) < len("400 ") {
		return 0, "", false
	}
	status, err := strconv.Atoi(line[:3])
	return status, line[4:], err == nil && status >= http.StatusBadRequest
}

// rawProblem is a whole answer to a request that no handler has seen.
func (s *Server) rawProblem(status int, text string) []byte {
	err := &node.Error{Op: "request", Kind: node.BadRequest, Err: errors.New(text)}
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		err.Kind = HeadersTooLarge
		err.Err = fmt.Errorf("the request line and the headers have more than %d bytes together, the most that is taken", MaxHeaderBytes)
	case http.StatusNotImplemented:
		err.Kind = node.NotBuilt
	}
	p := s.problemOf(err, newTrace())
	s.metrics.problem(p.Code)
	s.metrics.other.count(p.Status, 0)
	h := http.Header{}
	s.stamp(h)
	h[headType], h[headCache], h["Connection"] = valueProblem, valueNoStore, []string{"close"}
	body := p.encode()
	h[headLength] = []string{strconv.Itoa(len(body))}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%d %s\r\n", statusLine, p.Status, http.StatusText(p.Status))
	_ = h.Write(&b) // to memory: it cannot fail
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}
