package script

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/syncline/syncline/vclock"
)

// greeting is the first frame of a worker. It changes with every change of the
// messages, so that a binary replaced under a running parent is noticed.
const greeting = "syncline resolver worker 1"

// request is what a pool asks of a worker.
type request struct {
	hash     Hash
	source   string    // empty when the worker should have the script
	test     string    // a test_ function, or empty for resolve
	conflict *Conflict // for resolve
}

// appendTo appends the request's message.
func (q *request) appendTo(b []byte) []byte {
	b = append(b, q.hash[:]...)
	b = appendText(b, q.source)
	b = appendText(b, q.test)
	if q.test == "" {
		b = appendConflict(b, q.conflict)
	}
	return b
}

// readRequest reads the message of a request. Documents alias it.
func readRequest(body []byte) (*request, error) {
	m := &message{rest: body}
	q := &request{}
	if len(body) < len(q.hash) {
		return nil, errMessage
	}
	m.rest = m.rest[copy(q.hash[:], body):]
	q.source = m.text(MaxSource)
	q.test = m.text(MaxSource)
	if q.test == "" {
		q.conflict = m.conflict()
	}
	return q, m.done()
}

// A sum's text and its path are bounded by the message.
func appendConflict(b []byte, c *Conflict) []byte {
	b = appendText(b, c.Collection)
	b = appendText(b, c.ID)
	b = binary.AppendUvarint(b, uint64(c.maxBody()))
	b = appendBool(b, c.Base != nil)
	b = appendText(b, c.Base)
	b = appendBool(b, c.BaseExact)
	b = binary.AppendUvarint(b, uint64(len(c.Siblings)))
	for _, s := range c.Siblings {
		b = appendText(b, s.Dot.Actor)
		b = binary.AppendUvarint(b, s.Dot.Seq)
		b = binary.AppendUvarint(b, uint64(s.Time))
		b = appendBool(b, s.Deleted)
		b = appendText(b, s.Doc)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Sums)))
	for _, path := range slices.Sorted(maps.Keys(c.Sums)) {
		b = appendText(b, path)
		b = appendText(b, c.Sums[path])
	}
	return b
}

func (m *message) conflict() *Conflict {
	c := &Conflict{Collection: m.text(maxName), ID: m.text(maxName), MaxBody: m.count(MaxBody)}
	based := m.bool()
	if base := m.bytes(MaxInput); based {
		c.Base = base
	} else if len(base) > 0 {
		m.fail()
	}
	c.BaseExact = m.bool()
	for range m.count(MaxSiblings) {
		if m.bad {
			break
		}
		c.Siblings = append(c.Siblings, m.sibling())
	}
	sums := m.count(MaxSums)
	c.Sums = make(map[string]string, sums)
	for range sums {
		path := m.text(MaxInput)
		c.Sums[path] = m.text(MaxInput)
	}
	if len(c.Sums) != sums {
		m.fail()
	}
	return c
}

func (m *message) sibling() Sibling {
	actor, err := vclock.ParseActor(m.text(vclock.MaxActor))
	if err != nil {
		m.fail()
	}
	return Sibling{
		Dot:     vclock.Dot{Actor: actor, Seq: m.uint()},
		Time:    vclock.Time(m.uint()),
		Deleted: m.bool(),
		Doc:     m.bytes(MaxInput),
	}
}

// reply is what a worker answers: a result, or what came out of a test, or
// that it needs the source of a script that it does not have any more.
type reply struct {
	needSource bool
	result     *Result
	test       *TestResult
}

// The first byte of a reply.
const (
	replyNeedSource = iota
	replyResult
	replyTest
)

// verdictCodes numbers the verdicts in messages.
var verdictCodes = []Verdict{Value, Delete, Defer, Failed}

func (p *reply) appendTo(b []byte) []byte {
	switch {
	case p.needSource:
		return append(b, replyNeedSource)
	case p.result != nil:
		return appendResult(append(b, replyResult), p.result)
	default:
		return appendTest(append(b, replyTest), p.test)
	}
}

