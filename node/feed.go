package node

import "sync"

// Feed is a bell without payload: it says that something was committed, and
// whoever hears it looks into the store. A listener that is late misses
// nothing, since it compares frontiers, not rings.
type Feed struct {
	mu   sync.Mutex
	bell chan struct{}
}

func newFeed() *Feed { return &Feed{bell: make(chan struct{})} }

// Bell returns a channel that is closed at the next ring. Take it before
// looking into the store, else a ring in between is missed.
func (f *Feed) Bell() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bell
}

// Ring tells the listeners to look.
func (f *Feed) Ring() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.bell)
	f.bell = make(chan struct{})
}
