package world

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// client writes and reads, here and there, with and without a context.
type client struct {
	w       *World
	held    []reading      // contexts that it was handed out
	session vclock.Context // all that it was ever shown
}

// reading is a document as a client was shown it.
type reading struct {
	key   conflict.Key
	token string
	tag   string
	past  map[vclock.Dot]bool
}

const (
	maxHeld = 12
	bodies  = 4 // few, so that different writes have equal bodies
)

func keyOf(i int) conflict.Key {
	return conflict.Key{Collection: collection, ID: conflict.DocID(fmt.Sprint("k", i))}
}

// Clients adds clients that each do something about every so often.
func (w *World) Clients(n int, every time.Duration) {
	for range n {
		c := &client{w: w}
		w.clients = append(w.clients, c)
		w.at(w.now+w.between(0, every), func() { c.loop(every) })
	}
}

// StopClients ends them all.
func (w *World) StopClients() {
	for _, c := range w.clients {
		c.w = nil
	}
	w.clients = nil
}

func (c *client) loop(every time.Duration) {
	if c.w == nil {
		return
	}
	c.act()
	c.w.at(c.w.now+c.w.between(every/2, every*3/2), func() { c.loop(every) })
}

// act does one thing at one node.
func (c *client) act() {
	w := c.w
	p := w.nodes[w.rng.IntN(len(w.nodes))]
	if !p.running() {
		return
	}
	if w.cfg.Scripts && w.chance(scriptChance) {
		c.script(p)
		return
	}
	if w.cfg.Undo && w.chance(undoChance) {
		c.decide(p)
		return
	}
	if w.cfg.Merge {
		c.add(p)
		return
	}
	key := keyOf(w.rng.IntN(w.cfg.Keys))
	write := node.Write{Kind: node.Put, Key: key, Body: fmt.Appendf(nil, `{"n":%d}`, w.rng.IntN(bodies))}
	if w.chance(0.2) {
		write.Kind, write.Body = node.Delete, nil
	}
	switch roll := w.rng.IntN(100); {
	case roll < 1:
		c.configure(p)
	case roll < 25:
		c.read(p, key)
	case roll < 70:
		c.put(p, write, nil)
	case len(c.held) == 0:
	default:
		old := c.held[w.rng.IntN(len(c.held))]
		write.Key = old.key
		if roll < 80 {
			write.IfMatch = []string{old.tag}
			c.put(p, write, nil)
			return
		}
		token, err := p.engine.ParseContext(old.key, old.token)
		if err != nil {
			w.fail("a token is not read: %v", err)
			return
		}
		write.Context, write.Session = token, c.session
		c.put(p, write, old.past)
	}
}

// read keeps what the client was shown.
func (c *client) read(p *process, key conflict.Key) {
	doc, err := p.engine.Get(c.w.ctx, key)
	if err != nil {
		c.w.fail("%s: get: %v", p.name, err)
		return
	}
	c.w.oracle.read(p, &doc)
	c.held = append(c.held, reading{key: key, token: p.engine.ContextToken(&doc), tag: doc.Tag, past: c.w.oracle.pastOf(doc.Live)})
	if len(c.held) > maxHeld {
		c.held = c.held[1:]
	}
	c.session = c.session.Join(doc.Session())
}

// configure changes what is in force for the collection at one node, as others
// may do elsewhere at the same time.
func (c *client) configure(p *process) {
	w := c.w
	deletes, minority := []string{"lww", "update_wins", "delete_wins"}, []string{"refuse", "accept"}
	kinds := []string{`{"kind":"lww"}`, `{"kind":"merge","rules":{"/n":"sum"}}`, `{"kind":"lww","path":"/n","rules":{"/n":"sum"}}`, `{"kind":"merge"}`}
	if c.putInForce(p, fmt.Sprintf(`{"delete":%q,"minority":%q,"policy":%s%s}`,
		deletes[w.rng.IntN(len(deletes))], minority[w.rng.IntN(len(minority))], kinds[w.Stats.Configured%len(kinds)], w.cfg.retention())) {
		w.Stats.Configured++
	}
}

// putInForce stores a configuration, and says whether it was taken.
func (c *client) putInForce(p *process, config string) bool {
	w := c.w
	before, err := p.engine.Get(w.ctx, configKey())
	if err != nil {
		w.fail("%s: get: %v", p.name, err)
		return false
	}
	r, err := p.engine.ConfigureRequest(collection, []byte(config))
	if err == nil {
		err = p.commit(r)
	}
	if err != nil {
		w.fail("%s: configure: %v", p.name, err)
		return false
	}
	out := r.Outcomes()[0]
	if out.Err != nil && node.KindOf(out.Err) != node.LeaseLost {
		return false
	}
	w.oracle.wrote(p, out.Written.After.Live.Find(out.Written.Dot), w.oracle.pastOf(before.Live), out.Err == nil)
	return true
}

// configKey names the configuration of the documents that are written.
func configKey() conflict.Key {
	return conflict.Key{Collection: node.ConfigCollection, ID: collection}
}

// put writes. Without a given past its writer has seen what the node shows.
func (c *client) put(p *process, write node.Write, past map[vclock.Dot]bool) {
	w := c.w
	before, err := p.engine.Get(w.ctx, write.Key)
	if err != nil {
		w.fail("%s: get: %v", p.name, err)
		return
	}
	plain := past == nil
	if plain {
		past = w.oracle.pastOf(before.Live)
	}
	r, err := p.engine.WriteRequest(w.ctx, write)
	if err == nil {
		err = p.commit(r)
	}
	if err != nil {
		w.fail("%s: commit: %v", p.name, err)
		return
	}
	c.answered(p, &before, r, past)
	if out := r.Outcomes()[0]; plain && out.Written.After.Live != nil && len(out.Written.After.Live) != 1 {
		w.fail("%s: a plain write left %d live versions", p.name, len(out.Written.After.Live))
	}
}

// answered takes the answer to a request whose first write is of a document that
// was as before. It says whether that was written.
func (c *client) answered(p *process, before *node.Document, r *node.Request, past map[vclock.Dot]bool) bool {
	w := c.w
	out := r.Outcomes()[0]
	if out.Err == nil {
		out.Err = r.Err() // all or none
	}
	switch node.KindOf(out.Err) {
	case node.ReadOnly, node.NotFound, node.Deleted, node.Precondition, node.OpenConflict, node.AtomicFailed:
		w.Stats.Refused++
		return false
	case node.LeaseLost:
		w.Stats.LeaseLost++
	default:
		if out.Err != nil {
			w.fail("%s: put: %v", p.name, out.Err)
			return false
		}
		w.Stats.Acked++
	}
	made := out.Written.After.Live.Find(out.Written.Dot)
	if made == nil {
		w.fail("%s: the version that was written is not live", p.name)
		return false
	}
	w.oracle.wrote(p, made, maps.Clone(past), out.Err == nil)
	w.oracle.added(before, made)
	w.oracle.ended(slices.DeleteFunc(slices.Clone(before.Live), func(v *conflict.Version) bool {
		return out.Written.After.Live.Find(v.Dot) != nil
	}), made)
	return true
}

var errNotWritable = errors.New("not writable")

// Put writes one document at one node now, for scripts.
func (w *World) Put(name string, key int, body string) error {
	p := w.node(name)
	if !p.running() {
		return errNotWritable
	}
	before := w.Stats
	c := &client{w: w}
	c.put(p, node.Write{Kind: node.Put, Key: keyOf(key), Body: []byte(body)}, nil)
	if w.Stats.Acked == before.Acked {
		return errNotWritable
	}
	return nil
}
