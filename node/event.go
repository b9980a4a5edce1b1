package node

import "time"

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
)

// Event is told to whoever logs and shows. The core itself does neither.
type Event struct {
	Kind     EventKind
	Key      string
	Old, New string
	By       time.Duration
	Err      error
}
