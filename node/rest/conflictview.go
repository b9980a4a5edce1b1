package rest

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// maxSides is how many bytes of siblings' bodies one conflict is shown with: as
// many as three of the longest documents. What is beyond is left out.
const maxSides = 3 * node.MaxBody

// conflictView shows conflicts as the API has them.
type conflictView struct {
	s        *Server
	policies map[conflict.Collection]conflictPolicy // those looked up for a list; nil for one conflict
}

// conflictPolicy is the policy that is, or was, in force.
type conflictPolicy struct {
	Kind     conflict.PolicyKind `json:"kind"`
	Version  *string             `json:"version"`  // dot of the configuration; null: nobody configured the collection
	Resolver *string             `json:"resolver"` // null: none
	// ResolverVersion is of a record: the hash of the source that was asked.
	ResolverVersion *string `json:"resolver_version"`
}

// conflictFacts are what a conflict has without the documents in it.
type conflictFacts struct {
	ID         string              `json:"id"`
	State      node.ConflictState  `json:"state"`
	By         *conflict.Decider   `json:"by"` // null: it is open
	Collection conflict.Collection `json:"collection"`
	DocID      conflict.DocID      `json:"doc_id"`
	Policy     conflictPolicy      `json:"policy"`
	Reason     string              `json:"reason"`
	OpenReason *conflict.Reason    `json:"open_reason"` // of an open one that waits for a person: why, in one word
	Run        *conflict.Run       `json:"run"`         // what the resolver left; null: none was asked
	Who        *string             `json:"who"`
	At         *vclock.Time        `json:"at"`
	LostCount  int                 `json:"lost_count"`
	Lost       []lostJSON          `json:"lost,omitzero"`
	Trace      []traceJSON         `json:"trace,omitzero"`
	Base       json.RawMessage     `json:"base"` // null: none is known; a list has none
	BaseExact  bool                `json:"base_exact"`
	Sums       map[string]string   `json:"sums,omitempty"`
	Episode    *string             `json:"episode"` // null: it is in none
}

