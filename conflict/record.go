package conflict

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/syncline/syncline/conflict/merge"
	"github.com/syncline/syncline/vclock"
)

// ID names a conflict: a document and the set of its siblings. It is the same
// on every node, and the name of the record: 26 digits of base32.
func (s Siblings) ID() string { return s.SettlementID().ConflictID() }

// ConflictID is the id of the conflict that a settlement with this id ended.
func (id WriteID) ConflictID() string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:]))
}

// SettlementID names the settlement of a set, whoever makes it.
func (s Siblings) SettlementID() WriteID {
	b := []byte("syncline conflict 1\n")
	b = appendString(b, string(s[0].Key.Collection))
	b = appendString(b, string(s[0].Key.ID))
	for _, v := range s {
		b = appendString(b, v.Dot.String())
	}
	sum := sha256.Sum256(b)
	return WriteID(sum[:WriteIDSize])
}

// Decider says how a conflict came to its end.
type Decider string

// The deciders.
const (
	ByPolicy    Decider = "policy"      // settled by the collection's policy
	ByScript    Decider = "script"      // settled by a resolver
	ByPerson    Decider = "person"      // somebody chose
	Overwritten Decider = "overwritten" // a write that had seen all siblings ended it
)

// Record is what is kept of a conflict that has ended, as a document of the
// system's own. The bodies of its siblings are documents beside it.
type Record struct {
	ID         string          `json:"id"`
	Collection Collection      `json:"collection"`
	DocID      DocID           `json:"doc_id"`
	By         Decider         `json:"by"`
	Who        string          `json:"who"`
	At         vclock.Time     `json:"at"`
	Policy     RecordPolicy    `json:"policy"`
	Siblings   []RecordSibling `json:"siblings"` // as the policy orders them: by time and actor
	Shown      vclock.Dot      `json:"shown"`    // the sibling whose value was shown before
	Result     RecordResult    `json:"result"`
	Reason     string          `json:"reason"`
	Run        *Run            `json:"run,omitempty"` // of the resolver that was asked, also where a stand-in was shown
	Lost       []Lost          `json:"lost"`
	// Base says that a document beside the record has the base, BaseExact that it
	// is what all siblings have in common; Sums are what all writes together made
	// of each number that is added up (PROTOCOL D10).
	Base      bool              `json:"base,omitempty"`
	BaseExact bool              `json:"base_exact,omitempty"`
	Sums      map[string]string `json:"sums,omitempty"`
	LostMore  int               `json:"lost_more,omitempty"` // how many more than MaxLost there are
	Reviewed  bool              `json:"reviewed"`
	Episode   string            `json:"episode,omitempty"` // the id of the first record of its group; "": it is in none
	Trace     []TraceStep       `json:"trace"`             // what people did with it since
}

// RecordPolicy is the policy that was in force.
type RecordPolicy struct {
	Kind    PolicyKind `json:"kind"`
	Version string     `json:"version"` // the dot of the configuration; "" for none
	// Resolver and ResolverVersion are of a policy "script", or of the resolver
	// that a person took; "" for none.
	Resolver        string `json:"resolver,omitempty"`
	ResolverVersion string `json:"resolver_version,omitempty"`
}

// RecordSibling is one live version of the conflict.
type RecordSibling struct {
	Dot     vclock.Dot  `json:"dot"`
	Node    string      `json:"node"`
	Time    vclock.Time `json:"time"`
	Deleted bool        `json:"deleted"`
	Size    int         `json:"size"`             // bytes of its body
	Hidden  bool        `json:"hidden,omitempty"` // another attempt of a write that is there too
	// Clock is what its writer had seen of the document; nil on records of a time
	// when it was not noted.
	Clock *vclock.Context `json:"clock,omitempty"`
}

// RecordResult is the version that ended the conflict.
type RecordResult struct {
	Dot     vclock.Dot  `json:"dot"`
	Deleted bool        `json:"deleted"`
	As      *vclock.Dot `json:"as,omitempty"` // the sibling whose very bytes it has; nil: none has them
}

// Lost is a member of a sibling that the result does not have as it was.
type Lost struct {
	Dot   vclock.Dot      `json:"dot"`             // of the sibling
	Path  string          `json:"path"`            // JSON pointer; "" is the whole document
	Value json.RawMessage `json:"value"`           // null where the sibling lacks the member, or is a tombstone
	Delta string          `json:"delta,omitempty"` // for numbers: the sibling's less the result's, exactly
	// Change is, for numbers, the sibling's less the base's, where that is known
	// for certain: what its writer had added.
	Change string `json:"change,omitempty"`
}

// TraceStep is what somebody did with a record.
type TraceStep struct {
	Action string      `json:"action"` // restore, revert, review
	Of     *vclock.Dot `json:"of,omitempty"`
	Who    string      `json:"who"`
	At     vclock.Time `json:"at"`
}

// Limits of a record.
const (
	// MaxLost is the most members that a record lists as lost; how many more
	// there are is counted.
	MaxLost = 200
	// MaxLostValue is the longest value that is listed, in bytes: longer ones are
	// in the sibling's body.
	MaxLostValue = 1024
	// MaxTrace is how many of the last steps a record keeps.
	MaxTrace = 100
)

