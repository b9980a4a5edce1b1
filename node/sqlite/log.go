package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// sweepBatch is how many entries of covered versions the log keeps before they
// are swept out. The more they are, the more of them are on one page: of a
// million documents that are overwritten at random, 9.
const sweepBatch = 32_768

// sweepPace is how many entries a write sweeps out for each that it makes
// stale, so that one batch is out before the next is full.
const sweepPace = 2

// staleLog remembers which entries of the log are of versions that were
// covered. They do no harm, since whoever reads the log skips them; what a
// process that was killed remembered is found at the next start.
type staleLog struct {
	batch int     // sweepBatch; tests have less
	next  []entry // to be sorted when they are enough
	now   []entry // sorted, on their way out
}

// due returns the entries to sweep out in a transaction that adds so many.
func (s *staleLog) due(added int) []entry {
	return s.now[:min(len(s.now), sweepPace*added)]
}

// commit says that what a transaction did with the log is durable.
func (s *staleLog) commit(t *tx) {
	if t.closing {
		*s = staleLog{batch: s.batch}
		return
	}
	s.now = s.now[len(t.swept):]
	s.next = append(s.next, t.changes.old...)
	if len(s.now) == 0 && len(s.next) >= s.batch {
		s.now, s.next = s.next, nil
		sortEntries(s.now)
	}
}

func sortEntries(e []entry) {
	slices.SortFunc(e, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.seq, b.seq))
	})
}

// sweep takes entries of covered versions out of the log: some, and all when
// this process says goodbye to the file.
func (t *tx) sweep() error {
	t.swept = t.stale.due(len(t.changes.old))
	if t.closing {
		t.swept = slices.Concat(t.stale.now, t.stale.next, t.changes.old)
		sortEntries(t.swept)
	}
	for rest := t.swept; len(rest) > 0; {
		n := 1
		for n < min(len(rest), rowsAtOnce) && rest[n].actor == rest[0].actor {
			n++
		}
		if err := t.drop(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// drop deletes entries of one actor. The statement has a fixed number of
// places: the last sequence fills those that are left.
func (t *tx) drop(some []entry) error {
	args := append(t.w.args[:0], some[0].actor)
	for i := range rowsAtOnce {
		args = append(args, some[min(i, len(some)-1)].seq)
	}
	result, err := t.w.drop.exec(args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != int64(len(some)) {
		return damaged("write", fmt.Sprintf("the log had %d of %d entries of covered versions", n, len(some)))
	}
	return nil
}

// repairLog sweeps out what a process that was killed has left, and looks
// whether the log is that of the versions.
func repairLog(ctx context.Context, c *conn) error {
	err := c.script(ctx, `DELETE FROM log WHERE NOT EXISTS
		(SELECT 1 FROM versions v WHERE v.row = log.row AND v.actor = log.actor AND v.seq = log.seq)`)
	if err != nil {
		return err
	}
	missing, err := c.askInt("SELECT (SELECT count(*) FROM versions) - (SELECT count(*) FROM log)")
	if err == nil && missing != 0 {
		err = damaged("check", fmt.Sprintf("the log lacks %d versions", missing))
	}
	return err
}
