package rest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const bulkTarget = "/v1/bulk/accounts"

// result is one line of a bulk's answer.
type result struct {
	ID      *string
	Status  int
	Dot     string
	ETag    string
	Context string
	Problem struct {
		Code   string
		Detail string
		Limit  int64
	}
	Done    bool
	OK      int
	Failed  int
	Session string
}

// results reads a bulk's answer, and wants a last line that is done.
func (a answer) results(t testing.TB) (lines []result, done result) {
	t.Helper()
	if a.status != 200 || a.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("bulk: %d %v %.300s", a.status, a.header, a.body)
	}
	for line := range bytes.Lines(a.body) {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("result %q: %v", line, err)
		}
		lines = append(lines, r)
	}
	if len(lines) == 0 || !lines[len(lines)-1].Done {
		t.Fatalf("no last line: %s", a.body)
	}
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// bulkCase is a line and what it must be answered.
type bulkCase struct {
	text   string
	id     string // empty: null
	status int    // 0: it is no line
	code   string
}

// everyLine is a line of each kind; tag and token are of a document that has
// changed since.
func everyLine(tag, token string) []bulkCase {
	return []bulkCase{
		{`{"id":"one","doc":{"v" : 1.50}}`, "one", 201, ""},
		{`{"id":"one","doc":{"v":2}}`, "one", 200, ""},
		{`{"id":"gone","delete":true}`, "gone", 404, "not_found"},
		{`{"id":"one","delete":true}`, "one", 200, ""},
		{`   `, "", 0, ""},
		{`{"id":"two","doc":{"v":1}`, "", 400, "bad_json"},
		{`{"id":"two","doc":{"a":1,"a":2}}`, "", 400, "bad_json"},
		{`{"ID":"two","doc":{}}`, "", 422, "invalid"},
		{`{"id":"two"}`, "two", 422, "invalid"},
		{`{"id":"two","delete":false}`, "two", 422, "invalid"},
		{`{"id":"two","doc":{},"delete":true}`, "two", 422, "invalid"},
		{`{"id":"two","doc":[]}`, "two", 422, "invalid"},
		{`{"id":2,"doc":{}}`, "", 422, "invalid"},
		{`{"id":"..","doc":{}}`, "..", 422, "invalid"},
		{`{"id":"two","doc":{},"ifmatch":"x"}`, "two", 422, "invalid"},
		{`{"id":"alice","doc":{},"if_match":` + tag + `}`, "alice", 412, "precondition_failed"},
		{`{"id":"alice","doc":{},"if_match":"other"}`, "alice", 412, "precondition_failed"},
		{`{"id":"alice","doc":{},"if_match":""}`, "alice", 400, "bad_request"},
		{`{"id":"alice","doc":{"n":9},"context":"` + token + `"}`, "alice", 200, ""},
		{`{"id":"bob","doc":{},"context":"` + token + `"}`, "bob", 400, "wrong_context"},
		{`[]`, "", 422, "invalid"},
		{`{"id":"three","doc":{"a":"` + strings.Repeat("x", MaxBulkLine) + `"}}`, "", 413, "too_large"},
		{`{"id":"last","doc":{}}`, "last", 201, ""},
	}
}

// "Each line stands alone; results in order {id,status,dot} or
// {id,status,problem}; last line {done,ok,failed}".
func TestBulkLinesStandAlone(t *testing.T) {
	s := newStand(t, nil)
	put := s.must(201, "PUT", doc, `{"n":0}`)
	tag, token := put.header.Get("ETag"), put.header.Get("Causal-Context")
	s.must(200, "PUT", doc, `{"n":1}`, "If-Match: "+tag)
	quoted, err := json.Marshal(tag)
	if err != nil {
		t.Fatal(err)
	}
	lines := everyLine(string(quoted), token)
	var body strings.Builder
	for i, l := range lines {
		if i > 0 {
			body.WriteString("\n")
		}
		body.WriteString(l.text)
	}
	got, done := s.send("POST", bulkTarget, body.String()).results(t)
	i, failed := 0, 0
	for _, l := range lines {
		if l.status == 0 {
			continue // an empty line is no line
		}
		r := got[i]
		i++
		id := ""
		if r.ID != nil {
			id = *r.ID
		}
		if id != l.id || r.Status != l.status || r.Problem.Code != l.code {
			t.Errorf("%.60s: got %+v", l.text, r)
		}
		if l.code != "" {
			failed++
		} else if r.Dot == "" || r.ETag == "" || r.Context == "" {
			t.Errorf("%.60s: no dot, tag or context: %+v", l.text, r)
		}
	}
	if i != len(got) || done.Failed != failed || done.OK != len(got)-failed || done.Session != s.engine.Published().Session {
		t.Errorf("%d results for %d lines, %+v", len(got), i, done)
	}
	if a := s.must(200, "GET", doc, ""); a.header.Get("Conflict-Count") != "2" {
		t.Error("the line with an old context made no sibling")
	}
}

