package node

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Limits of episodes.
const (
	// EpisodeGap is how much later than all that an episode has the oldest sibling
	// of a conflict may be that still belongs to it.
	EpisodeGap = time.Minute
	// MaxEpisodes is the most episodes that a node goes on with at once, each for
	// its own set of nodes.
	MaxEpisodes = 64
)

// episode is a group of conflicts between the same nodes, one after the other:
// those of one partition. It has the id of its first record.
type episode struct {
	id     string
	newest vclock.Time // of all siblings in it
}

// episode puts a record into the episode that its node set is in, or begins one.
// What a batch has grouped counts only when it is committed. A conflict within
// one node is of no partition, and in no episode.
func (b *batch) episode(r *conflict.Record) string {
	nodes := map[string]bool{}
	for _, s := range r.Siblings {
		nodes[s.Node] = true
	}
	if len(nodes) < 2 {
		return ""
	}
	if b.episodes == nil {
		b.episodes = maps.Clone(b.e.episodes)
	}
	set := strings.Join(slices.Sorted(maps.Keys(nodes)), " ")
	oldest, newest := r.Siblings[0].Time, r.Siblings[len(r.Siblings)-1].Time
	in, ok := b.episodes[set]
	if !ok || oldest.Sub(in.newest) > EpisodeGap {
		if len(b.episodes) >= MaxEpisodes {
			clear(b.episodes)
		}
		in = episode{id: r.ID}
	}
	in.newest = max(in.newest, newest)
	b.episodes[set] = in
	return in.id
}