func appendResult(b []byte, r *Result) []byte {
	b = append(b, byte(slices.Index(verdictCodes, r.Verdict)))
	b = appendText(b, r.Doc)
	b = binary.AppendUvarint(b, uint64(len(r.Notes)))
	for _, n := range r.Notes {
		b = appendText(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Events)))
	for _, e := range r.Events {
		b = appendText(b, e.Name)
		b = appendText(b, e.Data)
	}
	b = appendText(b, r.Output)
	b = binary.AppendUvarint(b, r.Steps)
	return appendFailure(b, r.Failure)
}

func appendTest(b []byte, t *TestResult) []byte {
	b = appendText(b, t.Name)
	b = appendText(b, t.Output)
	b = binary.AppendUvarint(b, t.Steps)
	b = binary.AppendUvarint(b, uint64(len(t.Samples)))
	for _, c := range t.Samples {
		b = appendConflict(b, c)
	}
	return appendFailure(b, t.Failure)
}

// appendFailure appends a failure, or nothing of it, when it is nil.
func appendFailure(b []byte, f *Failure) []byte {
	b = appendBool(b, f != nil)
	if f == nil {
		return b
	}
	b = appendText(b, f.Kind)
	b = appendText(b, f.Msg)
	b = binary.AppendUvarint(b, uint64(f.Line))
	b = binary.AppendUvarint(b, uint64(f.Column))
	b = binary.AppendUvarint(b, uint64(len(f.Backtrace)))
	for _, fr := range f.Backtrace {
		b = appendText(b, fr.Function)
		b = binary.AppendUvarint(b, uint64(fr.Line))
		b = binary.AppendUvarint(b, uint64(fr.Column))
	}
	return b
}

// readReply reads the message of a reply. What it returns aliases nothing of
// the next message.
func readReply(body []byte) (*reply, error) {
	m := &message{rest: body}
	p := &reply{}
	switch m.byte() {
	case replyNeedSource:
		p.needSource = true
	case replyResult:
		p.result = m.result()
	case replyTest:
		p.test = m.test()
	default:
		m.fail()
	}
	return p, m.done()
}

func (m *message) result() *Result {
	r := &Result{}
	if code := int(m.byte()); code < len(verdictCodes) {
		r.Verdict = verdictCodes[code]
	} else {
		m.fail()
	}
	if doc := m.bytes(MaxBody); len(doc) > 0 {
		r.Doc = doc
	}
	for range m.count(MaxNotes) {
		r.Notes = append(r.Notes, m.text(MaxNote))
	}
	for range m.count(MaxEvents) {
		r.Events = append(r.Events, Event{m.text(MaxEventName), m.bytes(MaxEventData)})
	}
	r.Output = m.text(MaxOutput)
	r.Steps = m.uint()
	r.Failure = m.failure()
	if (r.Verdict == Failed) != (r.Failure != nil) || (r.Verdict == Value) != (r.Doc != nil) {
		m.fail()
	}
	return r
}

func (m *message) test() *TestResult {
	t := &TestResult{Name: m.text(MaxSource), Output: m.text(MaxOutput), Steps: m.uint()}
	for range m.count(MaxSamples) {
		if m.bad {
			break
		}
		t.Samples = append(t.Samples, m.conflict())
	}
	t.Failure = m.failure()
	return t
}

func (m *message) failure() *Failure {
	if !m.bool() {
		return nil
	}
	f := &Failure{Kind: Kind(m.text(maxName)), Msg: m.text(maxName), Line: m.number(), Column: m.number()}
	if f.Kind.Local() { // no worker lives to tell
		m.fail()
	}
	for range m.count(MaxFrames) {
		f.Backtrace = append(f.Backtrace, Frame{m.text(maxName), m.number(), m.number()})
	}
	return f
}