// "At most 10,000 lines": the lines before are applied, the rest is not read.
func TestBulkLimits(t *testing.T) {
	s := newStand(t, nil)
	var body strings.Builder
	for i := range MaxBulkLines + 5 {
		fmt.Fprintf(&body, "{\"id\":\"d%d\",\"doc\":{}}\n", i)
	}
	got, done := s.send("POST", bulkTarget, body.String()).results(t)
	last := got[len(got)-1]
	if len(got) != MaxBulkLines+1 || done.OK != MaxBulkLines || done.Failed != 1 || last.Status != 413 || last.ID != nil {
		t.Errorf("%d results, done %+v, last %+v", len(got), done, last)
	}
	s.must(200, "GET", fmt.Sprintf("/v1/docs/accounts/d%d", MaxBulkLines-1), "")
	s.must(404, "GET", fmt.Sprintf("/v1/docs/accounts/d%d", MaxBulkLines), "")

	// 64 MiB that come without a length: what fits is applied.
	big := `{"id":"big","doc":{"a":"` + strings.Repeat("x", 1<<20-100) + "\"}}\n"
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost"+bulkTarget, io.MultiReader(strings.NewReader(strings.Repeat(big, 66))))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = -1
	got, done = s.do(r).results(t)
	if last := got[len(got)-1]; done.OK != len(got)-1 || done.OK < 60 || last.Problem.Code != "too_large" || last.Problem.Limit != MaxBulkBytes {
		t.Errorf("%d results, done %+v, last %+v", len(got), done, last)
	}
}

// "?atomic=true: one transaction; 200 with all results, or 409 atomic_failed
// with failed and nothing applied; one id twice is 422".
func TestBulkAtomic(t *testing.T) {
	s := newStand(t, nil)
	const target = bulkTarget + "?atomic=true"
	body := `{"id":"x","doc":{"n":1}}` + "\n" + `{"id":"y","doc":{"n":2}}`
	got, done := s.send("POST", target, body).results(t)
	if len(got) != 2 || done.OK != 2 || got[0].Status != 201 || *got[1].ID != "y" {
		t.Errorf("%+v %+v", got, done)
	}
	before := s.state()
	a := s.must(409, "POST", target, `{"id":"x","doc":{}}`+"\n"+`{"id":"y","doc":{},"if_match":"other"}`)
	failed := a.object(t)["failed"].([]any)[0].(map[string]any)
	if a.code(t) != "atomic_failed" || failed["line"] != 2.0 || failed["id"] != "y" || failed["status"] != 412.0 || failed["problem"].(map[string]any)["code"] != "precondition_failed" {
		t.Errorf("%s", a.body)
	}
	a = s.must(409, "POST", target, `{"id":"x","doc":{}}`+"\n\n"+`{"id":"y"`)
	failed = a.object(t)["failed"].([]any)[0].(map[string]any)
	if failed["line"] != 2.0 || failed["status"] != 400.0 {
		t.Errorf("%s", a.body)
	}
	s.must(422, "POST", target, `{"id":"x","doc":{}}`+"\n"+`{"id":"x","doc":{}}`)
	if got, done := s.send("POST", target, "\n").results(t); len(got) != 0 || done.OK != 0 {
		t.Errorf("nothing to do: %+v", done)
	}
	if s.state() != before {
		t.Error("a failed atomic bulk changed something")
	}
}

