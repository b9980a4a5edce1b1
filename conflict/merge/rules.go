package merge

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rule says what becomes of a member that several siblings have changed.
type Rule string

// The rules. What cannot be done to a value, such as a sum of texts, is decided
// by LWW for that member, and said.
const (
	LWW      Rule = "lww"       // the value of the newest sibling by (time, actor)
	Max      Rule = "max"       // the largest number
	Min      Rule = "min"       // the smallest number
	Sum      Rule = "sum"       // what every write added, once each
	Union    Rule = "union"     // arrays as sets: what anybody added and nobody took out, each value once
	Concat   Rule = "concat"    // arrays as logs: what anybody added and nobody took out, in the order of adding
	KeepBoth Rule = "keep_both" // an array of the values, oldest first
)

// Limits of Rules.
const (
	// MaxRules is the most paths that have a rule.
	MaxRules = 64
	// MaxSums is the most paths with the rule sum.
	MaxSums = 16
	// MaxSteps is the most steps of a path.
	MaxSteps = 16
)

// Rules are a collection's rules. A member without one has the default's. The
// unit of merging is a member of the document, taken whole, arrays too; an object
// is split into its members only where a rule names a path inside of it.
type Rules struct {
	of      map[string]Rule
	rest    Rule
	sums    []string        // sorted
	split   map[string]bool // objects inside of which a rule names a path; "" is the document
	outline outline
}

// outline names what lineages depend on: which paths are summed, which arrays are
// merged by elements, and which objects are split. Two versions with other outlines cannot be merged.
type outline [8]byte

// ParseRules reads {"/path": "rule", …}, or nothing, and the name of the default
// rule, or nothing for lww. An error names the path.
func ParseRules(object json.RawMessage, byDefault string) (*Rules, error) {
	r := &Rules{of: map[string]Rule{}, rest: LWW, split: map[string]bool{"": true}}
	if byDefault != "" {
		r.rest = Rule(byDefault)
	}
	if !r.rest.known() || r.rest == Sum {
		return nil, fmt.Errorf("default: %q is none of lww, max, min, union, concat and keep_both", byDefault)
	}
	if len(object) > 0 {
		var texts map[string]Rule
		if err := json.Unmarshal(object, &texts); err != nil {
			return nil, errors.New(`rules: want an object of JSON pointers and rules, such as {"/balance": "sum"}`)
		}
		r.of = texts
	}
	if len(r.of) > MaxRules {
		return nil, fmt.Errorf("rules: %d paths: at most %d", len(r.of), MaxRules)
	}
	for path, rule := range r.of {
		if err := r.add(path, rule); err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
	}
	for path := range r.of {
		if r.split[path] {
			return nil, fmt.Errorf("rules: %q is taken apart by a rule for a path inside of it: leave out one of them", path)
		}
	}
	if len(r.sums) > MaxSums {
		return nil, fmt.Errorf("rules: %d paths with the rule sum: at most %d", len(r.sums), MaxSums)
	}
	r.sketch()
	return r, nil
}

func (r Rule) known() bool {
	return slices.Contains([]Rule{LWW, Max, Min, Sum, Union, Concat, KeepBoth}, r)
}

// byElements says whether arrays are merged element by element.
func (r Rule) byElements() bool { return r == Union || r == Concat }

// add notes one rule.
func (r *Rules) add(path string, rule Rule) error {
	if !rule.known() {
		return fmt.Errorf("%q: %q is none of lww, max, min, sum, union, concat and keep_both", path, rule)
	}
	if !strings.HasPrefix(path, "/") || strings.Contains(noTilde.Replace(path), "~") {
		return fmt.Errorf("%q is no JSON pointer to a member: want / before each step, and ~ only in ~0 and ~1", path)
	}
	if strings.Count(path, "/") > MaxSteps {
		return fmt.Errorf("%q has %d steps: at most %d", path, strings.Count(path, "/"), MaxSteps)
	}
	if rule == Sum {
		r.sums = append(r.sums, path)
	}
	for at := strings.LastIndex(path, "/"); at > 0; at = strings.LastIndex(path[:at], "/") {
		r.split[path[:at]] = true
	}
	return nil
}

// sketch computes the outline.
func (r *Rules) sketch() {
	slices.Sort(r.sums)
	lines := []string{"syncline merge 1", fmt.Sprint("elements ", r.rest.byElements())}
	for path, rule := range r.of {
		if rule == Sum || rule.byElements() != r.rest.byElements() {
			lines = append(lines, fmt.Sprint("path ", path, rule == Sum, rule.byElements()))
		}
	}
	for path := range r.split {
		lines = append(lines, "split "+path)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	r.outline = outline(sum[:len(r.outline)])
}

// rule returns the rule of a path.
func (r *Rules) rule(path string) Rule {
	if rule, ok := r.of[path]; ok {
		return rule
	}
	return r.rest
}

// Step is a member's name as a step of a JSON pointer.
func Step(name string) string { return toStep.Replace(name) }

var (
	toStep   = strings.NewReplacer("~", "~0", "/", "~1")
	fromStep = strings.NewReplacer("~1", "/", "~0", "~")
	noTilde  = strings.NewReplacer("~0", "", "~1", "") // what is left of a sound step has no ~
)
