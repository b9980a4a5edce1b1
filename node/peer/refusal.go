package peer

import (
	"fmt"
	"sync"
	"time"
)

// Reason says why one end refused the other.
type Reason string

// The reasons. They cross the wire in refusedHeader.
const (
	WrongSecret    Reason = "wrong_secret"
	OtherCluster   Reason = "other_cluster"
	WrongName      Reason = "wrong_name"
	WrongRole      Reason = "wrong_role"
	NotInRoster    Reason = "not_in_roster"
	BadCertificate Reason = "bad_certificate"
	NoHandshake    Reason = "no_handshake" // not TLS, too slow, or broken off
	TooMany        Reason = "too_many"     // handshakes at once
)

// Limits of reports.
const (
	// reportEvery is the shortest time between two reports of one refusal.
	reportEvery = 10 * time.Second
	// maxReported bounds how many different refusals are told apart in that time.
	maxReported = 256
	// maxReason bounds the words of a refusal or failure that a peer sends, in bytes.
	maxReason = 512
)

// RefusedError is a refusal, by this end or by the other one.
type RefusedError struct {
	Peer   string // the name dialled, or the address that called
	Reason Reason
	Detail string // plain words: what is wrong and what to do
}

// Error implements error.
func (e *RefusedError) Error() string {
	if e.Peer == "" {
		return fmt.Sprintf("refused (%s): %s", e.Reason, e.Detail)
	}
	return fmt.Sprintf("%s: refused (%s): %s", e.Peer, e.Reason, e.Detail)
}

// Refusal is what a process reports of a refusal at its own end.
type Refusal struct {
	Inbound    bool   // the other end called us
	Remote     string // its address
	Peer       string // the name that we dialled, or that it claims; empty: none
	Reason     Reason
	Detail     string
	Suppressed int // how many like it were not reported since the last one
}

// reporter passes refusals on, each at most once in reportEvery: a peer with a
// wrong secret calls several times a second for days.
type reporter struct {
	now    func() time.Time
	report func(Refusal)

	mu   sync.Mutex
	last map[reportKey]*reported
}

type reportKey struct {
	inbound bool
	who     string
	reason  Reason
}

type reported struct {
	at         time.Time
	suppressed int
}

func newReporter(now func() time.Time, report func(Refusal)) *reporter {
	if now == nil {
		now = time.Now
	}
	if report == nil {
		report = func(Refusal) {}
	}
	return &reporter{now: now, report: report, last: map[reportKey]*reported{}}
}

// refused reports r unless it, or one like it, was reported a moment ago.
func (rp *reporter) refused(r Refusal) {
	if rp.admit(&r) {
		rp.report(r)
	}
}

func (rp *reporter) admit(r *Refusal) bool {
	who := r.Peer
	if who == "" {
		who = host(r.Remote)
	}
	key := reportKey{inbound: r.Inbound, who: who, reason: r.Reason}
	now := rp.now()
	rp.mu.Lock()
	defer rp.mu.Unlock()
	seen := rp.last[key]
	if seen == nil {
		if len(rp.last) >= maxReported {
			rp.forget(now)
		}
		if len(rp.last) >= maxReported {
			return false
		}
		rp.last[key] = &reported{at: now}
		return true
	}
	if now.Sub(seen.at) < reportEvery {
		seen.suppressed++
		return false
	}
	r.Suppressed = seen.suppressed
	*seen = reported{at: now}
	return true
}

// forget drops what was reported long enough ago.
func (rp *reporter) forget(now time.Time) {
	for key, seen := range rp.last {
		if now.Sub(seen.at) >= reportEvery {
			delete(rp.last, key)
		}
	}
}
