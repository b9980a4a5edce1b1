package conflict

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Reason says in one word why the value shown of a conflict only stands in.
type Reason string

// The reasons. The empty one is that of a value that does not stand in, and of
// the policy manual, which never has another.
const (
	// ReasonDeferred: the policy leaves the conflict to a person.
	ReasonDeferred Reason = "deferred"
	// ReasonFailed: the resolver fails on the conflict, on every node alike.
	ReasonFailed Reason = "resolver_failed"
	// ReasonFailedHere: this node alone has no result, since its worker was
	// killed or is not there. Such a node settles nothing of it (DESIGN 7).
	ReasonFailedHere Reason = "resolver_failed_here"
	// ReasonMissing: the policy names a resolver that this node does not have.
	ReasonMissing Reason = "resolver_missing"
)

// Verdict is what a resolver made of a conflict.
type Verdict string

// The verdicts.
const (
	VerdictValue  Verdict = "value"  // a document
	VerdictDelete Verdict = "delete" // the document is to be deleted
	VerdictDefer  Verdict = "defer"  // a person decides
	VerdictFailed Verdict = "failed" // Run.Failure says why
)

// Finding is the outcome of one run of a resolver. It is a function of the
// resolver's source and of the siblings, unless it is Local.
type Finding struct {
	Verdict Verdict
	Doc     []byte // of VerdictValue: a JSON object
	Local   bool   // of VerdictFailed: this node's failure alone, never a result
	Run     Run
}

// Reason is why the value of a conflict with this finding only stands in, empty
// when it does not.
func (f *Finding) Reason() Reason {
	switch {
	case f.Verdict == VerdictDefer:
		return ReasonDeferred
	case f.Verdict == VerdictFailed && f.Local:
		return ReasonFailedHere
	case f.Verdict == VerdictFailed:
		return ReasonFailed
	}
	return ""
}

// Run is what a run of a resolver left for the record.
type Run struct {
	Notes   []string   `json:"notes,omitempty"`
	Events  []RunEvent `json:"events,omitempty"`
	Steps   uint64     `json:"steps"`             // of the interpreter
	Output  string     `json:"output,omitempty"`  // what was printed
	Failure string     `json:"failure,omitempty"` // why it failed, with line and column where there is such a place
	More    int        `json:"more,omitempty"`    // notes, events and bytes of output that were left out
}

// RunEvent is a fact that a resolver left for the record.
type RunEvent struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Limits of what a record keeps of a run, in bytes. A resolver may leave more
// than a document holds; what is beyond is left out and counted.
const (
	MaxRunNotes  = 64 << 10
	MaxRunEvents = 256 << 10
	MaxRunOutput = 16 << 10
)

// Cut returns the run within the limits of a record.
func (r *Run) Cut() Run {
	out := Run{Steps: r.Steps, Failure: r.Failure, More: r.More}
	size := 0
	for i, note := range r.Notes {
		if size += len(note); size > MaxRunNotes {
			out.More += len(r.Notes) - i
			break
		}
		out.Notes = append(out.Notes, note)
	}
	size = 0
	for i, e := range r.Events {
		if size += len(e.Name) + len(e.Data); size > MaxRunEvents {
			out.More += len(r.Events) - i
			break
		}
		out.Events = append(out.Events, e)
	}
	out.Output = r.Output
	if len(r.Output) > MaxRunOutput {
		out.Output = strings.ToValidUTF8(r.Output[:MaxRunOutput], "")
		out.More += len(r.Output) - len(out.Output)
	}
	return out
}

// Size is about how many bytes a finding takes in memory.
func (f *Finding) Size() int {
	n := findingOverhead + len(f.Doc) + len(f.Run.Output) + len(f.Run.Failure)
	for _, note := range f.Run.Notes {
		n += len(note)
	}
	for _, e := range f.Run.Events {
		n += len(e.Name) + len(e.Data)
	}
	return n
}

// findingOverhead is about what a finding takes in a cache beside its texts, in
// bytes: its key, its place, and the slices' heads.
const findingOverhead = 384

// MaxResolver is the longest name of a resolver, in bytes.
const MaxResolver = 64

// ParseResolver reads the name of a resolver: [a-z0-9][a-z0-9_-]{0,63}.
func ParseResolver(s string) (string, error) {
	c, err := ParseCollection(s)
	if err != nil || c.IsSystem() {
		return "", fmt.Errorf("resolver name %.80q: want 1 to %d small letters and digits, and from the second on underscores and hyphens", s, MaxResolver)
	}
	return s, nil
}

// scriptVersionDigits is the length of a resolver's version: 64 bits.
const scriptVersionDigits = 16

// ScriptVersion is the name of a resolver's source: the first 16 hexadecimal
// digits of its SHA-256. The content names it, so that an older source that is
// stored again has its old name.
func ScriptVersion(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])[:scriptVersionDigits]
}
