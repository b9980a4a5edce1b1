package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/vclock"
)

// The outcomes of a write (DESIGN section 6).
const (
	applied    = "ok"
	notApplied = "not_applied"
	unknown    = "unknown"
)

// record is one line of a ledger: one write of a key that nobody else writes.
type record struct {
	Client   string `json:"client"`
	Op       string `json:"op"`
	Key      string `json:"key"`
	Value    string `json:"value"`
	InvokeNS int64  `json:"invoke_ns"` // since the start of the ledger
	ReturnNS int64  `json:"return_ns"`
	Outcome  string `json:"outcome"`
	Node     string `json:"node"`
	Dot      string `json:"dot"`
	Code     string `json:"code,omitempty"` // of the error
}

// outcomeOf says what became of a write.
func outcomeOf(err error) (outcome, code string) {
	if err == nil {
		return applied, ""
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		code = string(e.Code)
	}
	if client.NotApplied(err) {
		return notApplied, code
	}
	return unknown, code
}

// ledger writes records to a file.
type ledger struct {
	t     *testing.T
	file  string
	epoch time.Time

	mu  sync.Mutex
	out *os.File
	buf *bufio.Writer
	enc *json.Encoder
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{t: t, file: filepath.Join(t.TempDir(), "history.jsonl"), epoch: time.Now()}
	var err error
	if l.out, err = os.Create(l.file); err != nil {
		t.Fatal(err)
	}
	l.buf = bufio.NewWriter(l.out)
	l.enc = json.NewEncoder(l.buf)
	return l
}

// since is an instant as the ledger counts it.
func (l *ledger) since(at time.Time) int64 { return at.Sub(l.epoch).Nanoseconds() }

func (l *ledger) add(r record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.enc.Encode(r); err != nil {
		l.t.Error(err)
	}
}

// close ends the file and returns what it has.
func (l *ledger) close() history {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(l.buf.Flush(), l.out.Close()); err != nil {
		l.t.Fatal(err)
	}
	h, err := readHistory(l.file)
	if err != nil {
		l.t.Fatal(err)
	}
	return h
}

// history is the records of a ledger, as a checker reads them from the file.
type history []record

func readHistory(file string) (history, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var h history
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		h = append(h, r)
	}
	return h, lines.Err()
}

// at are the writes at one node.
func (h history) at(node string) history {
	return h.where(func(r record) bool { return r.Node == node })
}

// acked are the writes that were acknowledged.
func (h history) acked() history {
	return h.where(func(r record) bool { return r.Outcome == applied })
}

// refused are the writes that were not acknowledged.
func (h history) refused() history {
	return h.where(func(r record) bool { return r.Outcome != applied })
}

// begunIn are the writes that began between two instants.
func (h history) begunIn(from, to int64) history {
	return h.where(func(r record) bool { return r.InvokeNS >= from && r.InvokeNS < to })
}

// endedIn are the writes that were answered between two instants.
func (h history) endedIn(from, to int64) history {
	return h.where(func(r record) bool { return r.ReturnNS >= from && r.ReturnNS < to })
}

func (h history) where(is func(record) bool) history {
	var out history
	for _, r := range h {
		if is(r) {
			out = append(out, r)
		}
	}
	return out
}

// splitDot is the actor and the sequence of a dot; of none it is nobody and 0.
func splitDot(dot string) (actor string, seq uint64) {
	d, err := vclock.ParseDot(dot)
	if err != nil {
		return "", 0
	}
	return string(d.Actor), d.Seq
}
