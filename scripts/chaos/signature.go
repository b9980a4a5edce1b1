package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
)

// param is one parameter of a function of scripts.
type param struct {
	name     string
	kind     kind
	optional bool
	missing  string // what the error says beside the name when it is missing
}

// function is one function of scripts.
type function struct {
	name   string
	params []param
	many   bool    // the last parameter may be given several times, by position only
	needs  Ability // empty: every cluster can do it
	do     func(*run, *arguments) (starlark.Value, error)
}

// lasts is the parameter that every fault has.
func lasts() param {
	return param{name: "lasts", kind: aSpan, missing: `every fault has an end: lasts="10s"`}
}

// optional makes a parameter that may be left out.
func optional(name string, k kind) param { return param{name: name, kind: k, optional: true} }

func required(name string, k kind) param { return param{name: name, kind: k} }

// functions is the table of what scripts can call, but for cluster, which is read
// and not called.
func functions() []function {
	return slices.Concat(faultFunctions(), processFunctions(), documentFunctions(), pastFunctions(), questionFunctions(), runFunctions())
}

// arguments are those of one call, checked.
type arguments struct {
	fn     *function
	at     position
	values map[string]starlark.Value
	rest   []string // of the parameter that may be given several times
}

// position is where a call stands.
type position struct {
	file string
	line int
	col  int
}

func (p position) String() string { return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.col) }

func (a *arguments) has(name string) bool { return a.values[name] != nil }

func (a *arguments) text(name string) string {
	text, _ := starlark.AsString(a.or(name, starlark.String("")))
	return text
}

func (a *arguments) bool(name string) bool { return bool(a.or(name, starlark.False).Truth()) }

func (a *arguments) or(name string, fallback starlark.Value) starlark.Value {
	if v := a.values[name]; v != nil {
		return v
	}
	return fallback
}

func (a *arguments) count(name string, fallback int) int {
	n, err := starlark.AsInt32(a.or(name, starlark.MakeInt(fallback)))
	if err != nil {
		return fallback
	}
	return n
}

func (a *arguments) number(name string, fallback float64) float64 {
	n, _ := starlark.AsFloat(a.or(name, starlark.Float(fallback)))
	return n
}

func (a *arguments) names(name string) []string { return names(a.values[name]) }

// span is a duration that was checked.
func (a *arguments) span(name string, fallback time.Duration) time.Duration {
	text := a.text(name)
	if text == "" {
		return fallback
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return fallback
	}
	return d
}

// place says which parameter the i-th positional argument is for, -1 for none.
func (f *function) place(i int) int {
	if i < len(f.params) {
		return i
	}
	if f.many {
		return len(f.params) - 1
	}
	return -1
}

func (f *function) find(name string) int {
	return slices.IndexFunc(f.params, func(p param) bool { return p.name == name })
}

// signature is the function as it is called, for errors.
func (f *function) signature() string {
	var out []string
	for i, p := range f.params {
		switch {
		case f.many && i == len(f.params)-1:
			out = append(out, p.name+"...")
		case p.optional:
			out = append(out, p.name+"=…")
		default:
			out = append(out, p.name)
		}
	}
	return f.name + "(" + strings.Join(out, ", ") + ")"
}

func (f *function) tooMany() error {
	return fmt.Errorf("%s: too many arguments: %s", f.name, f.signature())
}

func (f *function) unknownName(name string) error {
	return fmt.Errorf("%s: no argument %q: %s", f.name, name, f.signature())
}

// lack says which parameter is missing.
func (f *function) lack(given func(name string) bool) error {
	for _, p := range f.params {
		if !p.optional && !given(p.name) {
			text := f.signature()
			if p.missing != "" {
				text = p.missing
			}
			return fmt.Errorf("%s: %s is missing: %s", f.name, p.name, text)
		}
	}
	return nil
}

// checkOne holds one value against its parameter.
func (f *function) checkOne(i int, v starlark.Value, spec *Spec) error {
	if f.params[i].optional && v == starlark.None {
		return nil
	}
	if err := f.params[i].kind.check(v, spec); err != nil {
		return fmt.Errorf("%s: %s: %w", f.name, f.params[i].name, err)
	}
	return nil
}

// unpack checks the arguments of a call.
func (f *function) unpack(args starlark.Tuple, kwargs []starlark.Tuple, spec *Spec) (*arguments, error) {
	out := &arguments{fn: f, values: map[string]starlark.Value{}}
	set := func(i int, v starlark.Value) error {
		if err := f.checkOne(i, v, spec); err != nil {
			return err
		}
		p := f.params[i]
		if f.many && i == len(f.params)-1 {
			text, _ := starlark.AsString(v)
			out.rest = append(out.rest, text)
		} else if out.has(p.name) {
			return fmt.Errorf("%s: %s is given twice", f.name, p.name)
		}
		if v != starlark.None {
			out.values[p.name] = v
		}
		return nil
	}
	for n, v := range args {
		i := f.place(n)
		if i < 0 {
			return nil, f.tooMany()
		}
		if err := set(i, v); err != nil {
			return nil, err
		}
	}
	for _, pair := range kwargs {
		name, _ := starlark.AsString(pair[0])
		i := f.find(name)
		if i < 0 {
			return nil, f.unknownName(name)
		}
		if err := set(i, pair[1]); err != nil {
			return nil, err
		}
	}
	return out, f.lack(out.has)
}
