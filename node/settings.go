package node

import (
	"errors"
	"fmt"
	"maps"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/merge"
	"github.com/syncline/syncline/vclock"
)

// ConfigCollection has the configurations of all collections: the document with
// the id of a collection is its configuration.
const ConfigCollection conflict.Collection = "_collections"

// configLimits are what a configuration may ask for.
func configLimits() conflict.ConfigLimits {
	return conflict.ConfigLimits{DefaultBody: DefaultBody, MaxBody: MaxBody}
}

// ParseConfig reads a collection's configuration. An error is of kind NotBuilt
// where this build lacks what was asked for, else Invalid.
func ParseConfig(name conflict.Collection, text []byte) (conflict.Config, error) {
	c, err := conflict.ParseConfig(text, configLimits())
	if err != nil {
		return c, &Error{Op: "configure", Kind: configKind(err), Key: string(name), Err: err}
	}
	return c, nil
}

func configKind(err error) Kind {
	if errors.Is(err, conflict.ErrPolicyNotBuilt) {
		return NotBuilt
	}
	return Invalid
}

// settings are the configurations that this node has. They are never altered: a
// commit that brings another one puts a copy in their place.
type settings struct {
	of        map[conflict.Collection]*setting
	resolvers map[string]storedScript // by name
}

// setting is one collection's configuration.
type setting struct {
	config  conflict.Config
	version string      // the dot of the configuration; "" for none
	made    vclock.Time // when the configuration was written
	age     vclock.Time // of the policy: made, or when its resolver was stored, if that is later
	policy  conflict.Policy
	script  Script // of a policy "script"; without source when this node lacks it
	// lineages are the rules by which versions say what they changed; nil: they do
	// not.
	lineages *merge.Rules
}

// unset is the setting of a collection that has no configuration, and of the
// system's own.
func unset() *setting {
	return &setting{config: conflict.DefaultConfig(configLimits()), policy: conflict.LWW{}}
}

// setting returns what is in force for a collection.
func (s *settings) setting(name conflict.Collection) *setting {
	if one, ok := s.of[name]; ok {
		return one
	}
	return s.of[""]
}

func (e *Engine) setting(name conflict.Collection) *setting {
	return e.settings.Load().setting(name)
}

func (e *Engine) policy(name conflict.Collection) conflict.Policy {
	if name == RecordCollection {
		return conflict.Records{}
	}
	return e.setting(name).policy
}

// BodyLimit is the longest body that a document of the collection may have now,
// in bytes.
func (e *Engine) BodyLimit(name conflict.Collection) int { return e.setting(name).config.Limits.Body }

// loadSettings reads the configurations from the file.
func (e *Engine) loadSettings(view View) error {
	s := &settings{of: map[conflict.Collection]*setting{"": unset()}, resolvers: map[string]storedScript{}}
	if err := e.loadResolvers(view, s); err != nil {
		return err
	}
	after := conflict.DocID("")
	for {
		docs, err := view.List(ListRange{Collection: ConfigCollection, After: after, Limit: MaxPage, MaxBytes: MaxPageBytes})
		if err != nil {
			return err
		}
		if len(docs) == 0 {
			break
		}
		for _, live := range docs {
			e.configure(s, live)
			after = live[0].Key.ID
		}
	}
	e.settings.Store(s)
	return nil
}

// configure notes a configuration that a batch has written or received.
func (b *batch) configure(live conflict.Siblings) {
	b.e.configure(b.ownSettings(), live)
}

// nowSettings are those in force, with what the batch has altered so far.
func (b *batch) nowSettings() *settings {
	if b.settings != nil {
		return b.settings
	}
	return b.e.settings.Load()
}

// ownSettings are a copy that the batch may alter.
func (b *batch) ownSettings() *settings {
	if b.settings == nil {
		now := b.nowSettings()
		b.settings = &settings{of: maps.Clone(now.of), resolvers: maps.Clone(now.resolvers)}
	}
	return b.settings
}

// configure puts what the live versions of a configuration show into settings. A
// node takes the newest that it has; one that it cannot read, from a newer
// program perhaps, leaves the collection as if nobody had said anything.
func (e *Engine) configure(s *settings, live conflict.Siblings) {
	name := conflict.Collection(live[0].Key.ID)
	shown := conflict.LWW{}.Show(live)
	if shown.Deleted {
		delete(s.of, name)
		return
	}
	config, err := conflict.ParseConfig(shown.Body, configLimits())
	if err != nil {
		delete(s.of, name)
		e.event(Event{Kind: EventConfig, Key: string(name), Err: fmt.Errorf("version %s: %w", shown.Winner.Dot, err)})
		return
	}
	version := shown.Winner.Dot.String()
	set := &setting{config: config, version: version, made: shown.Winner.Time, age: shown.Winner.Time, policy: config.Build(version), lineages: config.Lineages()}
	if config.Policy.Kind == conflict.KindScript {
		e.useResolver(s, set)
	}
	s.of[name] = set
}