// NewRecord describes the end of a conflict: siblings that were covered, by a
// version, under a policy that has shown one of them.
func NewRecord(s Siblings, by *Version, shown Shown) Record {
	r := Record{
		ID: s.ID(), Collection: by.Key.Collection, DocID: by.Key.ID, At: by.Time,
		Result: RecordResult{Dot: by.Dot, Deleted: by.Deleted}, Lost: []Lost{}, Trace: []TraceStep{},
	}
	if shown.Winner != nil {
		r.Shown = shown.Winner.Dot
	}
	ordered := slices.Clone(s)
	slices.SortFunc(ordered, func(a, b *Version) int {
		if Newer(a, b) {
			return 1
		}
		return -1
	})
	seen := s.Visible()
	lossy := func(string) bool { return true }
	if shown.Merged > 0 && bytes.Equal(shown.Body, by.Body) {
		lossy = shown.lossy
	}
	for _, v := range ordered {
		hidden := seen.Find(v.Dot) == nil
		r.Siblings = append(r.Siblings, RecordSibling{
			Dot: v.Dot, Node: v.Dot.Actor.Node(), Time: v.Time, Deleted: v.Deleted, Size: len(v.Body), Hidden: hidden, Clock: &v.Clock,
		})
		if !hidden {
			r.lose(v, by, lossy)
		}
	}
	return r
}

// lossy says whether a merge has dropped a value at a path: only of a member that
// several siblings had changed, and that cannot be put together from what they
// made of it. Else the value is in what the merge made, or somebody who had seen
// it wrote another.
func (s *Shown) lossy(path string) bool {
	return slices.ContainsFunc(s.Decided, func(d merge.Decided) bool {
		return !d.Together() && (d.Path == path || strings.HasPrefix(path, d.Path+"/") || strings.HasPrefix(d.Path, path+"/"))
	})
}

// lose notes what of a sibling is not in the result.
func (r *Record) lose(v, by *Version, lossy func(path string) bool) {
	if v.Deleted || by.Deleted {
		if v.Deleted != by.Deleted {
			r.note(Lost{Dot: v.Dot, Value: short(v.Body)})
		}
		return
	}
	for _, d := range differences("", v.Body, by.Body) {
		if d.Dot = v.Dot; lossy(d.Path) {
			r.note(d)
		}
	}
}

func (r *Record) note(l Lost) {
	if len(r.Lost) == MaxLost {
		r.LostMore++
		return
	}
	r.Lost = append(r.Lost, l)
}

// differences lists where two values differ, member by member, in the order of
// the members' names; arrays are compared whole.
func differences(path string, a, b json.RawMessage) []Lost {
	if bytes.Equal(a, b) {
		return nil
	}
	x, isObject := members(a)
	y, alsoObject := members(b)
	if !isObject || !alsoObject {
		if equalValues(a, b) {
			return nil
		}
		return []Lost{{Path: path, Value: short(a), Delta: delta(a, b)}}
	}
	names := slices.Collect(maps.Keys(x))
	for name := range y {
		if _, ok := x[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []Lost
	for _, name := range names {
		out = append(out, differences(path+"/"+merge.Step(name), x[name], y[name])...)
	}
	return out
}

// members reads an object.
func members(value json.RawMessage) (map[string]json.RawMessage, bool) {
	if len(value) == 0 || bytes.TrimLeft(value, " \t\r\n")[0] != '{' {
		return nil, false
	}
	var m map[string]json.RawMessage
	return m, json.Unmarshal(value, &m) == nil
}

// equalValues says whether two values differ only in their blanks.
func equalValues(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// short is a value for a record: null for none and for one that is too long.
func short(value []byte) json.RawMessage {
	var b bytes.Buffer
	if len(value) == 0 || len(value) > MaxLostValue || json.Compact(&b, value) != nil {
		return json.RawMessage("null")
	}
	return b.Bytes()
}

// maxDeltaText is the longest number whose difference is computed, in bytes.
const maxDeltaText = 400

// delta is a minus b in decimals, exactly, or "" when one is no number.
func delta(a, b json.RawMessage) string {
	x, okA := number(a)
	y, okB := number(b)
	if !okA || !okB {
		return ""
	}
	return decimal(x.Sub(x, y))
}

func number(value json.RawMessage) (*big.Rat, bool) {
	text := strings.TrimSpace(string(value))
	if text == "" || len(text) > maxDeltaText || strings.Trim(text, "0123456789+-.eE") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// decimal writes a number that has a finite decimal form.
func decimal(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

// Measure holds what was lost against what the siblings come from.
func (r *Record) Measure(base merge.Base) {
	if !base.Exact || base.Body == nil {
		return
	}
	for i := range r.Lost {
		if l := &r.Lost[i]; l.Path != "" {
			l.Change = delta(l.Value, valueAt(base.Body, l.Path))
		}
	}
}

// valueAt is the value of a JSON pointer in a document, nil where there is none.
func valueAt(value json.RawMessage, path string) json.RawMessage {
	steps, err := parsePointer(path)
	if err != nil {
		return nil
	}
	for _, step := range steps {
		m, ok := members(value)
		if !ok {
			return nil
		}
		value = m[step]
	}
	return value
}

// Add notes what somebody did.
func (r *Record) Add(s TraceStep) {
	r.Trace = append(r.Trace, s)
	if len(r.Trace) > MaxTrace {
		r.Trace = r.Trace[len(r.Trace)-MaxTrace:]
	}
}

// BodyID names the document that holds a sibling's body.
func (r *Record) BodyID(d vclock.Dot) DocID { return DocID(fmt.Sprintf("%s.%s", r.ID, d)) }

// BaseID names the document that holds the base.
func (r *Record) BaseID() DocID { return DocID(r.ID + ".base") }

// Has says whether a dot is one of the siblings.
func (r *Record) Has(d vclock.Dot) bool {
	return slices.ContainsFunc(r.Siblings, func(s RecordSibling) bool { return s.Dot == d })
}
