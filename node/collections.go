package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/syncline/syncline/conflict"
)

// CollectionInfo is one collection: what is in force for it, and what it has.
type CollectionInfo struct {
	Name       conflict.Collection
	Config     conflict.Config
	Doc        Document // the configuration as a document; nothing is live when nobody configured it
	Documents  int64
	Tombstones int64
	Conflicts  int64
}

// Collections lists the collections that have documents or a configuration,
// sorted by name, without the system's own.
func (e *Engine) Collections(ctx context.Context) ([]CollectionInfo, error) {
	stats, err := e.collectionStats(ctx)
	if err != nil {
		return nil, err
	}
	names := map[conflict.Collection]bool{}
	for name := range stats {
		names[name] = !name.IsSystem()
	}
	for name := range e.settings.Load().of {
		names[name] = name != ""
	}
	var out []CollectionInfo
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !names[name] {
			continue
		}
		info, err := e.collection(ctx, name, stats[name])
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

// Collection describes one collection. It is never an error that there is none:
// then nothing is in it, and the defaults are in force.
func (e *Engine) Collection(ctx context.Context, name conflict.Collection) (CollectionInfo, error) {
	stats, err := e.collectionStats(ctx)
	if err != nil {
		return CollectionInfo{}, err
	}
	return e.collection(ctx, name, stats[name])
}

func (e *Engine) collection(ctx context.Context, name conflict.Collection, s CollectionStat) (CollectionInfo, error) {
	doc, err := e.Get(ctx, configKey(name))
	return CollectionInfo{
		Name: name, Config: e.setting(name).config, Doc: doc,
		Documents: s.Documents, Tombstones: s.Tombstones, Conflicts: s.Conflicts,
	}, err
}

func configKey(name conflict.Collection) conflict.Key {
	return conflict.Key{Collection: ConfigCollection, ID: conflict.DocID(name)}
}

func (e *Engine) collectionStats(ctx context.Context) (map[conflict.Collection]CollectionStat, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return nil, e.storeError("collections", "", err)
	}
	stats, err := view.Collections()
	if err = errors.Join(err, view.Close()); err != nil {
		return nil, e.storeError("collections", "", err)
	}
	out := map[conflict.Collection]CollectionStat{}
	for _, s := range stats {
		out[s.Name] = s
	}
	return out, nil
}

// ConfigWrite changes a collection's configuration: all of it by Body, some of
// it by Change, or back to the defaults by Delete.
type ConfigWrite struct {
	Body     []byte
	Change   func(present []byte) ([]byte, error)
	Delete   bool
	IfMatch  []string
	IfAbsent bool
}

// Configure changes a configuration, where writes are accepted. What is stored
// says everything, defaults too, so that it means the same to a later program.
func (e *Engine) Configure(ctx context.Context, name conflict.Collection, c ConfigWrite) (Written, error) {
	if name.IsSystem() {
		return Written{}, &Error{Op: "configure", Kind: SystemColl, Key: string(name), Err: errors.New("the system's own collections have no configuration")}
	}
	w := Write{Kind: Put, Key: configKey(name), IfMatch: c.IfMatch, IfAbsent: c.IfAbsent, system: true, allowed: hasResolver(name)}
	switch {
	case c.Delete:
		if err := e.mustBeEmpty(ctx, name); err != nil {
			return Written{}, err
		}
		w.Kind = Delete
	case c.Change != nil:
		doc, err := e.Get(ctx, w.Key)
		if err != nil {
			return Written{}, err
		}
		if !doc.Exists() { // what is changed are the defaults
			return e.configureFirst(ctx, name, w, c)
		}
		w.Kind = Patch
		w.Change = func(present []byte) ([]byte, error) {
			text, err := c.Change(present)
			if err != nil {
				return nil, err
			}
			return wholeConfig(name, text)
		}
	default:
		var err error
		if w.Body, err = wholeConfig(name, c.Body); err != nil {
			return Written{}, err
		}
	}
	return e.Write(ctx, w)
}

// ConfigureRequest is Configure by a whole configuration, for a simulation: it
// returns the request that the writer has to commit.
func (e *Engine) ConfigureRequest(name conflict.Collection, text []byte) (*Request, error) {
	whole, err := wholeConfig(name, text)
	if err != nil {
		return nil, err
	}
	return NewWrites([]Write{{Kind: Put, Key: configKey(name), Body: whole, system: true}}, false), nil
}

// configureFirst changes the defaults, unless somebody else was faster.
func (e *Engine) configureFirst(ctx context.Context, name conflict.Collection, w Write, c ConfigWrite) (Written, error) {
	defaults, err := json.Marshal(conflict.DefaultConfig(configLimits()))
	if err != nil {
		return Written{}, &Error{Op: "configure", Kind: Bug, Key: string(name), Err: err}
	}
	text, err := c.Change(defaults)
	if err != nil {
		return Written{}, err
	}
	if w.Body, err = wholeConfig(name, text); err != nil {
		return Written{}, err
	}
	w.IfAbsent = true
	return e.Write(ctx, w)
}

// wholeConfig reads a configuration and writes all of it.
func wholeConfig(name conflict.Collection, text []byte) ([]byte, error) {
	config, err := ParseConfig(name, text)
	if err != nil {
		return nil, err
	}
	whole, err := json.Marshal(config)
	if err != nil {
		return nil, &Error{Op: "configure", Kind: Bug, Key: string(name), Err: err}
	}
	return whole, nil
}

func (e *Engine) mustBeEmpty(ctx context.Context, name conflict.Collection) error {
	info, err := e.Collection(ctx, name)
	if err != nil {
		return err
	}
	if info.Documents > 0 {
		return &Error{Op: "configure", Kind: NotEmpty, Key: string(name), Err: fmt.Errorf("the collection has %d documents: delete them first, or change its configuration", info.Documents)}
	}
	return nil
}
