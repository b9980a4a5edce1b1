package rest

import (
	"errors"
	"strings"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// pastOf is a document with a past, in a collection that keeps it.
type pastOf struct {
	old, live, grave string // dots: of kept/x, and of the deletion of kept/gone
}

const keptDoc = "/v1/docs/kept/x"

func (s *stand) withPast() pastOf {
	s.t.Helper()
	s.must(201, "PUT", "/v1/collections/kept", `{"history":"24h"}`)
	dot := func(a answer) string { return a.object(s.t)["dot"].(string) }
	p := pastOf{old: dot(s.must(201, "PUT", keptDoc, `{"n": 1, "tags":["x"]}`)), live: dot(s.must(200, "PUT", keptDoc, `{"n":2,"tags":["x"]}`))}
	s.must(201, "PUT", "/v1/docs/kept/gone", `{}`)
	p.grave = dot(s.must(200, "DELETE", "/v1/docs/kept/gone", ""))
	return p
}

// writes is one of each kind that this file is about, well-formed.
func (p pastOf) writes(status int, code string, headers ...string) []call {
	return []call{
		{method: "POST", target: keptDoc + "/ops", body: `{"inc":{"/n":1}}`, status: status, code: code, headers: headers},
		{method: "POST", target: keptDoc + "/restore", body: `{"dot":"` + p.old + `"}`, status: status, code: code, headers: headers},
	}
}

func (p pastOf) lookups() []string {
	return []string{keptDoc + "?dot=" + p.old, keptDoc + "/history", keptDoc + "/history?diff=" + p.old + "..", keptDoc + "/explain"}
}

// pastWorlds are the states of a node in which somebody asks for the past, or
// brings it back.
func pastWorlds() []world {
	refused := func(status int, code string, turn func(*stand)) func(*stand) []call {
		return func(s *stand) []call {
			calls := s.withPast().writes(status, code)
			turn(s)
			return calls
		}
	}
	return []world{
		{name: "the past", changes: true, make: goodPast},
		{name: "the past, read-only", make: refused(503, "read_only", func(s *stand) { s.vote.set(cut(), 0) })},
		{name: "the past, stopping", make: refused(503, "draining", func(s *stand) { s.engine.Drain() })},
		{name: "the past, the lease is lost", changes: true, make: refused(504, "lease_lost", func(s *stand) { s.vote.lost = true })},
		{name: "the past, the disk is full", make: refused(507, "disk_full", func(*stand) {}), each: func(s *stand) {
			s.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull, Err: errors.New("no space left")}, false)
		}},
		{name: "the past, slow bodies", make: func(s *stand) []call {
			calls := s.withPast().writes(408, "slow_body")
			for i := range calls {
				calls[i].body = stuck
			}
			return calls
		}},
		{name: "the past, behind", make: func(s *stand) []call {
			p := s.withPast()
			future := vclock.ContextOf(vclock.VectorOf(vclock.Dot{Actor: "a~k3f9x2mz", Seq: 99}))
			session := merge("Session: "+s.engine.SessionToken(future), "Prefer: wait=0")
			calls := p.writes(503, "behind", session...)
			for _, target := range p.lookups() {
				calls = append(calls, call{method: "GET", target: target, status: 503, code: "behind", headers: session})
			}
			return calls
		}},
		{name: "a bad past", make: badPast},
		{name: "bad ops", make: badOps},
		{name: "writers of the past who have not looked", make: carelessPast},
	}
}

