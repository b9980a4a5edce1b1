package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Kinds of faults.
const (
	FaultCut   = "cut"   // nothing passes
	FaultDelay = "delay" // all passes, later
	FaultLoss  = "loss"  // some is lost
	FaultFlap  = "flap"  // cut and healed in turn
)

// Span is a duration that is written as Go writes it, such as "30s".
type Span time.Duration

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = Span(d)
	return err
}

// Fault is a fault on one process's own side of a link. It must be put on both
// ends to be one of the link.
type Fault struct {
	ID       string    `json:"id,omitempty"` // given by the node
	From     string    `json:"from"`         // the member whose sending is disturbed
	To       string    `json:"to"`
	Kind     string    `json:"kind"`
	Both     bool      `json:"both"`     // both directions
	Duration Span      `json:"duration"` // mandatory: chaos that is forgotten must end
	Delay    Span      `json:"delay,omitempty"`
	Loss     float64   `json:"loss,omitempty"`   // probability, above 0 and at most 1
	Started  time.Time `json:"started,omitzero"` // given by the node
	Expires  time.Time `json:"expires,omitzero"` // given by the node
}

const faultsPath = "/v1/chaos/faults"

// errNotPinned is the error of a fault that might land on any node.
var errNotPinned = errors.New("chaos is of one node: ask the client for it by At")

// fault makes a call about chaos, at the one node of a pinned client.
func (c *Client) fault(ctx context.Context, r *call, into any) error {
	r.write, r.alone = r.method != http.MethodGet, true
	if !c.cfg.Pinned {
		return &Error{Op: r.op(), Code: Invalid, Err: errNotPinned}
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	return a.decode(r, into)
}

// AddFault puts a fault on the one node of a client that At gave. The node must
// have been started with --chaos.
func (c *Client) AddFault(ctx context.Context, fault Fault) (*Fault, error) {
	fault.ID, fault.Started, fault.Expires = "", time.Time{}, time.Time{}
	body, err := json.Marshal(fault)
	if err != nil {
		return nil, &Error{Op: http.MethodPost + " " + faultsPath, Code: Invalid, Err: err}
	}
	added := &Fault{}
	header := http.Header{"Content-Type": {"application/json"}}
	if err := c.fault(ctx, &call{method: http.MethodPost, path: faultsPath, header: header, body: body}, added); err != nil {
		return nil, err
	}
	return added, nil
}

// Faults lists the faults of the one node of a client that At gave.
func (c *Client) Faults(ctx context.Context) ([]Fault, error) {
	var list struct {
		Faults []Fault `json:"faults"`
	}
	err := c.fault(ctx, &call{method: http.MethodGet, path: faultsPath}, &list)
	return list.Faults, err
}

// RemoveFault ends one fault of the one node of a client that At gave.
func (c *Client) RemoveFault(ctx context.Context, id string) error {
	r := &call{method: http.MethodDelete, path: faultsPath + "/" + url.PathEscape(id)}
	if id == "" {
		return &Error{Op: r.op(), Code: Invalid, Err: errors.New("the id of the fault is empty; Heal ends all")}
	}
	var healed struct{}
	return c.fault(ctx, r, &healed)
}

// Heal ends all faults of the one node of a client that At gave, and says how
// many there were.
func (c *Client) Heal(ctx context.Context) (int, error) { return c.heal(ctx, "") }

// HealLink is Heal for the faults of one link: those that disturb what goes from
// one member to another, with both also those of the other direction.
func (c *Client) HealLink(ctx context.Context, from, to string, both bool) (int, error) {
	if from == "" || to == "" {
		return 0, &Error{Op: http.MethodDelete + " " + faultsPath, Code: Invalid, Err: errors.New("a link has two ends; Heal ends all")}
	}
	q := url.Values{"from": {from}, "to": {to}, "both": {strconv.FormatBool(both)}}
	return c.heal(ctx, "?"+q.Encode())
}

func (c *Client) heal(ctx context.Context, query string) (int, error) {
	var healed struct {
		Healed int `json:"healed"`
	}
	err := c.fault(ctx, &call{method: http.MethodDelete, path: faultsPath + query}, &healed)
	return healed.Healed, err
}
