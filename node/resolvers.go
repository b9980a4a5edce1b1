package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Limits of stored resolvers.
const (
	// MaxResolvers is the most resolvers of a cluster.
	MaxResolvers = MaxPage
	// MaxVersions is the most versions of one resolver that are kept: the oldest
	// goes when one more is stored, never the present one.
	MaxVersions = 200
)

// StoredResolver is a resolver, or one version of it.
type StoredResolver struct {
	Script
	Who  string
	At   vclock.Time           // when it was stored
	Doc  Document              // as a document; its tag guards changes
	Used []conflict.Collection // whose policy names it now, sorted
}

// Exists says whether there is a source.
func (r *StoredResolver) Exists() bool { return r.Source != "" }

// Resolvers lists the resolvers by name.
func (e *Engine) Resolvers(ctx context.Context) ([]StoredResolver, error) {
	list, err := e.List(ctx, ListQuery{Collection: ResolverCollection, Limit: MaxResolvers})
	if err != nil {
		return nil, err
	}
	out := make([]StoredResolver, len(list.Documents))
	for i := range list.Documents {
		if out[i], err = e.stored(&list.Documents[i], string(list.Documents[i].Key.ID)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Resolver reads a resolver. It is never an error that there is none: see
// StoredResolver.Exists.
func (e *Engine) Resolver(ctx context.Context, name string) (StoredResolver, error) {
	d, err := e.Get(ctx, resolverKey(name))
	if err != nil || !d.Exists() {
		return StoredResolver{Script: Script{Name: name}, Doc: d, Used: e.settings.Load().users(name)}, err
	}
	return e.stored(&d, name)
}

// ResolverVersions lists the versions of a resolver that are kept, the youngest
// first, also of one that was deleted.
func (e *Engine) ResolverVersions(ctx context.Context, name string) ([]StoredResolver, error) {
	list, err := e.List(ctx, ListQuery{Collection: ScriptCollection, Prefix: name + ".", Limit: MaxPage})
	if err != nil {
		return nil, err
	}
	out := make([]StoredResolver, len(list.Documents))
	for i := range list.Documents {
		if out[i], err = e.stored(&list.Documents[i], name); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b StoredResolver) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.Version, b.Version))
	})
	return out, nil
}

// ResolverVersion reads one version of a resolver. It is an error of kind
// NotFound that it is not kept.
func (e *Engine) ResolverVersion(ctx context.Context, name, version string) (StoredResolver, error) {
	d, err := e.Get(ctx, scriptKey(name, version))
	if err != nil {
		return StoredResolver{}, err
	}
	if !d.Exists() {
		return StoredResolver{}, &Error{Op: "resolver", Kind: NotFound, Key: name, Err: fmt.Errorf("there is no version %.40q of the resolver here", version)}
	}
	return e.stored(&d, name)
}

// stored reads a document of a resolver, or of a version.
func (e *Engine) stored(d *Document, name string) (StoredResolver, error) {
	s, doc, err := readScript(name, d.Shown.Body)
	if err != nil {
		return StoredResolver{}, &Error{Op: "resolver", Kind: Corrupt, Key: d.Key.String(), Err: err}
	}
	return StoredResolver{Script: s, Who: doc.Who, At: d.Shown.Winner.Time, Doc: *d, Used: e.settings.Load().users(name)}, nil
}

func resolverKey(name string) conflict.Key {
	return conflict.Key{Collection: ResolverCollection, ID: conflict.DocID(name)}
}

func scriptKey(name, version string) conflict.Key {
	return conflict.Key{Collection: ScriptCollection, ID: conflict.DocID(name + "." + version)}
}

// users are the collections whose policy names a resolver, sorted.
func (s *settings) users(name string) []conflict.Collection {
	var out []conflict.Collection
	for collection, set := range s.of {
		if set.config.Policy.Kind == conflict.KindScript && set.config.Policy.Resolver == name {
			out = append(out, collection)
		}
	}
	slices.Sort(out)
	return out
}

// ResolverWrite stores a resolver.
type ResolverWrite struct {
	Source   string // at most MaxSource bytes
	Who      string
	IfMatch  []string
	IfAbsent bool
}

// PutResolver stores a resolver, and keeps this version beside it, where writes
// are accepted. Whether the source compiles and converges is for the caller to
// know: the core runs no scripts.
func (e *Engine) PutResolver(ctx context.Context, name string, w ResolverWrite) (Written, error) {
	if err := checkResolver(name, w.Source); err != nil {
		return Written{}, err
	}
	writes, err := resolverWrites(name, w)
	if err != nil {
		return Written{}, err
	}
	versions, err := e.ResolverVersions(ctx, name)
	if err != nil {
		return Written{}, err
	}
	if slices.ContainsFunc(versions, func(v StoredResolver) bool { return v.Source == w.Source }) {
		writes = writes[:1] // it is kept already, with the time of its first coming
	}
	for i := len(versions) - 1; i >= MaxVersions-1 && len(writes) > 1; i-- {
		writes = append(writes, Write{Kind: Delete, Key: versions[i].Doc.Key, system: true})
	}
	return first(e.WriteAll(ctx, writes, true))
}

