package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

const (
	// MaxResolve is the most conflicts that one request resolves; without a limit
	// of its own it resolves so many.
	MaxResolve = 1000
	// resolvePage is how many open conflicts are read at once.
	resolvePage = 100
)

// picker chooses one of a conflict's siblings.
type picker struct {
	oldest bool
	node   string // only what was written there; empty: anywhere
}

// pick returns the choice, nil where no sibling fits.
func (p picker) pick(s conflict.Siblings) *conflict.Version {
	var out *conflict.Version
	for _, v := range s.Visible() {
		if p.node != "" && v.Dot.Actor.Node() != p.node {
			continue
		}
		if out == nil || conflict.Newer(v, out) != p.oldest {
			out = v
		}
	}
	return out
}

// resolveMany is a request that ends many conflicts by one rule.
type resolveMany struct {
	collection conflict.Collection // "": all
	policy     conflict.PolicyKind // "": all
	named      []string            // only these conflicts; nil: all that are open
	picker     picker
	resolver   string // decides instead of the picker; "": the picker does
	dry        bool
	limit      int
	reason     string
}

func readResolveMany(body []byte) (resolveMany, error) {
	m, err := readMembers(body)
	if err != nil {
		return resolveMany{}, err
	}
	m.only("filter", "pick", "resolver", "dry_run", "limit", "reason")
	out := resolveMany{dry: m.flag("dry_run"), limit: m.number("limit", MaxResolve), reason: m.reason()}
	if out.limit == 0 {
		out.limit = MaxResolve
	}
	if m.has("resolver") && !m.has("pick") {
		out.resolver = m.resolver()
	} else if out.picker = m.picker(); m.has("resolver") {
		m.fail("both pick and resolver: say one of them")
	}
	filter := m.object("filter")
	filter.only("c", "policy", "conflicts")
	out.named = filter.conflictIDs()
	if filter.has("c") {
		if out.collection, err = conflict.ParseCollection(filter.text("c")); err != nil {
			filter.fail("filter.c: %w", err)
		}
	}
	if filter.has("policy") {
		switch out.policy = conflict.PolicyKind(filter.text("policy")); out.policy {
		case conflict.KindLWW, conflict.KindMerge, conflict.KindScript, conflict.KindManual:
		default:
			filter.fail("filter.policy is %.40q: want lww, merge, script or manual", string(out.policy))
		}
	}
	if filter.err != nil {
		m.fail("%w", filter.err)
	}
	if m.err != nil {
		return out, invalid(m.err)
	}
	return out, nil
}

// picker reads the member "pick" of a request for many conflicts.
func (m *members) picker() picker {
	if !m.has("pick") {
		m.fail(`pick is missing: want "newest", "oldest" or {"node":"a"}`)
		return picker{}
	}
	if m.of["pick"][0] == '{' {
		in := m.object("pick")
		in.only("node")
		p := picker{node: in.text("node")}
		if in.err == nil && p.node == "" {
			in.fail("pick: which node?")
		}
		if in.err != nil {
			m.fail("%w", in.err)
		}
		return p
	}
	switch text := m.text("pick"); text {
	case "newest":
		return picker{}
	case "oldest":
		return picker{oldest: true}
	default:
		m.fail(`pick is %.40q: want "newest", "oldest" or {"node":"a"}`, text)
	}
	return picker{}
}

// resolveConflicts ends many conflicts by one rule, each for itself. Results go
// out as they come, and the last line says that there are no more.
func (s *Server) resolveConflicts(c echo.Context) error {
	r := c.Request()
	if err := acceptable(r, typeNDJSON); err != nil {
		return err
	}
	if err := refuseUnbuilt(r); err != nil {
		return err
	}
	for _, name := range []string{"If-Match", "If-None-Match", headContext} {
		if r.Header[name] != nil {
			return badRequest("header %s: it is about one document, and this path about many", name)
		}
	}
	p, err := parsePrefer(r.Header["Prefer"])
	if err != nil {
		return err
	}
	body, err := readBody(r, maxMany)
	if err != nil {
		return err
	}
	many, err := readResolveMany(body)
	if err != nil {
		return err
	}
	if _, err := s.await(r, p); err != nil {
		return err
	}
	if many.resolver != "" {
		if _, err := s.engine.ScriptOf(many.resolver); err != nil {
			return err
		}
	}
	if !many.dry {
		if err := s.engine.MayWrite(); err != nil {
			return err
		}
	}
	h := c.Response().Header()
	p.setApplied(h, false)
	h[headType], h[headCache] = valueNDJSON, valueNoStore
	run := resolveRun{
		s: s, w: c.Response().Writer, rc: http.NewResponseController(c.Response().Writer), trace: newTrace(),
		resolveMany: many, view: conflictView{s: s, policies: map[conflict.Collection]conflictPolicy{}},
	}
	err = run.run(r.Context())
	if err != nil && run.begun {
		s.cfg.Log.Debug("an answer about many conflicts was broken off", "trace_id", run.trace, "error", err)
		panic(http.ErrAbortHandler) // without its last line, the rest is unknown
	}
	return err
}

