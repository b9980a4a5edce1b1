package rest

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/timeline"
)

const (
	// watchEvery is how often the state is looked at for changes. What pokes the
	// watch is seen at once.
	watchEvery = 100 * time.Millisecond
	// lagEvery is the shortest time between two events about lag.
	lagEvery = 250 * time.Millisecond
	// gaugesEvery is the shortest time between two events about figures that
	// always move: round trips, and what is left of leases.
	gaugesEvery = time.Second
	// maxConflictEvents is how many conflicts are told one by one within a second.
	// Of more the counts tell.
	maxConflictEvents = 50
)

// Timeline keeps changes of state. *timeline.Timeline is one.
type Timeline interface {
	Add(timeline.Entry)
	Between(timeline.Query) timeline.Page
}

// watch is what the events have told so far. Watch alone uses it, but for the
// members behind mu.
type watch struct {
	write     writeJSON
	links     map[[2]string]Link
	votes     map[VoteEvent]bool
	voters    votesJSON
	peers     []Peer
	lagAt     time.Time // when the event lag was told
	votesAt   time.Time // when the event votes was told
	conflicts conflictCounts

	mu      sync.Mutex
	poke    chan struct{} // something changed that must not wait
	second  time.Time     // the second that the counts below are of
	opened  int
	settled int
	told    int // one by one, or too many for that
}

// Poke makes Watch look now: something has changed.
func (s *Server) Poke() {
	select {
	case s.watch.poke <- struct{}{}:
	default: // it will look anyway
	}
}

// Watch tells changes of state to the events and the timeline until the context
// ends, and returns its error. Run it once.
func (s *Server) Watch(ctx context.Context) error {
	s.look(ctx, true)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			s.countSecond(time.Time{})
			return ctx.Err()
		case <-ticker.C:
		case <-s.watch.poke:
		}
		s.look(ctx, false)
	}
}

// look compares the state with what was told. At the first look all of it goes
// to the timeline, and none to the events: a reader begins with the whole state.
func (s *Server) look(ctx context.Context, first bool) {
	now := time.Now()
	status := s.cfg.Cluster.Status()
	s.lookAtWrite(s.writeJSON(status.Write), first)
	s.lookAtLinks(first)
	s.lookAtVotes(now, first)
	s.lookAtLag(now, filled(status.Peers))
	s.lookAtConflicts(ctx, now, first)
}

func (s *Server) lookAtWrite(is writeJSON, first bool) {
	was := s.watch.write
	s.watch.write = is
	is.ExpiresInMS, was.ExpiresInMS = 0, 0 // it always moves
	if !first && reflect.DeepEqual(is, was) {
		return
	}
	if first || is.State != was.State || is.Cause != was.Cause {
		s.note(timeline.Entry{Kind: timeline.Write, State: is.State, Cause: string(is.Cause)})
	}
	if !first {
		s.cfg.Events.Add(eventWrite, s.watch.write)
	}
}

// lookAtLinks tells of the links that this process has ends of; of others it
// knows nothing.
func (s *Server) lookAtLinks(first bool) {
	told := map[[2]string]Link{}
	for _, l := range s.linksJSON().Links {
		if l.Hearsay {
			continue
		}
		key := [2]string{l.From, l.To}
		told[key] = l
		was, known := s.watch.links[key]
		if known && was.State == l.State && slices.Equal(was.Faults, l.Faults) {
			continue
		}
		if !known || was.State != l.State {
			s.note(timeline.Entry{Kind: timeline.Link, State: l.State, Cause: l.Cause, From: l.From, To: l.To})
		}
		if !first {
			s.cfg.Events.Add(eventLink, l)
		}
	}
	s.watch.links = told
}

// lookAtVotes tells what is new in the log of votes at once, and the leases now
// and then: sooner when somebody gave or withdrew its vote.
func (s *Server) lookAtVotes(now time.Time, first bool) {
	v := s.cfg.Cluster.Votes()
	told := make(map[VoteEvent]bool, len(v.Log))
	for _, e := range v.Log {
		if told[e] = true; !first && !s.watch.votes[e] {
			s.cfg.Events.Add(eventVote, e)
		}
	}
	s.watch.votes = told
	v.Log = nil
	is := s.votesJSON(v)
	if now.Sub(s.watch.votesAt) < gaugesEvery && sameVoters(is, s.watch.voters) {
		return
	}
	s.watch.voters, s.watch.votesAt = is, now
	s.cfg.Events.Set(eventVotes, is)
}

