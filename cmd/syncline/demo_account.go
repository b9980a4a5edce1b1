package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/client"
)

const (
	// accountWorkers is how many documents are read at once for their siblings.
	accountWorkers = 8

	// shownLost is how many lost writes are named.
	shownLost = 5
)

// ack is one acknowledged write: its name and the hash of its bytes.
type ack struct {
	dot string
	sum [sha256.Size]byte
}

// ledger keeps what was acknowledged, by id. It is safe for several goroutines.
type ledger struct {
	mu    sync.Mutex
	acks  map[string][]ack
	count int
}

func newLedger() *ledger { return &ledger{acks: map[string][]ack{}} }

// add notes one acknowledged write.
func (l *ledger) add(id, dot string, doc []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks[id] = append(l.acks[id], ack{dot, sha256.Sum256(doc)})
	l.count++
}

// account is what one node has of what was acknowledged.
type account struct {
	documents int      // read
	conflicts int      // documents with several live versions
	live      int      // acknowledged writes that are live, with the bytes that were sent
	covered   int      // those that a live version has seen and replaced
	lost      []string // those that are neither: ids, with the dot
}

// account reads every document of a collection back from one node, and looks
// for each acknowledged write: it must be live with its own bytes, or in the
// causal past of a live version.
func (l *ledger) account(ctx context.Context, c *client.Client, collection string) (*account, error) {
	out := &account{}
	seen := map[string]bool{}
	var closer []string // documents of which the list does not say enough
	for d, err := range c.List(ctx, collection, client.ListOptions{Page: exportPage}) {
		if err != nil {
			return nil, err
		}
		out.documents++
		if d.Conflicts > 0 {
			out.conflicts++
		}
		seen[d.ID] = true
		acks := l.acks[d.ID]
		if d.Conflicts == 0 && len(acks) == 1 && acks[0] == (ack{d.Dot, sha256.Sum256(d.Doc)}) {
			out.live++
			continue
		}
		closer = append(closer, d.ID)
	}
	for id, acks := range l.acks {
		if !seen[id] {
			out.lost = append(out.lost, fmt.Sprintf("%s (%s)", id, acks[0].dot))
		}
	}
	return out, l.lookCloser(ctx, c, client.Key{Collection: collection}, closer, out)
}

// lookCloser reads the live versions of documents, several at once.
func (l *ledger) lookCloser(ctx context.Context, c *client.Client, key client.Key, ids []string, out *account) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(accountWorkers)
	var mu sync.Mutex // guards out
	for _, id := range ids {
		group.Go(func() error {
			s, err := c.Siblings(ctx, client.Key{Collection: key.Collection, ID: id}, client.Options{})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, a := range l.acks[id] {
				switch {
				case a.live(s.Siblings):
					out.live++
				case a.covered(s.Siblings):
					out.covered++
				default:
					out.lost = append(out.lost, fmt.Sprintf("%s (%s)", id, a.dot))
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// live says whether the write is one of the live versions, with its own bytes.
func (a ack) live(siblings []client.Sibling) bool {
	return slices.ContainsFunc(siblings, func(v client.Sibling) bool { return v.Dot == a.dot && sha256.Sum256(v.Doc) == a.sum })
}

// covered says whether a live version had seen the write.
func (a ack) covered(siblings []client.Sibling) bool {
	actor, digits, ok := strings.Cut(a.dot, ":")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil {
		return false
	}
	return slices.ContainsFunc(siblings, func(v client.Sibling) bool {
		return v.Clock[actor] >= seq || slices.Contains(v.Loose, a.dot)
	})
}

// lostNames names some of the lost writes.
func (a *account) lostNames() string {
	names := a.lost[:min(len(a.lost), shownLost)]
	if len(a.lost) > len(names) {
		return strings.Join(names, ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