// resolveRun is the answer to one such request.
type resolveRun struct {
	resolveMany
	s     *Server
	w     http.ResponseWriter
	rc    *http.ResponseController
	view  conflictView
	trace string

	done, ok, failed, skipped int
	more                      bool // the limit was reached, and there are others
	begun                     bool // something was answered
}

// run goes through the open conflicts. An error breaks the answer off, without
// its last line.
func (r *resolveRun) run(ctx context.Context) error {
	if r.named != nil {
		return r.runNamed(ctx)
	}
	q := node.ConflictQuery{State: node.ConflictOpen, Collection: r.collection, Limit: resolvePage}
	for {
		page, err := r.s.engine.Conflicts(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Conflicts {
			if r.done == r.limit {
				r.more = true
				return r.end()
			}
			if err := r.one(ctx, &page.Conflicts[i]); err != nil {
				return err
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return r.end()
		}
	}
}

// resolveLine is the result of one conflict.
type resolveLine struct {
	Conflict   string              `json:"conflict"`
	Collection conflict.Collection `json:"collection"`
	ID         conflict.DocID      `json:"id"`
	Pick       *string             `json:"pick"` // the sibling chosen; null: none fits, and nothing was done
	Shown      *string             `json:"shown"`
	Same       bool                `json:"same"` // what is shown has that value already
	Status     int                 `json:"status"`
	Dot        *string             `json:"dot"` // of the version that ended it; null in a dry run, and where it failed
	Problem    *problem            `json:"problem,omitempty"`
	// with a resolver
	Verdict conflict.Verdict `json:"verdict,omitempty"`
	Doc     json.RawMessage  `json:"doc,omitempty"` // of a dry run
	Run     *conflict.Run    `json:"run,omitempty"` // of a dry run: what the resolver left
}

// one ends one conflict, or says how it would end.
func (r *resolveRun) one(ctx context.Context, c *node.Conflict) error {
	d := c.Open
	if r.policy != "" {
		policy, err := r.view.policy(ctx, d.Key.Collection)
		if err != nil || policy.Kind != r.policy {
			return err
		}
	}
	r.done++
	line := resolveLine{Conflict: c.ID, Collection: d.Key.Collection, ID: d.Key.ID, Status: http.StatusOK}
	if d.Shown.Winner != nil {
		line.Shown = known(d.Shown.Winner.Dot.String())
	}
	if r.resolver != "" {
		return r.byResolver(ctx, c, line)
	}
	pick := r.picker.pick(d.Live)
	if pick == nil {
		r.skipped++
		return r.write(line)
	}
	line.Pick = known(pick.Dot.String())
	line.Same = pick.Deleted == d.Shown.Deleted && bytes.Equal(pick.Body, d.Shown.Body)
	if !r.dry {
		out, err := r.s.engine.Resolve(ctx, c.ID, node.Resolution{Pick: pick.Dot, Who: anonymous, Reason: r.words(pick)})
		if !out.Dot.IsZero() {
			line.Dot = known(out.Dot.String())
		}
		if err != nil {
			r.failed++
			line.Problem = r.s.problemOf(err, r.trace)
			line.Status = line.Problem.Status
			return r.write(line)
		}
	}
	r.ok++
	return r.write(line)
}

// words is the reason on record.
func (r *resolveRun) words(pick *conflict.Version) string {
	switch {
	case r.reason != "":
		return r.reason
	case r.picker.node != "":
		return "somebody chose " + pick.Dot.String() + " among many, as what node " + r.picker.node + " has written"
	case r.picker.oldest:
		return "somebody chose " + pick.Dot.String() + " among many, as the oldest"
	}
	return "somebody chose " + pick.Dot.String() + " among many, as the newest"
}

func (r *resolveRun) end() error {
	return r.write(struct {
		Done    bool `json:"done"`
		DryRun  bool `json:"dry_run"`
		OK      int  `json:"ok"`
		Failed  int  `json:"failed"`
		Skipped int  `json:"skipped"`
		More    bool `json:"more"`
	}{true, r.dry, r.ok, r.failed, r.skipped, r.more})
}

// write sends one line. A client that does not read it in time has gone.
func (r *resolveRun) write(line any) error {
	r.begun = true
	// A writer without a connection (a test's) has no deadline to set.
	_ = r.rc.SetWriteDeadline(time.Now().Add(writeStall))
	if _, err := r.w.Write(append(mustJSON(line), '\n')); err != nil {
		return err
	}
	return r.rc.Flush()
}
