package rest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// getExplanation says why a document shows what it shows, what each of its
// versions would lose, and what an open conflict waits for.
func (s *Server) getExplanation(c echo.Context) error {
	r := c.Request()
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	if err := s.freshJSON(c); err != nil {
		return err
	}
	x, err := s.engine.Explain(r.Context(), key)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	s.setDocument(h, &x.Document)
	if len(x.Document.Live) == 0 {
		return absent(&x.Document)
	}
	b := append(appendFactsOf(&x, h[headContext][0]), `,"waits_for":`...)
	b = append(b, mustJSON(s.missers(x.Unstable))...)
	return reply(c.Response(), http.StatusOK, valueJSON, append(appendExplained(append(b, `,"siblings":`...), &x), '}'))
}

// appendFactsOf appends what is said of the document as a whole, without the
// closing brace.
func appendFactsOf(x *node.Explanation, context string) []byte {
	d := &x.Document
	shown := struct {
		Dot     *vclock.Dot `json:"dot"` // null: no one version has it
		Deleted bool        `json:"deleted"`
	}{Deleted: d.Shown.Deleted}
	if d.Shown.Winner != nil {
		shown.Dot = &d.Shown.Winner.Dot
	}
	text := mustJSON(struct {
		Collection conflict.Collection `json:"collection"`
		ID         conflict.DocID      `json:"id"`
		ETag       string              `json:"etag"`
		Context    string              `json:"context"`
		Conflicts  int                 `json:"conflicts"`
		Conflict   *string             `json:"conflict"` // null: it is in none
		Policy     conflictPolicy      `json:"policy"`
		Shown      any                 `json:"shown"`
		Reason     string              `json:"reason"`
		Waits      *string             `json:"waits"` // null: it is in no conflict
		Stable     bool                `json:"stable"`
		LostMore   int                 `json:"lost_more"`
	}{
		d.Key.Collection, d.Key.ID, quotedTag(d), context, d.Live.Conflicts(), known(x.Conflict),
		conflictPolicy{Kind: x.Policy.Kind, Version: known(x.Version), Resolver: known(x.Policy.Resolver), ResolverVersion: known(x.ScriptVersion)},
		shown, x.Reason, known(x.Waits), len(x.Unstable) == 0, x.LostMore,
	})
	return text[:len(text)-1]
}

// misser is a data node that may lack versions.
type misser struct {
	Node  string   `json:"node"`
	Lacks []string `json:"lacks"`
}

// missers says which data nodes may lack which versions.
func (s *Server) missers(dots []vclock.Dot) []misser {
	lacks := map[string][]string{}
	for _, d := range dots {
		for _, name := range s.cfg.Cluster.Lacking(d) {
			lacks[name] = append(lacks[name], d.String())
		}
	}
	out := []misser{}
	for _, name := range slices.Sorted(maps.Keys(lacks)) {
		out = append(out, misser{name, lacks[name]})
	}
	return out
}

// appendExplained appends the siblings, each with what of it is not in the value
// shown.
func appendExplained(b []byte, x *node.Explanation) []byte {
	lost := map[vclock.Dot][]lostJSON{}
	for _, l := range x.Lost {
		lost[l.Dot] = append(lost[l.Dot], lostJSON{Dot: l.Dot, Path: l.Path, Value: l.Value, Delta: known(l.Delta), Change: known(l.Change)})
	}
	d := &x.Document
	b = append(b, '[')
	for i, v := range oldestFirst(d.Live) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSide(b, &side{dot: v.Dot, time: v.Time, deleted: v.Deleted, hidden: d.Hidden(v), size: len(v.Body)})
		b = appendClock(append(b, `,"clock":`...), &v.Clock)
		b = strconv.AppendBool(append(b, `,"stable":`...), !slices.Contains(x.Unstable, v.Dot))
		list := lost[v.Dot]
		if list == nil {
			list = []lostJSON{}
		}
		b = append(append(append(b, `,"lost":`...), mustJSON(list)...), '}')
	}
	return append(b, ']')
}
