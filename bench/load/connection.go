package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

const (
	readBuffer     = 4 << 10          // bytes; an answer's header lines must fit
	requestTimeout = 30 * time.Second // for one request with its answer, at most
	renewAfter     = 10 * time.Second // age of a deadline before a request sets it anew
	maxHeaders     = 100              // header lines of an answer
)

// connection is one keep-alive HTTP/1.1 connection. It dials when it is used
// and has none, and dials again after an error or a server's "close".
type connection struct {
	address string
	conn    net.Conn
	reader  *bufio.Reader
	renewed time.Time   // when the deadline was last set
	unwatch func() bool // stops watching the context
}

// roundTrip sends one request, at the time now, and reads the whole answer.
func (c *connection) roundTrip(ctx context.Context, now time.Time, request []byte) (status int, err error) {
	if c.conn == nil {
		if err := c.dial(ctx); err != nil {
			return 0, err
		}
	}
	keep := false
	defer func() {
		if err != nil || !keep {
			c.Close()
		}
	}()
	// A deadline costs a timer; one for many requests is enough to end a hang.
	if now.Sub(c.renewed) > renewAfter {
		c.renewed = now
		if err := c.conn.SetDeadline(now.Add(requestTimeout)); err != nil {
			return 0, err
		}
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	status, keep, err = c.readAnswer()
	return status, err
}

func (c *connection) dial(ctx context.Context) error {
	dialer := net.Dialer{Timeout: requestTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return err
	}
	c.conn, c.renewed = conn, time.Time{}
	c.unwatch = context.AfterFunc(ctx, func() { conn.Close() })
	if c.reader == nil {
		c.reader = bufio.NewReaderSize(conn, readBuffer)
	}
	c.reader.Reset(conn)
	return nil
}

// Close drops the connection; the next request dials again.
func (c *connection) Close() {
	if c.conn != nil {
		c.unwatch()
		c.conn.Close()
		c.conn = nil
	}
}

var (
	errNotHTTP = errors.New("load: the answer is not HTTP/1.1")
	errLength  = errors.New("load: the answer has no length")
)

// readAnswer reads status line, headers and body, and says whether the
// connection may be used again.
func (c *connection) readAnswer() (status int, keep bool, err error) {
	line, err := c.readLine()
	if err != nil {
		return 0, false, err
	}
	rest, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(rest) < 3 {
		return 0, false, errNotHTTP
	}
	if status, err = strconv.Atoi(string(rest[:3])); err != nil {
		return 0, false, errNotHTTP
	}
	length, chunked, keep, err := c.readHeaders()
	if err != nil {
		return 0, false, err
	}
	switch {
	case chunked:
		err = c.discardChunks()
	case length >= 0:
		_, err = c.reader.Discard(length)
	case status != 204 && status != 304:
		err = errLength
	}
	return status, keep, err
}

// readHeaders reads the header lines and keeps what frames the body.
func (c *connection) readHeaders() (length int, chunked, keep bool, err error) {
	length, keep = -1, true
	for range maxHeaders {
		line, err := c.readLine()
		if err != nil {
			return 0, false, false, err
		}
		if len(line) == 0 {
			return length, chunked, keep, nil
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return 0, false, false, errNotHTTP
		}
		// Only three names matter, and their lengths tell most others apart.
		switch len(name) {
		case len("Content-Length"):
			if bytes.EqualFold(name, []byte("Content-Length")) {
				if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
					return 0, false, false, fmt.Errorf("load: Content-Length %q", value)
				}
			}
		case len("Transfer-Encoding"):
			if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
				chunked = bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked"))
			}
		case len("Connection"):
			if bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(bytes.TrimSpace(value), []byte("close")) {
				keep = false
			}
		}
	}
	return 0, false, false, fmt.Errorf("load: more than %d header lines", maxHeaders)
}

func (c *connection) discardChunks() error {
	for {
		line, err := c.readLine()
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseInt(string(bytes.TrimSpace(digits)), 16, 32)
		if err != nil || size < 0 {
			return errNotHTTP
		}
		if size > 0 {
			if _, err := c.reader.Discard(int(size)); err != nil {
				return err
			}
		}
		// After a chunk its line ends; after the last one come trailers, and
		// an empty line.
		for {
			line, err := c.readLine()
			if err != nil {
				return err
			}
			if len(line) == 0 {
				break
			}
			if size > 0 {
				return errNotHTTP
			}
		}
		if size == 0 {
			return nil
		}
	}
}

// readLine returns a line without its end; it is valid until the next read.
func (c *connection) readLine() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
