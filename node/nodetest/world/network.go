package world

import "time"

// send delivers a message from one process to another, or not: the link may be
// cut, and messages are lost, delayed, doubled and overtaken.
func (w *World) send(from, to string, deliver func()) {
	if w.cut[[2]string{from, to}] || w.chance(w.cfg.Loss) {
		return
	}
	copies := 1
	if w.chance(w.cfg.Double) {
		copies = 2
	}
	for range copies {
		delay := w.between(w.cfg.MinDelay, w.cfg.MaxDelay)
		if w.chance(w.cfg.Hold) {
			delay += w.between(0, longestStop) // a paused process held it back
		}
		w.at(w.now+delay, deliver)
	}
}

// Cut cuts a link in one direction. Streams over it die: at once, or unnoticed.
func (w *World) Cut(from, to string) {
	if w.cut[[2]string{from, to}] {
		return
	}
	w.log("cut %s>%s", from, to)
	w.cut[[2]string{from, to}] = true
	noticed := w.chance(0.5)
	for _, p := range w.nodes {
		for _, other := range w.nodes {
			s := p.pulls[other.name]
			if s == nil || pairOf(p.name, s.from) != pairOf(from, to) {
				continue
			}
			s.dead = true
			if noticed {
				p.later(0, s.broke)
			}
		}
	}
}

// CutBoth cuts a link in both directions.
func (w *World) CutBoth(a, b string) {
	w.Cut(a, b)
	w.Cut(b, a)
}

// Heal joins a link in both directions.
func (w *World) Heal(a, b string) {
	w.log("heal %s-%s", a, b)
	delete(w.cut, [2]string{a, b})
	delete(w.cut, [2]string{b, a})
}

// HealAll joins all links.
func (w *World) HealAll() {
	w.log("heal all")
	clear(w.cut)
}

// Isolate cuts a process from all others.
func (w *World) Isolate(name string) {
	for _, other := range append(w.roster.Names(), witnessName) {
		if other != name {
			w.CutBoth(name, other)
		}
	}
}

// SkewWall sets a wall clock forward or back.
func (w *World) SkewWall(name string, by time.Duration) {
	w.log("wall %s %v", name, by)
	w.node(name).wallOffset += by
}
