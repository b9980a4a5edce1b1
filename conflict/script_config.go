package conflict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// checkScript checks the policy "script": it names a resolver, and may have
// rules, by which numbers are added up for it (PROTOCOL D10).
func (p *PolicyConfig) checkScript() error {
	if p.Resolver == "" {
		return fmt.Errorf("policy.resolver: the policy %s names a resolver", p.Kind)
	}
	if _, err := ParseResolver(p.Resolver); err != nil {
		return fmt.Errorf("policy.resolver: %w", err)
	}
	if p.Path != "" {
		return fmt.Errorf("policy.path: the policy %s has none", p.Kind)
	}
	if p.Default != "" {
		return fmt.Errorf("policy.default: the policy %s has none", p.Kind)
	}
	if rules := bytes.TrimSpace(p.Rules); len(rules) > 0 && (rules[0] != '{' || !json.Valid(rules)) {
		return errors.New("policy.rules: want an object")
	}
	return nil
}
