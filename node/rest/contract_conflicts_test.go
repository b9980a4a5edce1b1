package rest

import (
	"errors"
	"strings"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// prepared are conflicts of each kind, on one node.
type prepared struct {
	open     string // of accounts/open
	old      string // was that of accounts/changed, which has one sibling more by now
	policy   string // of accounts/policy, ended by the policy
	settled  string // of accounts/settled, ended by a write
	loser    string // the dot of a sibling of settled
	openTag  string // what accounts/open shows
	otherTag string // what accounts/settled shows
}

// nobodys is the id of no conflict.
const nobodys = "aaaaaaaaaaaaaaaaaaaaaaaaaa"

// conflictOf makes a conflict of a document and returns its id.
func (s *stand) conflictOf(id string) string {
	s.t.Helper()
	s.split(id)
	problem := s.must(412, "PUT", "/v1/docs/accounts/"+id, `{}`, `If-Match: "other"`).object(s.t)
	return problem["conflict"].(string)
}

// settle ends what a policy can end now.
func (s *stand) settle() {
	s.t.Helper()
	turn := true
	settler := node.Settler{
		Engine: s.engine, Stable: func() vclock.Vector { return s.engine.Published().Frontier },
		Turn: func() bool { defer func() { turn = false }(); return turn },
	}
	if err := settler.Once(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stand) prepare() prepared {
	s.t.Helper()
	p := prepared{policy: s.conflictOf("policy")}
	s.settle()
	p.open, p.old, p.settled = s.conflictOf("open"), s.conflictOf("changed"), s.conflictOf("settled")
	s.must(200, "PUT", "/v1/docs/accounts/settled", `{"balance":1}`)
	first := s.must(200, "GET", "/v1/conflicts/"+p.settled, "").object(s.t)["siblings"].([]any)[0]
	p.loser = first.(map[string]any)["dot"].(string)
	s.must(200, "PUT", "/v1/docs/accounts/changed", `{"balance":30}`, "Causal-Context: "+s.first["changed"])
	s.must(201, "PUT", "/v1/collections/kept", `{}`)
	p.openTag = s.must(200, "GET", "/v1/docs/accounts/open", "").header.Get("ETag")
	p.otherTag = s.must(200, "GET", "/v1/docs/accounts/settled", "").header.Get("ETag")
	return p
}

// decisions is one request of each kind that changes conflicts or
// configurations, and is well-formed.
func (p prepared) decisions(status int, code string) []call {
	at := func(id, action string) string { return "/v1/conflicts/" + id + "/" + action }
	return []call{
		{method: "POST", target: at(p.open, "resolve"), body: `{"doc":{"balance":50}}`, status: status, code: code},
		{method: "POST", target: at(p.settled, "restore"), body: `{"dot":"` + p.loser + `"}`, status: status, code: code},
		{method: "POST", target: at(p.policy, "revert"), status: status, code: code},
		{method: "POST", target: at(p.policy, "review"), body: `{}`, status: status, code: code},
		{method: "POST", target: "/v1/conflicts/resolve", body: `{"pick":"newest"}`, status: status, code: code},
		{method: "PUT", target: "/v1/collections/kept", body: `{}`, status: status, code: code},
		{method: "PATCH", target: "/v1/collections/kept", body: `{}`, status: status, code: code},
		{method: "DELETE", target: "/v1/collections/kept", status: status, code: code},
	}
}

// oneByOne leaves out the request about many conflicts, whose lines have statuses
// of their own.
func oneByOne(calls []call) []call {
	var out []call
	for _, c := range calls {
		if c.target != "/v1/conflicts/resolve" {
			out = append(out, c)
		}
	}
	return out
}

// lookups are the reads.
func (p prepared) lookups() []string {
	return []string{"/v1/collections", "/v1/collections/kept", "/v1/conflicts", "/v1/conflicts/" + p.open, "/v1/conflicts/" + p.settled}
}

// conflictWorlds are the states of a node in which conflicts and collections are
// asked for.
func conflictWorlds() []world {
	refused := func(status int, code string, turn func(*stand)) func(*stand) []call {
		return func(s *stand) []call {
			calls := s.prepare().decisions(status, code)
			turn(s)
			return calls
		}
	}
	return []world{
		{name: "conflicts", changes: true, make: goodDecisions},
		{name: "conflicts, read-only", make: refused(503, "read_only", func(s *stand) { s.vote.set(cut(), 0) })},
		{name: "conflicts, stopping", make: refused(503, "draining", func(s *stand) { s.engine.Drain() })},
		{name: "conflicts, the lease is lost", changes: true, make: func(s *stand) []call {
			calls := oneByOne(s.prepare().decisions(504, "lease_lost"))
			s.vote.lost = true
			return calls
		}},
		{name: "conflicts, the disk is full", make: func(s *stand) []call { return oneByOne(s.prepare().decisions(507, "disk_full")) }, each: func(s *stand) {
			s.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull, Err: errors.New("no space left")}, false)
		}},
		{name: "conflicts, behind", make: conflictsBehind},
		{name: "conflicts, slow bodies", make: func(s *stand) (out []call) {
			for _, c := range s.prepare().decisions(408, "slow_body") {
				if c.body = stuck; c.method != "DELETE" {
					out = append(out, c)
				}
			}
			return out
		}},
		{name: "conflicts, not built", make: unbuiltDecisions},
		{name: "bad decisions", make: badDecisions},
		{name: "bad collections", make: badCollections},
		{name: "writers who have not looked", make: carelessWrites},
	}
}

