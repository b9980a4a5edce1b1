package node

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// The system's own collections for resolvers: the document with a resolver's
// name is its present version, and beside it each version that ever was stored.
const (
	ResolverCollection conflict.Collection = "_resolvers"
	ScriptCollection   conflict.Collection = "_scripts"
)

// MaxSource is the longest source of a resolver, in bytes.
const MaxSource = 64 << 10

// scriptDoc is a version of a resolver as a document.
type scriptDoc struct {
	Source string `json:"source"`
	Hash   string `json:"hash"` // conflict.ScriptVersion of the source
	Who    string `json:"who"`
}

// storedScript is a resolver in force.
type storedScript struct {
	script Script
	age    vclock.Time // of its document
}

// readScript reads a version's document. The version is that of the source,
// whatever the document says.
func readScript(name string, body []byte) (Script, scriptDoc, error) {
	var doc scriptDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return Script{}, doc, fmt.Errorf("resolver %s: %w", name, err)
	}
	if doc.Source == "" || len(doc.Source) > MaxSource {
		return Script{}, doc, fmt.Errorf("resolver %s: a source of %d bytes: want 1 to %d", name, len(doc.Source), MaxSource)
	}
	s := Script{Name: name, Version: conflict.ScriptVersion(doc.Source), Source: doc.Source}
	if doc.Hash != s.Version {
		return Script{}, doc, errors.New("resolver " + name + ": the source is not the one that its hash names")
	}
	return s, doc, nil
}

// loadResolvers reads the resolvers from the file.
func (e *Engine) loadResolvers(view View, s *settings) error {
	after := conflict.DocID("")
	for {
		docs, err := view.List(ListRange{Collection: ResolverCollection, After: after, Limit: MaxPage, MaxBytes: MaxPageBytes})
		if err != nil || len(docs) == 0 {
			return err
		}
		for _, live := range docs {
			e.store(s, live)
			after = live[0].Key.ID
		}
	}
}

// store notes a resolver that a batch has written or received, and lets all
// collections have it that name it.
func (b *batch) store(live conflict.Siblings) {
	s := b.ownSettings()
	b.e.store(s, live)
	name := string(live[0].Key.ID)
	for collection, set := range s.of {
		if set.config.Policy.Kind == conflict.KindScript && set.config.Policy.Resolver == name {
			fresh := &setting{config: set.config, version: set.version, made: set.made}
			b.e.useResolver(s, fresh)
			s.of[collection] = fresh
		}
	}
}

// store puts what the live versions of a resolver show into settings. One that
// cannot be read, from a newer program perhaps, is as good as missing.
func (e *Engine) store(s *settings, live conflict.Siblings) {
	name := string(live[0].Key.ID)
	shown := conflict.LWW{}.Show(live)
	one := storedScript{age: shown.Winner.Time}
	if !shown.Deleted {
		var err error
		if one.script, _, err = readScript(name, shown.Body); err != nil {
			e.event(Event{Kind: EventConfig, Key: name, Err: fmt.Errorf("version %s: %w", shown.Winner.Dot, err)})
		}
	}
	s.resolvers[name] = one
}

// useResolver gives a setting the resolver that it names. Of two settlements the
// one by the newer policy counts (PROTOCOL D5), so the policy is as young as the
// younger of the two documents that it is made of.
func (e *Engine) useResolver(s *settings, set *setting) {
	one := s.resolvers[set.config.Policy.Resolver]
	set.script = one.script
	set.script.Name = set.config.Policy.Resolver
	set.age = max(set.made, one.age)
	set.policy = newScriptPolicy(set, set.script, e.findings)
}