// ResolverRequest is PutResolver without conditions, for a simulation: it
// returns the request that the writer has to commit.
func ResolverRequest(name, source string) (*Request, error) {
	if err := checkResolver(name, source); err != nil {
		return nil, err
	}
	writes, err := resolverWrites(name, ResolverWrite{Source: source, Who: "anonymous"})
	if err != nil {
		return nil, err
	}
	return NewWrites(writes, true), nil
}

func checkResolver(name, source string) error {
	if _, err := conflict.ParseResolver(name); err != nil {
		return &Error{Op: "resolver", Kind: Invalid, Key: name, Err: err}
	}
	if source == "" || len(source) > MaxSource || !utf8.ValidString(source) {
		return &Error{Op: "resolver", Kind: InvalidResolver, Key: name, Err: fmt.Errorf("the source has %d bytes: want 1 to %d of UTF-8", len(source), MaxSource)}
	}
	return nil
}

// resolverWrites are the writes that make a source the present version, and keep
// it.
func resolverWrites(name string, w ResolverWrite) ([]Write, error) {
	version := conflict.ScriptVersion(w.Source)
	body, err := json.Marshal(scriptDoc{Source: w.Source, Hash: version, Who: w.Who})
	if err != nil {
		return nil, &Error{Op: "resolver", Kind: Bug, Key: name, Err: err}
	}
	return []Write{
		{Kind: Put, Key: resolverKey(name), Body: body, IfMatch: w.IfMatch, IfAbsent: w.IfAbsent, system: true, allowed: mayHave(name)},
		{Kind: Put, Key: scriptKey(name, version), Body: body, system: true},
	}, nil
}

// mayHave says whether there may be one more resolver.
func mayHave(name string) func(*settings, []byte) error {
	return func(s *settings, _ []byte) error {
		n := 0
		for other, one := range s.resolvers {
			if other != name && one.script.Source != "" {
				n++
			}
		}
		if n < MaxResolvers {
			return nil
		}
		return &Error{Op: "resolver", Kind: Invalid, Key: name, Err: fmt.Errorf("there are %d resolvers, and no more are taken: delete one that is not used", n)}
	}
}

// DeleteResolver takes a resolver away; its versions stay, since records name
// them. The error is of kind ResolverInUse while a collection's policy names it.
func (e *Engine) DeleteResolver(ctx context.Context, name string, ifMatch []string) (Written, error) {
	return e.Write(ctx, Write{
		Kind: Delete, Key: resolverKey(name), IfMatch: ifMatch, system: true,
		allowed: func(s *settings, _ []byte) error {
			used := s.users(name)
			if len(used) == 0 {
				return nil
			}
			return &Error{Op: "resolver", Kind: ResolverInUse, Key: name, Err: fmt.Errorf("the policy of the collection %s names it: give it another policy first", used[0])}
		},
	})
}

// RollbackResolver makes an older version the present one. Its name comes back
// with its source; as a policy it is the newest.
func (e *Engine) RollbackResolver(ctx context.Context, name, version string, w ResolverWrite) (Written, error) {
	old, err := e.ResolverVersion(ctx, name, version)
	if err != nil {
		return Written{}, err
	}
	w.Source = old.Source
	return e.PutResolver(ctx, name, w)
}

// first is the answer to the first write of an atomic request. What is wrong is
// wrong with one of them.
func first(out []Outcome, err error) (Written, error) {
	if f, ok := errors.AsType[*Error](err); ok && f.Kind == AtomicFailed {
		return Written{}, f.Err
	}
	if err != nil {
		return Written{}, err
	}
	return out[0].Written, out[0].Err
}

// hasResolver says whether the resolver that a configuration names is there.
func hasResolver(name conflict.Collection) func(*settings, []byte) error {
	return func(s *settings, body []byte) error {
		if body == nil {
			return nil // the defaults come back
		}
		config, err := ParseConfig(name, body)
		if err != nil {
			return err
		}
		want := config.Policy.Resolver
		if want == "" || s.resolvers[want].script.Source != "" {
			return nil
		}
		return &Error{Op: "configure", Kind: Invalid, Key: string(name), Err: fmt.Errorf("policy.resolver: there is no resolver %q: store it first", want)}
	}
}

// ScriptOf returns the resolver that a person names, as far as it is stored.
func (e *Engine) ScriptOf(name string) (Script, error) {
	one := e.settings.Load().resolvers[name]
	if one.script.Source == "" {
		return Script{}, &Error{Op: "resolver", Kind: NotFound, Key: name, Err: errors.New("there is no such resolver here: store it first")}
	}
	return one.script, nil
}
