package stream

import "sync"

// MaxStreams is how many streams one process serves at once: each holds a
// connection, and at most about a quarter of a megabyte that waits for its
// reader.
const MaxStreams = 256

// Places bounds how many streams there are. The zero Places has MaxStreams.
type Places struct {
	mu    sync.Mutex
	taken int
}

// Take takes a place until done is called, once; ok is false when all are taken.
func (p *Places) Take() (done func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= MaxStreams {
		return nil, false
	}
	p.taken++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken--
	}, true
}

// Taken is how many streams there are now.
func (p *Places) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}