func goodPast(s *stand) []call {
	p := s.withPast()
	minimal := merge("Prefer: return=minimal")
	var calls []call
	for _, target := range p.lookups() {
		calls = append(calls, call{method: "GET", target: target, status: 200}, call{method: "HEAD", target: target, status: 200})
	}
	calls = append(calls,
		call{method: "GET", target: keptDoc + "?dot=" + p.old, status: 304, headers: merge(`If-None-Match: "` + p.old + `"`)},
		call{method: "GET", target: keptDoc + "?dot=" + p.old, status: 200, headers: merge(`If-None-Match: "` + p.live + `"`)},
		call{method: "GET", target: keptDoc + "?dot=" + p.old, status: 200, headers: merge(`If-Match: "` + p.old + `"`)},
		call{method: "GET", target: keptDoc + "/siblings?dot=" + p.old, status: 200}, // a parameter that this path does not have
		call{method: "GET", target: "/v1/docs/kept/gone/history", status: 200},
		call{method: "GET", target: "/v1/docs/kept/gone/explain", status: 200},
		call{method: "GET", target: keptDoc + "/history?diff=" + p.old + ".." + p.live, status: 200},
		call{method: "GET", target: keptDoc + "/history?limit=1", status: 200})
	calls = append(calls, p.writes(200, "")...)
	calls = append(calls, p.writes(204, "", minimal...)...)
	return append(calls,
		call{method: "POST", target: "/v1/docs/kept/made/ops", body: `{"inc":{"/n":1}}`, status: 201, headers: merge("If-None-Match: *")},
		call{method: "DELETE", target: keptDoc, status: 200},
		call{method: "POST", target: keptDoc + "/restore", body: `{"dot":"` + p.old + `"}`, status: 201})
}

// badPast: what nobody can read, what is not here, and what has no value.
func badPast(s *stand) []call {
	p := s.withPast()
	var out []call
	get := func(target string, status int, code string, headers ...string) {
		out = append(out, call{method: "GET", target: target, status: status, code: code, headers: headers})
	}
	for _, target := range p.lookups() {
		get(target, 400, "bad_session", "Session: x")
		get(target, 406, "not_acceptable", "Accept: text/html")
	}
	for _, q := range []string{"", "x", "a~k3f9x2mz", p.old + "&dot=" + p.old, "%zz"} {
		get(keptDoc+"?dot="+q, 400, "bad_request")
	}
	for _, q := range []string{"diff=x", "diff=" + p.old, "diff=x..", "diff=" + p.old + "..x", "diff=", "limit=0", "limit=1001", "cursor=a&cursor=b", "diff=..&diff=..", "%zz"} {
		get(keptDoc+"/history?"+q, 400, "bad_request")
	}
	get(keptDoc+"/history?cursor=x", 400, "bad_cursor")
	for _, d := range []string{"a~k3f9x2mz:42", p.grave} {
		get(keptDoc+"?dot="+d, 404, "not_found")
		get(keptDoc+"/history?diff="+d+"..", 404, "not_found")
		get(keptDoc+"/history?diff="+p.old+".."+d, 404, "not_found")
		out = append(out, call{method: "POST", target: keptDoc + "/restore", body: `{"dot":"` + d + `"}`, status: 404, code: "not_found"})
	}
	get("/v1/docs/kept/gone?dot="+p.grave, 404, "deleted")
	get(keptDoc+"?dot="+p.old, 412, "precondition_failed", `If-Match: "`+p.live+`"`)
	for _, what := range []string{"?dot=" + p.old, "/history", "/explain"} {
		get("/v1/docs/kept/nobody"+what, 404, "not_found")
		get("/v1/docs/Kept/x"+what, 422, "invalid")
	}
	for _, body := range []string{`{}`, `{"dot":"x"}`, `{"dot":1}`, `{"dot":"` + p.old + `","doc":{}}`, `[]`} {
		out = append(out, call{method: "POST", target: keptDoc + "/restore", body: body, status: 422, code: "invalid"})
	}
	return append(out,
		call{method: "POST", target: "/v1/docs/kept/gone/restore", body: `{"dot":"` + p.grave + `"}`, status: 422, code: "invalid"},
		call{method: "POST", target: keptDoc + "/restore", body: strings.Repeat(" ", maxAction+1), status: 413, code: "too_large"},
		call{method: "POST", target: "/v1/docs/_conflicts/x/restore", body: `{"dot":"` + p.old + `"}`, status: 403, code: "system_collection"})
}