// sameVoters compares what does not move all the time.
func sameVoters(a, b votesJSON) bool {
	return a.State == b.State && a.Votes == b.Votes && slices.Equal(a.Alerts, b.Alerts) &&
		slices.EqualFunc(a.Voters, b.Voters, func(x, y voterJSON) bool {
			return x.Name == y.Name && x.Granted == y.Granted && x.Reason == y.Reason
		})
}

// lookAtLag tells who lacks how much when that has changed, and with it round
// trips and clocks.
func (s *Server) lookAtLag(now time.Time, is []Peer) {
	same := slices.EqualFunc(is, s.watch.peers, func(a, b Peer) bool {
		return a.Name == b.Name && a.Reachable == b.Reachable && a.NodeLacks == b.NodeLacks && a.PeerLacks == b.PeerLacks
	})
	pause := lagEvery
	if same {
		pause = gaugesEvery
	}
	if now.Sub(s.watch.lagAt) < pause {
		return
	}
	s.watch.peers, s.watch.lagAt = is, now
	s.cfg.Events.Set(eventLag, struct {
		Lag   Lag    `json:"lag"` // what this node lacks, the worst over the data nodes
		Peers []Peer `json:"peers"`
	}{s.cfg.Cluster.Lag(), is})
}

// lookAtConflicts tells how many there are, and ends the second of the
// timeline's count.
func (s *Server) lookAtConflicts(ctx context.Context, now time.Time, first bool) {
	s.countSecond(now)
	counts, err := s.engine.ConflictCounts(ctx)
	if err != nil {
		return // the store fails, or this process ends: both are told elsewhere
	}
	is := conflictCounts{Open: counts.Open, Settled: counts.Records}
	if first || is != s.watch.conflicts {
		s.watch.conflicts = is
		s.cfg.Events.Set(eventConflicts, is)
	}
}

// conflictJSON is the event of a conflict that began or ended.
type conflictJSON struct {
	ID         string `json:"id"`
	State      string `json:"state"` // open, or settled: it is on record
	Collection string `json:"collection"`
	DocID      string `json:"doc_id"`
	Replaces   string `json:"replaces,omitempty"` // the id that it had until its siblings changed
}

// Conflict tells that a document's conflict began, ended, or got other
// siblings, which gives it another id. It returns soon.
func (s *Server) Conflict(e node.Event) {
	s.countSecond(time.Now())
	c := conflictJSON{ID: e.New, State: string(node.ConflictOpen), Collection: string(e.Doc.Collection), DocID: string(e.Doc.ID), Replaces: e.Old}
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	switch {
	case e.New == "":
		c.ID, c.State, c.Replaces = e.Old, string(node.ConflictSettled), ""
		s.watch.settled++
		s.metrics.settled.Inc()
	case e.Old == "":
		s.watch.opened++
		s.metrics.opened.Inc()
	}
	if s.watch.told++; s.watch.told <= maxConflictEvents {
		s.cfg.Events.Add(eventConflict, c)
	}
}

// countSecond notes the conflicts of a second once it is over. The zero time
// ends any.
func (s *Server) countSecond(now time.Time) {
	s.watch.mu.Lock()
	second, opened, settled := s.watch.second, s.watch.opened, s.watch.settled
	is := now.Truncate(time.Second)
	if over := !is.Equal(second); over {
		s.watch.second, s.watch.opened, s.watch.settled, s.watch.told = is, 0, 0, 0
	} else {
		opened, settled = 0, 0
	}
	s.watch.mu.Unlock()
	if opened+settled > 0 {
		s.note(timeline.Entry{Time: second, Kind: timeline.Conflicts, Opened: opened, Settled: settled})
	}
}

// note adds to the timeline, where there is one.
func (s *Server) note(e timeline.Entry) {
	if s.cfg.Timeline != nil {
		s.cfg.Timeline.Add(e)
	}
}