func goodDecisions(s *stand) []call {
	p := s.prepare()
	calls := []call{
		{method: "GET", target: "/v1/conflicts?state=settled&by=overwritten&c=accounts&limit=1", status: 200},
		{method: "GET", target: "/v1/conflicts?by=person", status: 200},
		{method: "GET", target: "/v1/conflicts?episode=" + nobodys, status: 200},
		{method: "HEAD", target: "/v1/conflicts/" + p.open, status: 200},
		{method: "PUT", target: "/v1/collections/first", body: `{"policy":{"kind":"manual"}}`, status: 201},
		{method: "PATCH", target: "/v1/collections/second", body: `{"require_context":true}`, status: 201},
		{method: "GET", target: "/v1/collections/nobody", status: 200},
	}
	for _, target := range p.lookups() {
		calls = append(calls, call{method: "GET", target: target, status: 200})
	}
	return append(calls, p.decisions(200, "")...)
}

func conflictsBehind(s *stand) []call {
	p := s.prepare()
	out := p.decisions(503, "behind")
	for _, target := range p.lookups() {
		out = append(out, call{method: "GET", target: target, status: 503, code: "behind"})
	}
	future := vclock.ContextOf(vclock.VectorOf(vclock.Dot{Actor: "a~k3f9x2mz", Seq: 99}))
	for i := range out {
		out[i].headers = merge("Session: "+s.engine.SessionToken(future), "Prefer: wait=0")
	}
	return out
}

func unbuiltDecisions(s *stand) []call {
	var out []call
	for _, c := range s.prepare().decisions(501, "not_built") {
		c.headers = merge("Idempotency-Key: k")
		out = append(out, c)
		c.headers, c.target = nil, c.target+"?ack=majority"
		out = append(out, c)
	}
	for _, config := range []string{
		`{"ack":"majority"}`, `{"ack":"all"}`,
	} {
		out = append(out,
			call{method: "PUT", target: "/v1/collections/kept", body: config, status: 501, code: "not_built"},
			call{method: "PATCH", target: "/v1/collections/new", body: config, status: 501, code: "not_built"})
	}
	return out
}

// badDecisions: "409 … conflict_changed", "412 failed precondition", "422
// well-formed but wrong", and what no path about conflicts can read.
func badDecisions(s *stand) []call {
	p := s.prepare()
	var out []call
	for _, c := range p.decisions(0, "") {
		with := func(status int, code string, change func(*call)) {
			c := c
			c.status, c.code = status, code
			change(&c)
			out = append(out, c)
		}
		with(400, "bad_request", func(c *call) { c.headers = merge("Prefer: wait=soon") })
		with(400, "bad_request", func(c *call) { c.headers = merge("Causal-Context: x") })
		with(400, "bad_session", func(c *call) { c.headers = merge("Session: x") })
		with(400, "bad_request", func(c *call) { c.target += "?ack=some" })
		with(406, "not_acceptable", func(c *call) { c.headers = merge("Accept: text/html") })
		if c.method == "DELETE" {
			continue
		}
		with(400, "bad_json", func(c *call) { c.body = `{"a":1,"a":2}` })
		with(422, "invalid", func(c *call) { c.body = `[]` })
		with(415, "unsupported_type", func(c *call) { c.headers = merge("Content-Encoding: gzip") })
		with(413, "too_large", func(c *call) { c.body = `{"doc":"` + strings.Repeat("x", node.DefaultBody+maxAction) + `"}` })
		with(422, "invalid", func(c *call) { c.body = `{"colour":"red"}` })
		if strings.HasSuffix(c.target, "resolve") {
			with(400, "bad_json", func(c *call) { c.body = "" })
		}
	}
	for _, action := range []string{"resolve", "restore", "revert", "review"} {
		body := map[string]string{"resolve": `{"delete":true}`, "restore": `{"dot":"` + p.loser + `"}`}[action]
		post := func(id string, status int, code string, headers ...string) {
			out = append(out, call{method: "POST", target: "/v1/conflicts/" + id + "/" + action, body: body, status: status, code: code, headers: headers})
		}
		post(nobodys, 404, "not_found")
		post("short", 422, "invalid")
		post(p.old, 409, "conflict_changed")
		post(p.settled, 412, "precondition_failed", `If-Match: "other"`)
		post(p.open, 412, "precondition_failed", "If-Match: "+p.otherTag)
		post(p.open, 400, "bad_request", "If-None-Match: *")
		if action == "resolve" {
			post(p.settled, 409, "conflict_changed")
		} else {
			post(p.open, 422, "invalid")
		}
	}
	return append(out, slipsOfPicks(p)...)
}

