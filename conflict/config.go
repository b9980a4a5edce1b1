package conflict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/syncline/syncline/conflict/merge"
)

// Config is the configuration of a collection. It is a document like any other,
// so it replicates, and its version is part of all that it decides.
type Config struct {
	Policy         PolicyConfig `json:"policy"`
	Ack            string       `json:"ack"`             // who must have a write before it is answered
	Minority       Minority     `json:"minority"`        // what a node without a majority does with writes
	RequireContext bool         `json:"require_context"` // no write without If-Match or Causal-Context
	Delete         DeletePolicy `json:"delete"`          // a delete beside an update
	History        Retention    `json:"history"`         // how long covered versions are kept
	Records        Retention    `json:"records"`         // how long records of conflicts are kept
	Limits         Limits       `json:"limits"`
}

// PolicyConfig says how conflicts of a collection are shown.
type PolicyConfig struct {
	Kind PolicyKind `json:"kind"`
	Path string     `json:"path,omitempty"` // lww: the JSON pointer of a number; the largest is shown
	// Rules and Default are of merge; other policies use those with sum, and lww
	// keeps what a merge or a script would need only where there are some.
	Rules    json.RawMessage `json:"rules,omitempty"`
	Default  string          `json:"default,omitempty"`
	Resolver string          `json:"resolver,omitempty"` // of script
}

// PolicyKind names a policy.
type PolicyKind string

// The policies (DESIGN 7).
const (
	KindLWW    PolicyKind = "lww"
	KindMerge  PolicyKind = "merge"
	KindScript PolicyKind = "script"
	KindManual PolicyKind = "manual"
)

// Minority says what a node without a majority of votes does with writes.
type Minority string

// The choices: a collection whose conflicts resolve well may go on everywhere.
const (
	MinorityRefuse Minority = "refuse"
	MinorityAccept Minority = "accept"
)

// DeletePolicy says what is shown of a delete beside an update that did not see
// it.
type DeletePolicy string

// The delete policies.
const (
	DeleteLWW  DeletePolicy = "lww"
	UpdateWins DeletePolicy = "update_wins"
	DeleteWins DeletePolicy = "delete_wins"
)

// Limits are a collection's own.
type Limits struct {
	Body int `json:"body"` // the longest body of a document, in bytes
}

// Retention is how long something is kept; Forever is longer than all others.
type Retention time.Duration

// Forever keeps for ever.
const Forever Retention = 1<<63 - 1

// DefaultRecords is how long records of conflicts are kept.
const DefaultRecords = Retention(30 * 24 * time.Hour)

// forever is the text of Forever.
const forever = "forever"

// MarshalText implements encoding.TextMarshaler: Go's form of a duration, or
// "forever".
func (r Retention) MarshalText() ([]byte, error) {
	if r == Forever {
		return []byte(forever), nil
	}
	text := time.Duration(r).String() // 720h0m0s
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return []byte(text), nil
}

// UnmarshalText reads what MarshalText writes.
func (r *Retention) UnmarshalText(text []byte) error {
	if string(text) == forever {
		*r = Forever
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time to keep something: want for example \"0s\", \"720h\" or %q", text, forever)
	}
	*r = Retention(d)
	return nil
}

// ConfigLimits are what a configuration may ask for, at most.
type ConfigLimits struct {
	DefaultBody, MaxBody int // bytes
}

// DefaultConfig is that of a collection of which nobody has said anything.
func DefaultConfig(l ConfigLimits) Config {
	return Config{
		Policy: PolicyConfig{Kind: KindLWW}, Ack: "local", Minority: MinorityRefuse, Delete: DeleteLWW,
		Records: DefaultRecords, Limits: Limits{Body: l.DefaultBody},
	}
}

// ErrPolicyNotBuilt says that a configuration asks for what this build cannot do.
var ErrPolicyNotBuilt = errors.New("this build does not have it yet")

// ParseConfig reads a configuration. What it does not say has its default; what
// nobody knows is an error that names it.
func ParseConfig(text []byte, l ConfigLimits) (Config, error) {
	c := DefaultConfig(l)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("configuration: more than one value")
	}
	return c, c.check(l)
}

