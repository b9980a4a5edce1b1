package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// finalTries is how often the final reads are made until nothing was written
// while they were under way: a node may settle a conflict meanwhile.
const finalTries = 10

// finalReads notes what every data node holds of every key that was written, all
// of it at one frontier.
func (r *run) finalReads() error {
	for range finalTries {
		before, err := r.frontier()
		if err != nil {
			return err
		}
		if err := r.catchUpFeeds(); err != nil {
			return err
		}
		finals, err := r.readAll()
		if err != nil {
			return err
		}
		after, err := r.frontier()
		if err != nil {
			return err
		}
		if maps.Equal(before, after) {
			r.endFeeds()
			for _, one := range finals {
				r.book.add(r.cfg.Now(), one)
			}
			return nil
		}
		// Whoever wrote has to be heard by all.
		if err := r.converge(position{}, DefaultWithin); err != nil {
			return err
		}
	}
	return fmt.Errorf("the data nodes went on writing through %d tries, and no load was running", finalTries)
}

// frontier is what all data nodes have, when they are equal.
func (r *run) frontier() (map[string]uint64, error) {
	out := map[string]uint64{}
	for _, name := range r.spec.Data {
		ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
		v, err := r.node(name).Verify(ctx, client.Options{})
		cancel()
		if err != nil {
			return nil, err
		}
		for actor, seq := range v.Frontier {
			out[name+" "+actor] = seq
		}
	}
	return out, nil
}

// readAll reads every key that was written at every data node.
func (r *run) readAll() ([]history.Record, error) {
	keys := map[string]map[string]string{} // collection to id to the dot of its only write
	for _, one := range r.book.history() {
		switch one.Op {
		case history.OpPut, history.OpDelete, history.OpAppend, history.OpInc, history.OpMember, history.OpOps:
			k := keyOf(one.Key)
			if keys[k.Collection] == nil {
				keys[k.Collection] = map[string]string{}
			}
			dot := one.Dot
			if _, again := keys[k.Collection][k.ID]; again {
				dot = ""
			}
			keys[k.Collection][k.ID] = dot
		}
	}
	var out []history.Record
	for _, name := range r.spec.Data {
		for _, collection := range slices.Sorted(maps.Keys(keys)) {
			finals, err := r.finalCollection(name, collection, keys[collection])
			if err != nil {
				return nil, err
			}
			out = append(out, finals...)
		}
	}
	return out, nil
}

// finalCollection reads one collection at one node. A document that was written
// once and shows that write needs no look at its siblings.
func (r *run) finalCollection(name, collection string, ids map[string]string) ([]history.Record, error) {
	recorded, err := r.recorded(name, collection)
	if err != nil {
		return nil, err
	}
	shown := map[string]*client.Document{}
	for d, err := range r.node(name).List(r.ctx, collection, client.ListOptions{Page: listPage}) {
		if err != nil {
			return nil, err
		}
		if _, wanted := ids[d.ID]; wanted {
			shown[d.ID] = d
		}
	}
	var out []history.Record
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		final := &history.Final{Clock: map[string]uint64{}, Live: []history.Version{{Dot: ids[id]}}}
		if d := shown[id]; d == nil || d.Conflicts > 0 || d.Dot == "" || d.Dot != ids[id] {
			var err error
			if final, err = r.standing(name, client.Key{Collection: collection, ID: id}); err != nil {
				return nil, err
			}
		}
		final.Recorded, final.Past = recorded[id].versions, recorded[id].past
		rec := history.Record{Client: observer, Op: history.OpFinal, Key: collection + "/" + id, Node: name, Absent: true, Final: final}
		if d := shown[id]; d != nil {
			rec.Absent, rec.Value, rec.Dot, rec.Conflicts = false, string(d.Doc), d.Dot, d.Conflicts
		}
		out = append(out, rec)
	}
	return out, nil
}

// standing is where the versions of a document stand at one node: the join of
// the dots and clocks of its live versions.
func (r *run) standing(name string, key client.Key) (*history.Final, error) {
	ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
	defer cancel()
	live, err := r.node(name).Siblings(ctx, key, client.Options{})
	final := &history.Final{Clock: map[string]uint64{}, Live: []history.Version{}}
	if client.Absent(err) {
		return final, nil // not even a tombstone
	}
	if err != nil {
		return nil, err
	}
	for _, s := range live.Siblings {
		join(final.Clock, s.Clock)
		final.Live = append(final.Live, history.Version{Dot: s.Dot, Value: string(s.Doc)})
		final.Loose = append(final.Loose, s.Loose...)
	}
	return final, nil
}

func join(into, clock map[string]uint64) {
	for actor, seq := range clock {
		into[actor] = max(into[actor], seq)
	}
}

// onRecord is what the records of a document's conflicts hold.
type onRecord struct {
	versions []history.Version
	past     map[string]uint64
}

// recorded reads the records of a collection's conflicts, by document.
func (r *run) recorded(name, collection string) (map[string]onRecord, error) {
	out := map[string]onRecord{}
	if strings.HasPrefix(collection, "_") {
		return out, nil // settled without record
	}
	node := r.node(name)
	for _, state := range []string{client.ConflictSettled, client.ConflictReviewed} {
		options := client.ConflictsOptions{State: state, Collection: collection, Page: listPage}
		for one, err := range node.Conflicts(r.ctx, options) {
			if err != nil {
				return nil, err
			}
			whole, err := node.Conflict(r.ctx, one.ID, client.Options{})
			if err != nil {
				return nil, err
			}
			o := out[whole.DocID]
			if o.past == nil {
				o.past = map[string]uint64{}
			}
			for _, s := range whole.Siblings {
				o.versions = append(o.versions, history.Version{Dot: s.Dot, Value: string(s.Doc)})
				join(o.past, s.Clock)
			}
			out[whole.DocID] = o
		}
	}
	return out, nil
}