// slipsOfPicks are wrong in what they say, and queries that are.
func slipsOfPicks(p prepared) []call {
	var out []call
	for _, body := range []string{
		`{}`, `{"pick":"a~k3f9x2mz:42"}`, `{"pick":"x"}`, `{"pick":1}`, `{"pick":"` + p.loser + `"}`, `{"doc":{},"delete":true}`, `{"delete":false}`, `{"delete":1}`,
		`{"doc":[]}`, `{"Delete":true}`, `{"delete":true,"reason":1}`, `{"delete":true,"reason":"` + strings.Repeat("ä", maxReason+1) + `"}`,
	} {
		out = append(out, call{method: "POST", target: "/v1/conflicts/" + p.open + "/resolve", body: body, status: 422, code: "invalid"})
	}
	for _, body := range []string{
		`{}`, `{"pick":"best"}`, `{"pick":{}}`, `{"pick":{"node":1}}`, `{"pick":{"name":"a"}}`, `{"pick":null}`, `{"pick":"newest","dry_run":1}`, `{"pick":"newest","limit":0}`,
		`{"pick":"newest","limit":1001}`, `{"pick":"newest","limit":1.5}`, `{"pick":"newest","filter":[]}`, `{"pick":"newest","filter":{"c":"No"}}`,
		`{"pick":"newest","filter":{"policy":"best"}}`, `{"pick":"newest","filter":{"id":"x"}}`, `{"pick":"newest","resolver":"x"}`,
	} {
		out = append(out, call{method: "POST", target: "/v1/conflicts/resolve", body: body, status: 422, code: "invalid"})
	}
	for _, body := range []string{`{}`, `{"dot":"x"}`, `{"dot":"a~k3f9x2mz:42"}`, `{"pick":"` + p.loser + `"}`} {
		out = append(out, call{method: "POST", target: "/v1/conflicts/" + p.settled + "/restore", body: body, status: 422, code: "invalid"})
	}
	for _, q := range []string{
		"state=closed", "state=", "by=me", "by=policy&state=open", "c=No", "c=", "limit=0", "limit=1001", "%zz", "state=open&state=open", "cursor=a&cursor=b",
		"episode=", "episode=e1", "episode=" + nobodys + "&state=open", "episode=a&episode=b",
	} {
		out = append(out, call{method: "GET", target: "/v1/conflicts?" + q, status: 400, code: "bad_request"})
	}
	for _, q := range []string{"cursor=x", "cursor=accounts.x", "state=settled&cursor=x"} {
		out = append(out, call{method: "GET", target: "/v1/conflicts?" + q, status: 400, code: "bad_cursor"})
	}
	return append(out,
		call{method: "GET", target: "/v1/conflicts/" + p.old, status: 409, code: "conflict_changed"},
		call{method: "GET", target: "/v1/conflicts/" + nobodys, status: 404, code: "not_found"},
		call{method: "GET", target: "/v1/conflicts/" + strings.ToUpper(p.open), status: 422, code: "invalid"},
		call{method: "GET", target: "/v1/conflicts/" + p.open, status: 400, code: "bad_session", headers: merge("Session: x")},
		call{method: "GET", target: "/v1/conflicts", status: 406, code: "not_acceptable", headers: merge("Accept: text/html")},
		call{method: "GET", target: "/v1/conflicts/" + p.open, status: 406, code: "not_acceptable", headers: merge("Accept: text/html")},
		call{method: "POST", target: "/v1/conflicts/resolve", body: `{"pick":"newest"}`, status: 400, code: "bad_request", headers: merge("If-Match: *")},
		call{method: "POST", target: "/v1/conflicts/" + p.settled + "/revert", status: 422, code: "invalid"},
	)
}