func (c *Config) check(l ConfigLimits) error {
	if err := c.Policy.check(); err != nil {
		return err
	}
	switch c.Delete {
	case DeleteLWW, UpdateWins, DeleteWins:
	default:
		return fmt.Errorf("delete: %q is none of %s, %s and %s", c.Delete, DeleteLWW, UpdateWins, DeleteWins)
	}
	switch c.Ack {
	case "local":
	case "majority", "all":
		return fmt.Errorf("ack %q: %w", c.Ack, ErrPolicyNotBuilt)
	default:
		return fmt.Errorf("ack: %q is none of local, majority and all", c.Ack)
	}
	switch c.Minority {
	case MinorityRefuse, MinorityAccept:
	default:
		return fmt.Errorf("minority: %q is neither %s nor %s", c.Minority, MinorityRefuse, MinorityAccept)
	}
	if c.Limits.Body < 1 || c.Limits.Body > l.MaxBody {
		return fmt.Errorf("limits.body: %d bytes: want 1 to %d", c.Limits.Body, l.MaxBody)
	}
	return nil
}

func (p *PolicyConfig) check() error {
	switch p.Kind {
	case KindLWW, KindManual, KindMerge:
	case KindScript:
		if err := p.checkResolver(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("policy.kind: %q is none of %s, %s, %s and %s", p.Kind, KindLWW, KindMerge, KindScript, KindManual)
	}
	for name, wrong := range map[string]bool{
		"path": p.Path != "" && p.Kind != KindLWW, "default": p.Default != "" && p.Kind != KindMerge,
		"resolver": p.Resolver != "" && p.Kind != KindScript,
	} {
		if wrong {
			return fmt.Errorf("policy.%s: the policy %s has none", name, p.Kind)
		}
	}
	if _, err := parsePointer(p.Path); err != nil {
		return fmt.Errorf("policy.path: %w", err)
	}
	if _, err := merge.ParseRules(p.Rules, p.Default); err != nil {
		return fmt.Errorf("policy.%w", err)
	}
	return nil
}

// checkResolver: the policy "script" names a resolver.
func (p *PolicyConfig) checkResolver() error {
	if p.Resolver == "" {
		return fmt.Errorf("policy.resolver: the policy %s names a resolver", p.Kind)
	}
	if _, err := ParseResolver(p.Resolver); err != nil {
		return fmt.Errorf("policy.resolver: %w", err)
	}
	return nil
}

// Lineages are the rules by which versions of the collection say what they
// changed, or nil where they do not. Policies that work with it need it; one that
// shows a whole version has it where it has rules, so that records know the base,
// and another policy can be tried on them.
func (c *Config) Lineages() *merge.Rules {
	if c.Policy.Kind == KindLWW && len(c.Policy.Rules) == 0 {
		return nil
	}
	rules, err := merge.ParseRules(c.Policy.Rules, c.Policy.Default)
	if err != nil {
		panic("conflict: a configuration that was not checked: " + err.Error())
	}
	return rules
}

// Build makes the policy of a configuration that was checked. The version is the
// configuration's: siblings are shown otherwise by another one.
func (c *Config) Build(version string) Policy {
	path, err := parsePointer(c.Policy.Path)
	if err != nil {
		panic("conflict: a configuration that was not checked: " + err.Error())
	}
	if c.Policy.Kind == KindMerge {
		return Merge{Rules: c.Lineages(), Delete: c.Delete, MaxBody: c.Limits.Body, Version: version}
	}
	return LWW{Path: path, Delete: c.Delete, Manual: c.Policy.Kind == KindManual, Version: version}
}

// MaxPointer is the most steps of a JSON pointer in a configuration.
const MaxPointer = 16

// parsePointer reads a JSON pointer (RFC 6901) into its steps.
func parsePointer(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no JSON pointer: want / before each step", text)
	}
	steps := strings.Split(rest, "/")
	if len(steps) > MaxPointer {
		return nil, fmt.Errorf("a JSON pointer of %d steps: at most %d", len(steps), MaxPointer)
	}
	for i, s := range steps {
		plain := strings.NewReplacer("~0", "", "~1", "").Replace(s)
		if strings.Contains(plain, "~") {
			return nil, fmt.Errorf("%q is no JSON pointer: ~ stands only in ~0 and ~1", text)
		}
		steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
	}
	return steps, nil
}