// conversation is a bulk over a connection: lines go in and results come out
// while it lasts.
type conversation struct {
	t    *testing.T
	conn net.Conn
	out  *bufio.Reader
}

func (s *stand) converse(t *testing.T, conn net.Conn) *conversation {
	t.Helper()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", bulkTarget)
	return &conversation{t: t, conn: conn}
}

func (c *conversation) send(text string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, "%x\r\n%s\r\n", len(text), text); err != nil {
		c.t.Fatal(err)
	}
}

// result reads the next line of the answer.
func (c *conversation) result() (r result) {
	c.t.Helper()
	if c.out == nil {
		res, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
		if err != nil {
			c.t.Fatal(err)
		}
		if res.StatusCode != 200 {
			c.t.Fatalf("status %d", res.StatusCode)
		}
		c.t.Cleanup(func() { _ = res.Body.Close() })
		c.out = bufio.NewReader(res.Body)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		c.t.Fatalf("result: %v", err)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		c.t.Fatalf("result %q: %v", line, err)
	}
	return r
}

// "Results are written as batches commit": while the client still sends.
func TestBulkAnswersWhileItIsSent(t *testing.T) {
	s := newStand(t, nil)
	c := s.converse(t, dial(t, s.serve()))
	for i := range 3 {
		c.send(fmt.Sprintf("{\"id\":\"d%d\",\"doc\":{}}\n\n", i))
		if r := c.result(); r.Status != 201 || *r.ID != fmt.Sprintf("d%d", i) {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	c.send("")
	if r := c.result(); !r.Done || r.OK != 3 {
		t.Errorf("last: %+v", r)
	}
}

// "A node that turns read-only answers the remaining lines 503", also when it
// takes writes again before they come.
func TestBulkTurnsReadOnly(t *testing.T) {
	s := newStand(t, nil)
	c := s.converse(t, dial(t, s.serve()))
	c.send("{\"id\":\"d0\",\"doc\":{}}\n")
	if r := c.result(); r.Status != 201 {
		t.Fatalf("before: %+v", r)
	}
	s.vote.set(cut(), 0)
	c.send("{\"id\":\"d1\",\"doc\":{}}\n")
	if r := c.result(); r.Status != 503 || r.Problem.Code != "read_only" {
		t.Errorf("cut: %+v", r)
	}
	s.vote.set(nil, 0)
	c.send("{\"id\":\"d2\",\"doc\":{}}\n")
	if r := c.result(); r.Status != 503 || *r.ID != "d2" {
		t.Errorf("after: %+v", r)
	}
	c.send("")
	if r := c.result(); !r.Done || r.OK != 1 || r.Failed != 2 {
		t.Errorf("last: %+v", r)
	}
	s.must(404, "GET", "/v1/docs/accounts/d2", "")
}

// "many clients do not read while they send, so up to a limit they are
// buffered".
func TestBulkForAClientThatReadsLate(t *testing.T) {
	s := newStand(t, nil)
	conn := dial(t, s.serve())
	c := s.converse(t, conn)
	var lines strings.Builder
	for i := range MaxBulkLines {
		fmt.Fprintf(&lines, "{\"id\":\"document-%d\",\"doc\":{\"n\":%d}}\n", i, i)
	}
	c.send(lines.String())
	c.send("")
	for range MaxBulkLines {
		if r := c.result(); r.Status != 201 {
			t.Fatalf("%+v", r)
		}
	}
	if r := c.result(); !r.Done || r.OK != MaxBulkLines {
		t.Errorf("last: %+v", r)
	}
}

// "a reader that does not read is dropped": a client that sends and never
// reads loses its connection after writeStall, and what was applied stays.
func TestBulkForAClientThatNeverReads(t *testing.T) {
	bubble(t, func(t *testing.T, s *stand, p *pipes) {
		conn := p.dial()
		defer conn.Close()
		c := s.converse(t, conn)
		c.send("{\"id\":\"d0\",\"doc\":{}}\n")
		c.send("")
		synctest.Wait()
		begun := time.Now()
		time.Sleep(2 * writeStall) // of the bubble's clock
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Errorf("still connected %s after a write began that nobody reads", time.Since(begun))
		}
		s.must(200, "GET", "/v1/docs/accounts/d0", "")
	})
}
