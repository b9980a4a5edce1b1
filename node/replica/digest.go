package replica

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// PathDigest is where data nodes compare what they have.
const PathDigest = "/peer/v1/digest"

const (
	// digestTimeout is how long one question to the other node may take.
	digestTimeout = 10 * time.Second
	// maxAnswered is the most documents that one answer looks at; it says how far
	// it came, and the next question goes on there.
	maxAnswered = 4000
	// dotBytes and copyBytes are about how long a dot and the rest of a document
	// are in an answer.
	dotBytes, copyBytes = 64, 64
)

// UnreachableError says that the other node did not answer a question.
type UnreachableError struct {
	Node string
	Err  error
}

// Error implements error.
func (e *UnreachableError) Error() string { return e.Node + " does not answer: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Differences finds documents that differ between this node and another one
// right now: a write that is on its way between them is one. It asks the other
// node, page by page, and gives up with an *UnreachableError.
func (r *Replicator) Differences(ctx context.Context, q node.DifferenceQuery) (node.DifferencePage, error) {
	if !slices.Contains(r.cfg.Others, q.Node) {
		return node.DifferencePage{}, &node.Error{Op: "compare", Kind: node.Invalid, Key: q.Node, Err: fmt.Errorf(
			"want another data node of the roster: %s", strings.Join(r.cfg.Others, ", "))}
	}
	if q.Limit <= 0 {
		q.Limit = node.DefaultPage
	}
	c := &comparison{r: r, q: q, left: node.MaxCompared}
	c.q.Limit = min(q.Limit, node.MaxPage)
	at, after, err := readCursor(q.Cursor)
	if err != nil {
		return c.page, err
	}
	names, err := c.differing(ctx)
	for _, name := range names {
		if err != nil || name < at {
			continue
		}
		begin := conflict.DocID("")
		if name == at {
			begin = after
		}
		var over bool
		if over, err = c.collection(ctx, name, begin); over {
			break
		}
	}
	return c.page, err
}

// comparison is one page of differences.
type comparison struct {
	r    *Replicator
	q    node.DifferenceQuery
	page node.DifferencePage
	left int // documents that this page still looks at
}

// readCursor reads where a page begins: a collection, and the id before.
func readCursor(text string) (conflict.Collection, conflict.DocID, error) {
	if text == "" {
		return "", "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	name, id, ok := strings.Cut(string(b), "\n")
	if err == nil && !ok {
		err = errors.New("it is none of a comparison")
	}
	var at conflict.Collection
	if err == nil {
		at, err = conflict.ParseCollection(name)
	}
	if err == nil && id != "" {
		_, err = conflict.ParseDocID(id)
	}
	if err != nil {
		return "", "", &node.Error{Op: "compare", Kind: node.BadCursor, Err: fmt.Errorf("cursor: %w", err)}
	}
	return at, conflict.DocID(id), nil
}

// stop ends the page behind an id.
func (c *comparison) stop(name conflict.Collection, id conflict.DocID) {
	c.page.Next = base64.RawURLEncoding.EncodeToString([]byte(string(name) + "\n" + string(id)))
}

// ask asks the other node.
func (c *comparison) ask(ctx context.Context, q *wire.DigestRequest) (*wire.DigestAnswer, error) {
	q.Cluster, q.Node = c.r.cfg.Cluster, c.r.cfg.Self
	body, err := wire.Encode(q)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, digestTimeout)
	defer cancel()
	reply, err := c.r.cfg.Caller.Call(ctx, c.q.Node, PathDigest, body, wire.MaxDigestBytes)
	if err != nil {
		return nil, &UnreachableError{Node: c.q.Node, Err: err}
	}
	a := new(wire.DigestAnswer)
	if err := wire.Decode(reply, a); err != nil {
		return nil, &UnreachableError{Node: c.q.Node, Err: err}
	}
	if err := a.Check(q); err != nil {
		return nil, &UnreachableError{Node: c.q.Node, Err: err}
	}
	return a, nil
}

// differing are, sorted, the collections of which the digests differ.
func (c *comparison) differing(ctx context.Context) ([]conflict.Collection, error) {
	a, err := c.ask(ctx, &wire.DigestRequest{})
	if err != nil {
		return nil, err
	}
	mine, err := c.r.cfg.Engine.Verify(ctx)
	if err != nil {
		return nil, err
	}
	sums := map[conflict.Collection]conflict.Sum{}
	for _, s := range mine.Collections {
		sums[s.Name] = s.Digest
	}
	for _, s := range a.Collections {
		name, err := conflict.ParseCollection(s.Name)
		if err != nil {
			return nil, &UnreachableError{Node: c.q.Node, Err: err}
		}
		sums[name] = sums[name].XOR(s.Sum)
	}
	var names []conflict.Collection
	for name, sum := range sums {
		if sum != (conflict.Sum{}) && (name == c.q.Collection || c.q.Collection == "" && !name.IsSystem()) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// collection compares one collection behind an id, and says whether the page is
// over.
func (c *comparison) collection(ctx context.Context, name conflict.Collection, after conflict.DocID) (over bool, err error) {
	for {
		here, err := c.r.cfg.Engine.Copies(ctx, node.CopyQuery{Collection: name, After: after, Limit: node.MaxCopies})
		if err != nil {
			return true, err
		}
		q := &wire.DigestRequest{Collection: string(name), After: string(after), Ranges: ranges(here)}
		a, err := c.ask(ctx, q)
		if err != nil {
			return true, err
		}
		for _, d := range node.Differ(name, differingCopies(here.Copies, q, a), copies(a.Copies)) {
			if len(c.page.Differences) == c.q.Limit {
				c.stop(name, c.page.Differences[len(c.page.Differences)-1].Key.ID)
				return true, nil
			}
			c.page.Differences = append(c.page.Differences, d)
		}
		end := q.Ranges[len(q.Ranges)-1].Until
		if a.Until != "" {
			end = a.Until
		}
		if end == "" {
			return false, nil
		}
		after = conflict.DocID(end)
		if c.left -= max(1, len(here.Copies)); c.left <= 0 || len(c.page.Differences) == c.q.Limit {
			c.stop(name, after)
			return true, nil
		}
	}
}

// ranges cuts what this node has into ranges. The last of a collection reaches
// to its end, so that the other node can tell of what stands behind.
func ranges(p node.CopyPage) []wire.DigestRange {
	var out []wire.DigestRange
	for chunk := range slices.Chunk(p.Copies, node.RangeSize) {
		g := wire.DigestRange{Until: string(chunk[len(chunk)-1].ID)}
		for _, c := range chunk {
			g.Sum = conflict.Sum(g.Sum).XOR(c.Sum)
		}
		out = append(out, g)
	}
	switch {
	case p.Done && len(out) > 0:
		out[len(out)-1].Until = ""
	case p.Done:
		out = append(out, wire.DigestRange{})
	}
	return out
}

// differingCopies are this node's copies in the ranges that differ, as far as
// the answer reaches.
func differingCopies(here []node.Copy, q *wire.DigestRequest, a *wire.DigestAnswer) []node.Copy {
	var out []node.Copy
	i := 0
	for _, c := range here {
		for q.Ranges[i].Until != "" && string(c.ID) > q.Ranges[i].Until {
			i++
		}
		if slices.Contains(a.Differs, i) && (a.Until == "" || string(c.ID) <= a.Until) {
			out = append(out, c)
		}
	}
	return out
}

// copies are what the other node has; their form was checked.
func copies(in []wire.DocCopy) []node.Copy {
	out := make([]node.Copy, 0, len(in))
	for _, c := range in {
		o := node.Copy{ID: conflict.DocID(c.ID), Tag: c.Tag, Deleted: c.Deleted, Sum: c.Sum}
		for _, text := range c.Dots {
			if d, err := vclock.ParseDot(text); err == nil {
				o.Dots = append(o.Dots, d)
			}
		}
		out = append(out, o)
	}
	return out
}

// AnswerDigest answers another data node that compares.
func (r *Replicator) AnswerDigest(ctx context.Context, caller string, body []byte) ([]byte, error) {
	q := new(wire.DigestRequest)
	if err := wire.Decode(body, q); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	if q.Cluster != r.cfg.Cluster || q.Node != caller {
		return nil, fmt.Errorf("digest: the question is of %q in cluster %q, the connection of %q in cluster %q", q.Node, q.Cluster, caller, r.cfg.Cluster)
	}
	a := &wire.DigestAnswer{Node: r.cfg.Self}
	var err error
	if q.Collection == "" {
		err = r.answerCollections(ctx, a)
	} else {
		err = r.answerRanges(ctx, q, a)
	}
	if err != nil {
		return nil, err
	}
	return wire.Encode(a)
}

func (r *Replicator) answerCollections(ctx context.Context, a *wire.DigestAnswer) error {
	v, err := r.cfg.Engine.Verify(ctx)
	for _, s := range v.Collections {
		a.Collections = append(a.Collections, wire.CollectionDigest{Name: string(s.Name), Sum: s.Digest})
	}
	return err
}

// answerRanges walks this node's documents through the ranges of a question.
func (r *Replicator) answerRanges(ctx context.Context, q *wire.DigestRequest, a *wire.DigestAnswer) error {
	name, err := conflict.ParseCollection(q.Collection)
	if err != nil {
		return err
	}
	w := &rangeWalk{q: q, a: a}
	after := conflict.DocID(q.After)
	for !w.over() {
		page, err := r.cfg.Engine.Copies(ctx, node.CopyQuery{Collection: name, After: after, Limit: node.MaxCopies})
		if err != nil {
			return err
		}
		for i := range page.Copies {
			after = page.Copies[i].ID
			w.add(&page.Copies[i])
		}
		if page.Done {
			w.end()
		}
	}
	return nil
}

// rangeWalk fills an answer, document by document.
type rangeWalk struct {
	q     *wire.DigestRequest
	a     *wire.DigestAnswer
	at    int // the range that the walk is in
	sum   conflict.Sum
	begin int  // of its copies in the answer
	seen  int  // documents
	size  int  // about the bytes of the answer
	cut   bool // the answer was full before the last range ended
}

func (w *rangeWalk) over() bool { return w.cut || w.at == len(w.q.Ranges) }

// add takes the next document. When the answer is full, the range that it is in
// ends there, and counts as one that differs.
func (w *rangeWalk) add(c *node.Copy) {
	for !w.over() && w.q.Ranges[w.at].Until != "" && string(c.ID) > w.q.Ranges[w.at].Until {
		w.close(false)
	}
	if w.over() {
		return
	}
	out := wire.DocCopy{ID: string(c.ID), Tag: c.Tag, Deleted: c.Deleted, Sum: c.Sum}
	for _, d := range c.Dots[:min(len(c.Dots), wire.MaxCopyDots)] {
		out.Dots = append(out.Dots, d.String())
	}
	w.a.Copies = append(w.a.Copies, out)
	w.sum = w.sum.XOR(c.Sum)
	w.size += len(out.ID) + len(out.Tag) + len(out.Dots)*dotBytes + copyBytes
	if w.seen++; len(w.a.Copies) == wire.MaxDigestCopies || w.seen == maxAnswered || w.size > wire.MaxDigestBytes/2 {
		w.cut = true
		w.a.Until = string(c.ID)
		w.close(true)
	}
}

// close ends the range. What is equal need not be named.
func (w *rangeWalk) close(differs bool) {
	if differs || w.sum != w.q.Ranges[w.at].Sum {
		w.a.Differs = append(w.a.Differs, w.at)
	} else {
		w.a.Copies = w.a.Copies[:w.begin]
	}
	w.at++
	w.sum, w.begin = conflict.Sum{}, len(w.a.Copies)
}

// end closes what is left: this node has no more documents.
func (w *rangeWalk) end() {
	for !w.over() {
		w.close(false)
	}
}
