package script

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
)

// Verdict is what came out of a call of resolve.
type Verdict string

// The verdicts.
const (
	Value  Verdict = "value"  // Doc is the document
	Delete Verdict = "delete" // the document is deleted
	Defer  Verdict = "defer"  // a person decides
	Failed Verdict = "failed" // Failure says why; the conflict is deferred
)

// Result is what a call of resolve gave. It is a function of script and
// conflict, unless its failure is Local.
type Result struct {
	Verdict Verdict
	Doc     []byte   // of Value: a JSON object within the conflict's MaxBody
	Notes   []string // empty when failed
	Events  []Event  // empty when failed
	Output  string   // what was printed, also when failed: at most MaxOutput bytes of UTF-8
	Steps   uint64   // of the interpreter, without the script's top level
	Failure *Failure // of Failed
}

// Event is a fact that a script left for the record.
type Event struct {
	Name string // [a-z][a-z0-9_]*, at most MaxEventName bytes
	Data []byte // a JSON value of at most MaxEventData bytes
}

// Kind says in one word why a call failed.
type Kind string

// The kinds of failures. The first ones are the same on every node.
const (
	KindError     Kind = "error"      // the script failed at a line
	KindSteps     Kind = "steps"      // more than MaxSteps steps
	KindOutput    Kind = "output"     // more output, notes or events than allowed
	KindBadResult Kind = "bad_result" // neither object, DELETE nor DEFER, or too big
	KindInput     Kind = "input"      // the conflict itself is beyond the limits

	KindMemory Kind = "memory" // the worker ran out of its address space or stack
	KindTime   Kind = "time"   // the worker was killed after its processor time
	KindKilled Kind = "killed" // the worker died for another reason
)

// Local says whether the failure is this node's alone: another node may have a
// result for the same conflict.
func (k Kind) Local() bool { return k == KindMemory || k == KindTime || k == KindKilled }

// Failure says why a call failed.
type Failure struct {
	Kind      Kind    `json:"kind"`
	Msg       string  `json:"msg"`                 // at most MaxMessage bytes
	Line      int     `json:"line,omitempty"`      // from 1; 0 when there is no place
	Column    int     `json:"column,omitempty"`    // from 1
	Backtrace []Frame `json:"backtrace,omitempty"` // the innermost last, at most MaxFrames
}

// Frame is one active call of a script's function.
type Frame struct {
	Function string `json:"function"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
}

// String shows kind, place and message.
func (f *Failure) String() string {
	if f.Line == 0 {
		return string(f.Kind) + ": " + f.Msg
	}
	return fmt.Sprintf("%s at %d:%d: %s", f.Kind, f.Line, f.Column, f.Msg)
}

func failure(kind Kind, format string, args ...any) *Failure {
	return &Failure{Kind: kind, Msg: cut(fmt.Sprintf(format, args...), MaxMessage)}
}

// failed is the result that a failure makes before anything ran.
func failed(f *Failure) *Result { return &Result{Verdict: Failed, Failure: f} }

// runFailure turns an error of the interpreter into a failure with its place.
func runFailure(kind Kind, err error) *Failure {
	f := failure(kind, "%s", strings.TrimPrefix(err.Error(), "fail: "))
	e, ok := errors.AsType[*starlark.EvalError](err)
	if !ok {
		return f
	}
	for _, call := range e.CallStack {
		if call.Pos.Line > 0 { // built-in functions have no place
			f.Backtrace = append(f.Backtrace, Frame{cut(call.Name, MaxEventName), int(call.Pos.Line), int(call.Pos.Col)})
		}
	}
	if n := len(f.Backtrace); n > 0 {
		f.Backtrace = f.Backtrace[max(0, n-MaxFrames):]
		last := f.Backtrace[len(f.Backtrace)-1]
		f.Line, f.Column = last.Line, last.Column
	}
	return f
}
