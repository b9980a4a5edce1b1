package node

import (
	"time"

	"github.com/syncline/syncline/conflict"
)

// EventKind says what happened.
type EventKind string

// The events of the engine.
const (
	EventActor     EventKind = "actor"      // a new actor was chosen: Old, New
	EventStanding  EventKind = "standing"   // Old, New
	EventDrift     EventKind = "drift"      // a peer's version is ahead of this clock: Key, By
	EventReusedDot EventKind = "reused_dot" // one dot names two writes: Key; an alarm
	EventConfig    EventKind = "config"     // a configuration or a resolver that cannot be read: Key, Err
	EventSiblings  EventKind = "siblings"   // a document has very many live versions: Key
	EventFailed    EventKind = "failed"     // the store failed, or the file went back: Err
	EventConflict  EventKind = "conflict"   // a document's conflict began, ended or changed: Doc; Old and New are ids, "" where there is none
)

// Event is told to whoever logs and shows. The core itself does neither.
type Event struct {
	Kind     EventKind
	Key      string
	Doc      conflict.Key // of EventConflict
	Old, New string
	By       time.Duration
	Err      error
}

// turned notes what a write makes of its document's conflict, to be told when it
// is durable. Those of the system's own collections are nobody's business.
func (b *batch) turned(before, after conflict.Siblings, key conflict.Key) {
	if key.Collection.IsSystem() {
		return
	}
	e := Event{Kind: EventConflict, Doc: key}
	if before.Conflicts() > 0 {
		e.Old = before.ID()
	}
	if after.Conflicts() > 0 {
		e.New = after.ID()
	}
	if e.Old != e.New {
		b.conflicts = append(b.conflicts, e)
	}
}