// badOps: a path that does not fit is 409 with what is there, what is no
// operation is 422, each with the path named.
func badOps(s *stand) []call {
	p := s.withPast()
	var out []call
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{"inc":{"/tags":1}}`:                 {409, "patch_failed"},
		`{"inc":{"/n":1},"append":{"/n":[]}}`: {409, "patch_failed"},
		`{"inc":{"/no/such":1}}`:              {409, "patch_failed"},
		`{"inc":{"/n":"1"}}`:                  {422, "invalid"},
		`{"inc":{"n":1}}`:                     {422, "invalid"},
		`{"inc":{"":1}}`:                      {422, "invalid"},
		`{"inc":[]}`:                          {422, "invalid"},
		`{"append":{"/tags":"x"}}`:            {422, "invalid"},
		`{"set":{"/n":1}}`:                    {422, "invalid"},
		`{}`:                                  {422, "invalid"},
		`[]`:                                  {422, "invalid"},
		`{"inc":{"/n":1,"/n":1}}`:             {400, "bad_json"},
		`{"inc":`:                             {400, "bad_json"},
		``:                                    {400, "bad_json"},
		`{"append":{"/tags":["` + strings.Repeat("x", node.DefaultBody) + `"]}}`: {413, "too_large"},
	} {
		out = append(out, call{method: "POST", target: keptDoc + "/ops", body: body, status: want.status, code: want.code})
	}
	for _, c := range p.writes(0, "") {
		with := func(status int, code string, change func(*call)) {
			c := c
			c.status, c.code = status, code
			change(&c)
			out = append(out, c)
		}
		with(400, "bad_request", func(c *call) { c.target += "?ack=some" })
		with(400, "bad_context", func(c *call) { c.headers = merge("Causal-Context: x") })
		with(406, "not_acceptable", func(c *call) { c.headers = merge("Accept: text/html") })
		with(412, "precondition_failed", func(c *call) { c.headers = merge(`If-Match: "other"`) })
		with(412, "precondition_failed", func(c *call) { c.headers = merge("If-None-Match: *") })
		with(415, "unsupported_type", func(c *call) { c.headers = merge("Content-Encoding: gzip") })
		with(422, "invalid", func(c *call) { c.target = strings.Replace(c.target, "kept", "Kept", 1) })
		with(501, "not_built", func(c *call) { c.headers = merge("Idempotency-Key: k") })
		with(501, "not_built", func(c *call) { c.target += "?ack=majority" })
	}
	const inc = `{"inc":{"/n":1}}`
	return append(out,
		call{method: "POST", target: "/v1/docs/kept/nobody/ops", body: inc, status: 404, code: "not_found"},
		call{method: "POST", target: "/v1/docs/kept/gone/ops", body: inc, status: 404, code: "deleted"},
		call{method: "POST", target: "/v1/docs/_conflicts/x/ops", body: inc, status: 403, code: "system_collection"},
		call{method: "GET", target: keptDoc + "/ops", status: 405, code: "method_not_allowed"})
}

// carelessPast: ops and restore keep the rules of PATCH and PUT: "With a context
// that does not cover every live version: 409 stale_context"; require_context;
// "Under policy manual … 409 open_conflict".
func carelessPast(s *stand) []call {
	p := s.withPast()
	old := s.must(200, "GET", keptDoc+"?dot="+p.old, "").header.Get("Causal-Context")
	calls := []call{{method: "POST", target: keptDoc + "/ops", body: `{"inc":{"/n":1}}`, status: 409, code: "stale_context", headers: merge("Causal-Context: " + old)}}
	s.must(201, "PUT", "/v1/collections/careful", `{"require_context":true,"history":"1h"}`)
	first := s.must(201, "PUT", "/v1/docs/careful/x", `{"n":1}`, "If-None-Match: *").object(s.t)["dot"].(string)
	restore := `{"dot":"` + first + `"}`
	s.split("held")
	loser := s.must(200, "GET", "/v1/docs/accounts/held/siblings", "").object(s.t)["siblings"].([]any)[0].(map[string]any)["dot"].(string)
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"manual"}}`)
	return append(calls,
		call{method: "POST", target: "/v1/docs/careful/x/ops", body: `{"inc":{"/n":1}}`, status: 428, code: "context_required"},
		call{method: "POST", target: "/v1/docs/careful/x/restore", body: restore, status: 428, code: "context_required"},
		call{method: "POST", target: "/v1/docs/accounts/held/ops", body: `{"inc":{"/balance":1}}`, status: 409, code: "open_conflict"},
		call{method: "POST", target: "/v1/docs/accounts/held/restore", body: `{"dot":"` + loser + `"}`, status: 409, code: "open_conflict"})
}
