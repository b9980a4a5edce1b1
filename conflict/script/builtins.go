package script

import (
	"errors"
	"fmt"
	"strings"

	starlarkjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// outcome is the type of DELETE and DEFER.
type outcome string

const (
	deleteOutcome outcome = "DELETE"
	deferOutcome  outcome = "DEFER"
)

// String implements starlark.Value.
func (o outcome) String() string { return string(o) }

// Type implements starlark.Value.
func (outcome) Type() string { return "outcome" }

// Freeze implements starlark.Value.
func (outcome) Freeze() {}

// Truth implements starlark.Value.
func (outcome) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (o outcome) Hash() (uint32, error) { return starlark.String(o).Hash() }

// predeclared is everything that a script has beside Starlark's own names.
func predeclared() starlark.StringDict {
	names := starlark.StringDict{
		"json":                starlarkjson.Module,
		string(deleteOutcome): deleteOutcome,
		string(deferOutcome):  deferOutcome,
	}
	for name, fn := range map[string]builtin{
		"note": (*run).note, "event": (*run).event,
		"conflict": (*run).buildConflict, "sibling": (*run).buildSibling,
		"assert_eq": (*run).assertEq, "notes": (*run).listNotes, "events": (*run).listEvents,
	} {
		names[name] = starlark.NewBuiltin(name, fn.call)
	}
	return names
}

// builtin is a function that scripts call, on the run at hand.
type builtin func(r *run, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

func (fn builtin) call(t *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	r, ok := t.Local(runKey).(*run)
	if !ok {
		return nil, fmt.Errorf("%s: not at the top level of a script", b.Name())
	}
	return fn(r, args, kwargs)
}

// runKey is where a thread of the interpreter keeps its run.
const runKey = "run"

// run is what one call of a script's function gathers. The top level of a
// script has none.
type run struct {
	in      *inputs
	test    bool // a test_ function
	output  strings.Builder
	notes   []string
	events  []Event
	samples []*Conflict
	sampled int      // bytes of samples
	broken  *Failure // the limit that ended the run
}

func newRun() *run { return &run{in: newInputs()} }

// print keeps what a script prints. Beyond the limit it ends the run.
func (r *run) print(t *starlark.Thread, msg string) {
	room := MaxOutput - r.output.Len()
	fits := len(msg) < room
	if !fits {
		msg = msg[:max(room-1, 0)]
	}
	msg = strings.ToValidUTF8(msg, "?") // not longer than what it replaces
	if room > 0 {
		r.output.WriteString(msg + "\n")
	}
	if !fits {
		r.breakOff(t, failure(KindOutput, "more than %d bytes printed", MaxOutput))
	}
}

// breakOff ends the run at the next step, for a broken limit.
func (r *run) breakOff(t *starlark.Thread, f *Failure) {
	if r.broken == nil {
		r.broken = f
	}
	t.Cancel(f.Msg)
}

// refuse ends the run by an error at the present line, for a broken limit.
func (r *run) refuse(format string, args ...any) error {
	r.broken = failure(KindOutput, format, args...)
	return errors.New(r.broken.Msg)
}

func (r *run) note(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs("note", args, kwargs, "text", &text); err != nil {
		return nil, err
	}
	switch {
	case len(r.notes) == MaxNotes:
		return nil, r.refuse("more than %d notes", MaxNotes)
	case len(text) > MaxNote:
		return nil, r.refuse("a note of %d bytes, %d are allowed", len(text), MaxNote)
	}
	r.notes = append(r.notes, strings.ToValidUTF8(text, "?"))
	return starlark.None, nil
}

// event keeps its data as it is now: what the script does to it later does not
// change the record.
func (r *run) event(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	var data starlark.Value = starlark.None
	if err := starlark.UnpackArgs("event", args, kwargs, "name", &name, "data?", &data); err != nil {
		return nil, err
	}
	switch {
	case !isEventName(name):
		return nil, fmt.Errorf("event: the name %.80q: want a small letter, then small letters, digits and underscores, at most %d", name, MaxEventName)
	case len(r.events) == MaxEvents:
		return nil, r.refuse("more than %d events", MaxEvents)
	}
	text, err := r.in.encode(data, MaxEventData)
	if err != nil {
		return nil, fmt.Errorf("event: the data: %w", err)
	}
	r.events = append(r.events, Event{name, text})
	return starlark.None, nil
}

func isEventName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= MaxEventName
}
