package link

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/syncline/syncline/node"
)

// Add puts a fault on a link of this process and returns it with its id and
// its end. It takes effect before Add returns. Errors are of kind Invalid and
// name the field. Fields that the kind does not use are cleared.
func (l *Link) Add(f Fault) (Fault, error) {
	if err := f.check(l.cfg.Self, l.cfg.Peers()); err != nil {
		return Fault{}, err
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return Fault{}, &node.Error{Op: "add fault", Kind: node.Draining, Err: net.ErrClosed}
	}
	now := l.cfg.Now()
	changes := l.expireLocked(now)
	if len(l.faults) >= MaxFaults {
		l.mu.Unlock()
		l.tell(nil, changes)
		return Fault{}, refuse("", "there are %d faults already, the most that a process holds: heal some", MaxFaults)
	}
	l.nextID++
	r := &running{Fault: f, begin: now, end: now.Add(time.Duration(f.Duration))}
	r.ID = fmt.Sprintf("f%d", l.nextID)
	r.Started, r.Expires = r.begin.UTC(), r.end.UTC()
	l.faults = append(l.faults, r)
	l.peerLocked(r.other(l.cfg.Self)) // so that its effect is kept from now on
	changes = append(changes, Change{r.Fault, Begun})
	severed := l.applyLocked(now)
	l.mu.Unlock()
	l.tell(severed, changes)
	return r.Fault, nil
}

// Remove heals one fault. An id that is not there is an error of kind NotFound.
func (l *Link) Remove(id string) error {
	if l.heal(func(r *running) bool { return r.ID == id }) == 0 {
		return &node.Error{
			Op: "heal fault", Kind: node.NotFound, Key: id,
			Err: fmt.Errorf("no such fault: it has ended, or it is on another process"),
		}
	}
	return nil
}

// Heal heals the faults of this process that are selected and says how many there
// were.
func (l *Link) Heal(which Which) int {
	return l.heal(func(r *running) bool { return which.Has(&r.Fault) })
}

func (l *Link) heal(match func(*running) bool) int {
	l.mu.Lock()
	now := l.cfg.Now()
	changes := l.expireLocked(now)
	healed := 0
	l.faults = slices.DeleteFunc(l.faults, func(r *running) bool {
		if !match(r) {
			return false
		}
		healed++
		changes = append(changes, Change{r.Fault, Healed})
		return true
	})
	severed := l.applyLocked(now)
	l.mu.Unlock()
	l.tell(severed, changes)
	return healed
}

// List returns the faults in force, oldest first.
func (l *Link) List() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.cfg.Now()
	out := make([]Fault, 0, len(l.faults))
	for _, r := range l.faults {
		if now.Before(r.end) {
			out = append(out, r.Fault)
		}
	}
	return out
}

// tick runs when a fault ends or a flap turns over.
func (l *Link) tick() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	now := l.cfg.Now()
	changes := l.expireLocked(now)
	severed := l.applyLocked(now)
	l.mu.Unlock()
	l.tell(severed, changes)
}

func (l *Link) expireLocked(now time.Time) []Change {
	var changes []Change
	l.faults = slices.DeleteFunc(l.faults, func(r *running) bool {
		if now.Before(r.end) {
			return false
		}
		changes = append(changes, Change{r.Fault, Expired})
		return true
	})
	return changes
}

// applyLocked computes what the faults do now, sets the timer for their next
// change, and returns the connections that must be severed: those of a link
// that is cut both ways, and those with a hole in a stream that would go on.
func (l *Link) applyLocked(now time.Time) []*conn {
	var severed []*conn
	for _, p := range l.peers {
		old, eff := p.effect.Load(), combine(l.faults, l.cfg.Self, p.name, now)
		p.effect.Store(eff) // before the scan: see conn.holed
		if eff.sameCut(old) {
			continue
		}
		for c := range p.conns {
			if eff.cut() || c.hole.Load() {
				severed = append(severed, c)
			}
		}
	}
	close(l.changed)
	l.changed = make(chan struct{})
	l.armLocked(now)
	return severed
}

func (l *Link) armLocked(now time.Time) {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if len(l.faults) == 0 {
		return
	}
	next := l.faults[0].nextChange(now)
	for _, r := range l.faults[1:] {
		if t := r.nextChange(now); t.Before(next) {
			next = t
		}
	}
	l.timer = time.AfterFunc(next.Sub(now), l.tick)
}

// tell acts on a change outside the lock.
func (l *Link) tell(severed []*conn, changes []Change) {
	for _, c := range severed {
		c.sever()
	}
	for _, change := range changes {
		l.cfg.Report(change)
	}
}
