package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/stream"
	"github.com/syncline/syncline/node/timeline"
)

// Limits of the lines of the log that go to the events.
const (
	logRate   = 20  // lines a second in the long run
	logBurst  = 100 // lines at once
	logFields = 16  // pairs of a line
	logText   = 512 // bytes of one value
)

// Kinds of events that the process itself tells.
const (
	eventLog      = "log"      // a line of level warn or above
	eventFault    = "fault"    // chaos: a fault began, was healed, expired
	eventStanding = "standing" // how sound the node's past is
)

// newEvents makes what /v1/events tells. Its ids name this run of the process.
func newEvents() *stream.Log {
	return stream.NewLog(stream.Config{Life: strconv.FormatUint(randomNumber(), 36)})
}

// newTimeline opens what the folder keeps of former runs.
func newTimeline(folder string, log hclog.Logger) (*timeline.Timeline, error) {
	return timeline.Open(timeline.Config{Dir: folder, Failed: func(err error) {
		log.Named("timeline").Warn("the timeline cannot be written; it is kept in memory", "error", err)
	}})
}

// tellLog makes warnings and worse go to the events too.
func tellLog(log hclog.InterceptLogger, events *stream.Log) hclog.Logger {
	log.RegisterSink(&eventSink{events: events, limit: rate.NewLimiter(logRate, logBurst)})
	return log
}

// eventSink is a hclog.SinkAdapter.
type eventSink struct {
	events *stream.Log
	limit  *rate.Limiter
}

// Accept implements hclog.SinkAdapter.
func (s *eventSink) Accept(name string, level hclog.Level, message string, args ...any) {
	if level < hclog.Warn || !s.limit.Allow() {
		return
	}
	fields := map[string]string{}
	for i := 0; i+1 < len(args) && len(fields) < logFields; i += 2 {
		fields[clip(fmt.Sprint(args[i]), logText)] = clip(fmt.Sprint(args[i+1]), logText)
	}
	s.events.Add(eventLog, struct {
		Level   string            `json:"level"`
		Name    string            `json:"name"`
		Message string            `json:"message"`
		Fields  map[string]string `json:"fields"`
	}{level.String(), name, clip(message, logText), fields})
}

// tellFault tells the events of a fault.
func tellFault(events *stream.Log, c link.Change) {
	events.Add(eventFault, struct {
		State link.State `json:"state"` // begun, healed or expired
		Fault link.Fault `json:"fault"`
	}{c.State, c.Fault})
}

// tellFault tells the events and the timeline of a fault.
func (n *dataNode) tellFault(c link.Change) {
	tellFault(n.events, c)
	f := c.Fault
	n.timeline.Add(timeline.Entry{
		Kind: timeline.Fault, State: string(c.State), ID: f.ID, Fault: string(f.Kind), From: f.From, To: f.To, Both: f.Both, Until: &f.Expires,
	})
	n.api.Poke() // only the API puts faults on links
}

// tellStanding tells that this node's past became sounder, or less so.
func (n *dataNode) tellStanding(e node.Event) {
	n.events.Add(eventStanding, struct {
		Old string `json:"old"`
		New string `json:"new"`
	}{e.Old, e.New})
	n.timeline.Add(timeline.Entry{Kind: timeline.Standing, State: e.New})
}

// answerDigest answers another data node that compares documents. A witness
// stores none, and has no business to ask.
func (n *dataNode) answerDigest(ctx context.Context, caller string, body []byte) ([]byte, error) {
	if m, ok := n.roster.member(caller); !ok || m.Role != n.me.Role {
		return nil, errors.New("digests go to data nodes only")
	}
	return n.replicator.AnswerDigest(ctx, caller, body)
}
