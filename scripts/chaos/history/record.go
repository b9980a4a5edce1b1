package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// MaxLine is the longest line of a history, in bytes: a document of the
	// longest and what is said about it.
	MaxLine = 24 << 20
	// MaxRecords is the most records of one history.
	MaxRecords = 5_000_000
)

// Operations.
const (
	OpCluster = "cluster"
	OpPut     = "put"
	OpDelete  = "delete"
	OpGet     = "get"
	OpAppend  = "append" // If-Match: the list that was read, and one element more
	OpInc     = "inc"
	OpMember  = "member" // the client's own member of a document that many write
	OpOps     = "ops"    // intents; the value is their text, not what they made
	OpNet     = "net"
	OpState   = "state"
	OpFinal   = "final"
	OpEvent   = "event"
	OpClaim   = "claim"
	OpNote    = "note"
)

// Outcomes of an operation (DESIGN section 6).
const (
	OK      = "ok"
	Refused = "not_applied"
	Unknown = "unknown"
)

// States of a node.
const (
	Writable = "writable"
	ReadOnly = "read-only"
	Down     = "down"    // its process was ended or stopped
	Silent   = "unknown" // it does not answer
)

// Record is one line of a history. Which fields are set depends on Op.
type Record struct {
	Client   string `json:"client"`
	Op       string `json:"op"`
	Key      string `json:"key,omitempty"`   // COLLECTION/ID
	Value    string `json:"value,omitempty"` // the body; of append the element, of inc the amount, of member {NAME:n}, of state the state
	InvokeNS int64  `json:"invoke_ns"`       // since the start of the run
	ReturnNS int64  `json:"return_ns"`
	Outcome  string `json:"outcome,omitempty"`
	Node     string `json:"node,omitempty"`
	Dot      string `json:"dot,omitempty"`
	Code     string `json:"code,omitempty"`    // of the error
	Base     string `json:"base,omitempty"`    // the If-Match of a write
	Absent   bool   `json:"absent,omitempty"`  // of get and final: there is no document
	Session  bool   `json:"session,omitempty"` // the client carries its session
	// Minority: taken without a majority, by the collection's own rule.
	Minority  bool       `json:"minority,omitempty"`
	Conflicts int        `json:"conflicts,omitempty"`
	Text      string     `json:"text,omitempty"` // of net, claim and note: in words
	Net       *Net       `json:"net,omitempty"`
	Cluster   *Cluster   `json:"cluster,omitempty"`
	Final     *Final     `json:"final,omitempty"`
	At        *SourcePos `json:"at,omitempty"` // the line of the script
}

// SourcePos is a place in a script.
type SourcePos struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// String is file:line.
func (p *SourcePos) String() string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Cluster is what the first line says.
type Cluster struct {
	Script  string        `json:"script"`
	Seed    uint64        `json:"seed"`
	Data    []string      `json:"data"`
	Witness string        `json:"witness,omitempty"`
	Bound   time.Duration `json:"bound_ns"` // B of PROTOCOL part 2, nanoseconds
	Net     string        `json:"net"`      // how links are cut
}

// Net is the network from an instant on.
type Net struct {
	Cuts   []Pair   `json:"cuts"`   // links of which at least one direction is dead
	Down   []string `json:"down"`   // processes that do not run, or stand still
	Faults []string `json:"faults"` // everything that is wrong, in words
}

// Pair is a link, its ends in the order of their names.
type Pair [2]string

// PairOf is the link between two members.
func PairOf(x, y string) Pair {
	if y < x {
		return Pair{y, x}
	}
	return Pair{x, y}
}

// Version is a version that is live or stands in a record of a conflict.
type Version struct {
	Dot   string `json:"dot"`
	Value string `json:"value"` // empty: a tombstone, or not kept
}

// Final is where the versions of one key stand at one node, after the end.
type Final struct {
	Clock    map[string]uint64 `json:"clock"` // of all live versions and their dots
	Loose    []string          `json:"loose,omitempty"`
	Live     []Version         `json:"live"`
	Recorded []Version         `json:"recorded,omitempty"`
	Past     map[string]uint64 `json:"past,omitempty"` // clocks of what is on record
}

// Write writes records as JSON lines.
func Write(w io.Writer, records []Record) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for i := range records {
		if err := enc.Encode(&records[i]); err != nil {
			return fmt.Errorf("history: record %d: %w", i+1, err)
		}
	}
	return out.Flush()
}

// Read reads a history. An error names the line.
func Read(r io.Reader) ([]Record, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), MaxLine)
	var out []Record
	for in.Scan() {
		if len(in.Bytes()) == 0 {
			continue
		}
		var one Record
		if err := json.Unmarshal(in.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(out)+1, err)
		}
		if one.Op == "" || one.ReturnNS < one.InvokeNS {
			return nil, fmt.Errorf("line %d: want an op, and a return that is not before the invocation", len(out)+1)
		}
		if len(out) == MaxRecords {
			return nil, fmt.Errorf("more than %d records: split the run", MaxRecords)
		}
		out = append(out, one)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(out)+1, err)
	}
	if len(out) == 0 {
		return nil, errors.New("the history is empty")
	}
	return out, nil
}

// ClusterOf is what the first line says of the cluster, nil without one.
func ClusterOf(records []Record) *Cluster {
	if len(records) == 0 {
		return nil
	}
	return records[0].Cluster
}

// isWrite says whether a record is a client's write.
func (r *Record) isWrite() bool {
	switch r.Op {
	case OpPut, OpDelete, OpAppend, OpInc, OpMember, OpOps:
		return true
	}
	return false
}