// badCollections: "422 … id or name, configuration".
func badCollections(s *stand) []call {
	s.prepare()
	var out []call
	for _, config := range []string{
		`{"policy":{"kind":"best"}}`, `{"policy":"lww"}`, `{"ack":"some"}`, `{"minority":"perhaps"}`, `{"delete":"never"}`, `{"history":"long"}`, `{"history":-1}`,
		`{"limits":{"body":0}}`, `{"limits":{"body":99999999999}}`, `{"require_context":"yes"}`, `{"policy":{"kind":"lww","path":"balance"}}`, `{"colour":"red"}`,
		`{"policy":{"kind":"manual","path":"/n"}}`, `{"policy":{"kind":"lww","resolver":"x"}}`,
	} {
		out = append(out,
			call{method: "PUT", target: "/v1/collections/kept", body: config, status: 422, code: "invalid"},
			call{method: "PATCH", target: "/v1/collections/kept", body: config, status: 422, code: "invalid"},
			call{method: "PATCH", target: "/v1/collections/new", body: config, status: 422, code: "invalid"})
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		out = append(out,
			call{method: method, target: "/v1/collections/No", body: `{}`, status: 422, code: "invalid"},
			call{method: method, target: "/v1/collections/_conflicts", body: `{}`, status: 403, code: "system_collection"},
			call{method: method, target: "/v1/collections/kept", body: `{}`, status: 412, code: "precondition_failed", headers: merge(`If-Match: "other"`)})
	}
	for _, q := range []string{"limit=0", "limit=x", "%zz", "prefix=a&prefix=b"} {
		out = append(out, call{method: "GET", target: "/v1/collections?" + q, status: 400, code: "bad_request"})
	}
	return append(out,
		call{method: "PUT", target: "/v1/collections/kept", body: `{}`, status: 412, code: "precondition_failed", headers: merge("If-None-Match: *")},
		call{method: "PATCH", target: "/v1/collections/kept", body: `[{"op":"remove","path":"/nothing"}]`, status: 409, code: "patch_failed", headers: merge(asPatch)},
		call{method: "PATCH", target: "/v1/collections/kept", body: `{}`, status: 415, code: "unsupported_type", headers: merge("Content-Type: application/xml")},
		call{method: "DELETE", target: "/v1/collections/accounts", status: 409, code: "not_empty"},
		call{method: "DELETE", target: "/v1/collections/nobody", status: 404, code: "not_found"},
		call{method: "GET", target: "/v1/collections?cursor=X", status: 400, code: "bad_cursor"},
		call{method: "GET", target: "/v1/collections/No", status: 422, code: "invalid"},
		call{method: "GET", target: "/v1/collections", status: 400, code: "bad_session", headers: merge("Session: x")},
		call{method: "GET", target: "/v1/collections/kept", status: 400, code: "bad_session", headers: merge("Session: x")},
		call{method: "GET", target: "/v1/collections", status: 406, code: "not_acceptable", headers: merge("Accept: text/html")},
		call{method: "GET", target: "/v1/collections/kept", status: 406, code: "not_acceptable", headers: merge("Accept: text/html")},
		call{method: "POST", target: "/v1/collections", status: 405, code: "method_not_allowed"},
	)
}

// carelessWrites: "require_context: neither If-Match nor context → 428
// context_required; a context older than what is shown → 409 stale_context with
// the siblings, nothing applied"; "Under policy manual … a write to a conflicted
// document with neither is 409 open_conflict".
func carelessWrites(s *stand) []call {
	s.prepare()
	old := s.must(200, "GET", doc, "").header.Get("Causal-Context")
	s.must(200, "PUT", doc, `{"balance":121}`)
	s.must(201, "PUT", "/v1/collections/careful", `{"require_context":true}`)
	s.must(201, "PUT", "/v1/docs/careful/x", `{}`, "If-None-Match: *")
	stale := s.must(200, "GET", "/v1/docs/careful/x", "").header
	s.must(200, "PUT", "/v1/docs/careful/x", `{"n":1}`, "If-Match: "+stale.Get("ETag"))
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"manual"}}`)
	var out []call
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		out = append(out,
			call{method: method, target: "/v1/docs/careful/x", body: `{}`, status: 428, code: "context_required"},
			call{method: method, target: "/v1/docs/careful/x", body: `{}`, status: 409, code: "stale_context", headers: merge("Causal-Context: " + stale.Get("Causal-Context"))},
			call{method: method, target: "/v1/docs/careful/x", body: `{}`, status: 412, code: "precondition_failed", headers: merge("If-Match: " + stale.Get("ETag"))},
			call{method: method, target: "/v1/docs/accounts/open", body: `{}`, status: 409, code: "open_conflict"})
	}
	return append(out, call{method: "PATCH", target: doc, body: `{}`, status: 409, code: "stale_context", headers: merge("Causal-Context: " + old)})
}