// lostJSON is a member of a sibling that the result does not have as it was.
type lostJSON struct {
	Dot   vclock.Dot      `json:"dot"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
	Delta *string         `json:"delta"` // null: no two numbers
	// Change is what the sibling's writer had added; null: not known for certain.
	Change *string `json:"change"`
}

// traceJSON is what somebody did with a record.
type traceJSON struct {
	Action string      `json:"action"`
	Dot    *vclock.Dot `json:"dot"` // whose value came back; null: none did
	Who    string      `json:"who"`
	At     vclock.Time `json:"at"`
}

// side is one sibling, as a live version or as a record has it.
type side struct {
	dot     vclock.Dot
	time    vclock.Time
	deleted bool
	hidden  bool
	size    int
	clock   *vclock.Context // nil: not on record
	body    []byte          // nil: a tombstone, or not known here
}

// appendSummary appends a conflict as lists have it.
func (v *conflictView) appendSummary(ctx context.Context, b []byte, c *node.Conflict) ([]byte, error) {
	facts, err := v.facts(ctx, c)
	if err != nil {
		return nil, err
	}
	b = appendFacts(b, &facts)
	b = append(b, `,"siblings":[`...)
	for i, one := range sidesOf(c) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendSide(b, &one), '}')
	}
	return append(b, "]}"...), nil
}

// appendWhole appends a conflict with all that explains it. Now is its document
// at present.
func (v *conflictView) appendWhole(ctx context.Context, b []byte, c *node.Conflict, now *node.Document) ([]byte, error) {
	facts, err := v.facts(ctx, c)
	if err != nil {
		return nil, err
	}
	sides := sidesOf(c)
	if c.Record != nil {
		if err := v.readBodies(ctx, c.Record, sides); err != nil {
			return nil, err
		}
	}
	facts.explain(c)
	past, err := v.s.engine.ConflictPast(ctx, c)
	if err != nil {
		return nil, err
	}
	facts.Base, facts.BaseExact, facts.Sums = past.Base.Body, past.Base.Exact, past.Sums
	b = appendFacts(b, &facts)
	b = appendSides(append(b, `,"siblings":`...), sides, maxSides)
	b = appendConflictShown(append(b, `,"shown":`...), c, sides)
	result, err := v.result(ctx, c, now)
	if err != nil {
		return nil, err
	}
	return append(appendResult(append(b, `,"result":`...), c, result), '}'), nil
}

// facts says what is known of a conflict, but for the lists that can be long.
func (v *conflictView) facts(ctx context.Context, c *node.Conflict) (conflictFacts, error) {
	f := conflictFacts{ID: c.ID, State: c.State}
	if r := c.Record; r != nil {
		f.By, f.Collection, f.DocID, f.Reason, f.Who, f.At = &r.By, r.Collection, r.DocID, r.Reason, &r.Who, &r.At
		f.LostCount, f.Episode = len(r.Lost)+r.LostMore, known(r.Episode)
		f.Policy = conflictPolicy{
			Kind: r.Policy.Kind, Version: known(r.Policy.Version),
			Resolver: known(r.Policy.Resolver), ResolverVersion: known(r.Policy.ResolverVersion),
		}
		f.Run = r.Run
		return f, nil
	}
	f.Collection, f.DocID = c.Open.Key.Collection, c.Open.Key.ID
	f.Reason = "it waits until every data node has all siblings, and the policy's value is shown meanwhile"
	if c.Open.Shown.Open {
		f.Reason = "it waits for a person, and the value shown stands in meanwhile"
	}
	if c.Open.Shown.Detail != "" {
		f.Reason += ": " + c.Open.Shown.Detail
	}
	f.openedBy(&c.Open.Shown)
	var err error
	f.Policy, err = v.policy(ctx, f.Collection)
	return f, err
}

// policy is what is in force for a collection.
func (v *conflictView) policy(ctx context.Context, name conflict.Collection) (conflictPolicy, error) {
	if p, ok := v.policies[name]; ok {
		return p, nil
	}
	info, err := v.s.engine.Collection(ctx, name)
	if err != nil {
		return conflictPolicy{}, err
	}
	p := conflictPolicy{Kind: info.Config.Policy.Kind, Resolver: known(info.Config.Policy.Resolver)}
	if stored, err := v.s.engine.ScriptOf(info.Config.Policy.Resolver); err == nil {
		p.ResolverVersion = known(stored.Version)
	}
	if info.Doc.Exists() {
		p.Version = known(info.Doc.Shown.Winner.Dot.String())
	}
	if v.policies != nil {
		v.policies[name] = p
	}
	return p, nil
}

// known makes JSON show null for an empty text.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// explain adds the lists.
func (f *conflictFacts) explain(c *node.Conflict) {
	f.Lost, f.Trace = []lostJSON{}, []traceJSON{}
	if c.Record == nil {
		return
	}
	for _, l := range c.Record.Lost {
		f.Lost = append(f.Lost, lostJSON{Dot: l.Dot, Path: l.Path, Value: l.Value, Delta: known(l.Delta), Change: known(l.Change)})
	}
	for _, t := range c.Record.Trace {
		f.Trace = append(f.Trace, traceJSON{Action: t.Action, Dot: t.Of, Who: t.Who, At: t.At})
	}
}

// appendFacts appends the facts without the closing brace: documents follow,
// whose bytes must stay as they are.
func appendFacts(b []byte, f *conflictFacts) []byte {
	text := mustJSON(f)
	return append(b, text[:len(text)-1]...)
}

// sidesOf lists the siblings by time and actor, the newest last. Those of a
// record come without bodies.
func sidesOf(c *node.Conflict) []side {
	var out []side
	if c.Record != nil {
		for _, r := range c.Record.Siblings {
			out = append(out, side{dot: r.Dot, time: r.Time, deleted: r.Deleted, hidden: r.Hidden, size: r.Size, clock: r.Clock})
		}
		return out
	}
	seen := c.Open.Live.Visible()
	for _, v := range oldestFirst(c.Open.Live) {
		out = append(out, side{
			dot: v.Dot, time: v.Time, deleted: v.Deleted, hidden: seen.Find(v.Dot) == nil,
			size: len(v.Body), clock: &v.Clock, body: v.Body,
		})
	}
	return out
}

// oldestFirst orders siblings by time and actor.
func oldestFirst(s conflict.Siblings) conflict.Siblings {
	return slices.SortedFunc(slices.Values(s), func(a, b *conflict.Version) int {
		if conflict.Newer(a, b) {
			return 1
		}
		return -1
	})
}

// readBodies reads what a record's siblings were, as far as it is still kept,
// up to maxSides bytes.
func (v *conflictView) readBodies(ctx context.Context, r *conflict.Record, sides []side) error {
	size := 0
	for i := range sides {
		if sides[i].deleted || size+sides[i].size > maxSides {
			continue
		}
		body, err := v.s.engine.Loser(ctx, r, sides[i].dot)
		if err != nil && node.KindOf(err) != node.NotFound {
			return err
		}
		sides[i].body = body
		size += len(body)
	}
	return nil
}

// appendSides appends siblings with their bodies, as long as these have at most
// limit bytes together.
func appendSides(b []byte, sides []side, limit int) []byte {
	b = append(b, '[')
	for i, one := range sides {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSide(b, &one)
		b = append(b, `,"clock":`...)
		b = appendClock(b, one.clock)
		if limit -= len(one.body); limit < 0 {
			one.body = nil
		}
		b = append(appendDoc(append(b, ','), one.body, one.body == nil), '}')
	}
	return append(b, ']')
}

// appendClock appends what a writer had seen: the vector, and behind it the dots
// beyond that where there are some; null where it is not on record.
func appendClock(b []byte, clock *vclock.Context) []byte {
	if clock == nil {
		return append(b, "null"...)
	}
	b = appendVector(b, clock.Vector())
	if clock.LooseLen() > 0 {
		b = appendLoose(append(b, `,"loose":`...), *clock)
	}
	return b
}

// appendSide appends what is said of a sibling everywhere, without the closing
// brace.
func appendSide(b []byte, one *side) []byte {
	b = appendText(append(b, `{"dot":`...), one.dot.String())
	b = appendText(append(b, `,"node":`...), one.dot.Actor.Node())
	b = appendText(append(b, `,"time":`...), one.time.String())
	b = strconv.AppendBool(append(b, `,"deleted":`...), one.deleted)
	b = strconv.AppendBool(append(b, `,"hidden":`...), one.hidden)
	return strconv.AppendInt(append(b, `,"size":`...), int64(one.size), 10)
}

// appendValue appends a value and the version that it is of; the zero dot is
// null: no one version has it.
func appendValue(b []byte, dot vclock.Dot, deleted bool, body []byte) []byte {
	b = append(b, `{"dot":`...)
	if dot.IsZero() {
		b = append(b, "null"...)
	} else {
		b = appendText(b, dot.String())
	}
	b = strconv.AppendBool(append(b, `,"deleted":`...), deleted)
	return append(appendDoc(append(b, ','), body, body == nil), '}')
}

// appendConflictShown appends the value that is shown of an open conflict, or
// was shown of one that has ended.
func appendConflictShown(b []byte, c *node.Conflict, sides []side) []byte {
	if c.Open != nil {
		var dot vclock.Dot
		if c.Open.Shown.Winner != nil {
			dot = c.Open.Shown.Winner.Dot
		}
		return appendValue(b, dot, c.Open.Shown.Deleted, c.Open.Shown.Body)
	}
	at := slices.IndexFunc(sides, func(one side) bool { return one.dot == c.Record.Shown })
	if at < 0 {
		return append(b, "null"...)
	}
	return appendValue(b, sides[at].dot, sides[at].deleted, sides[at].body)
}

// result is the value that ended a conflict: that of the version itself while it
// is live, else what is on record.
func (v *conflictView) result(ctx context.Context, c *node.Conflict, now *node.Document) ([]byte, error) {
	if c.Record == nil {
		return nil, nil
	}
	if live := now.Live.Find(c.Record.Result.Dot); live != nil {
		return live.Body, nil
	}
	return v.s.engine.RecordedResult(ctx, c.Record)
}

// appendResult appends the version that ended the conflict, with its value where
// that is known.
func appendResult(b []byte, c *node.Conflict, body []byte) []byte {
	if c.Record == nil {
		return append(b, "null"...)
	}
	return appendValue(b, c.Record.Result.Dot, c.Record.Result.Deleted, body)
}
