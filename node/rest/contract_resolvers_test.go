package rest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// inline lets a test's engine run resolvers in this process.
type inline struct{ *script.Inline }

// Resolve implements node.Resolver.
func (e inline) Resolve(ctx context.Context, s node.Script, c node.Case) (conflict.Finding, error) {
	compiled, err := script.Compile(s.Name, s.Source)
	if err != nil {
		return conflict.Finding{}, err
	}
	r, err := e.Inline.Resolve(ctx, compiled, conflictOf(&c))
	if err != nil {
		return conflict.Finding{}, err
	}
	f := conflict.Finding{Verdict: conflict.Verdict(r.Verdict), Doc: r.Doc, Run: conflict.Run{Notes: r.Notes, Steps: r.Steps, Output: r.Output}}
	if r.Failure != nil {
		f.Local, f.Run.Failure = r.Failure.Kind.Local(), r.Failure.String()
	}
	return f, nil
}

// The resolvers of these tests: add adds balances up, newest takes the newest,
// later defers, broken fails at line 2.
const (
	add = `def resolve(c):
    note("added")
    print("hello")
    return {"balance": sum([s.doc["balance"] for s in c.siblings])}

def sum(numbers):
    total = 0
    for n in numbers:
        total += n
    return total

def test_adds():
    assert_eq(resolve(conflict(siblings = [{"balance": 1}, {"balance": 2}])), {"balance": 3})
`
	newest = "def resolve(c):\n    return c.siblings[-1].doc or DELETE\n"
	later  = "def resolve(c):\n    return DEFER\n"
	broken = "def resolve(c):\n    fail(\"no \" + c.siblings[0].dot)\n"
	// wrong has a test that fails, and twisted no syntax.
	wrong   = newest + "\ndef test_wrong():\n    assert_eq(1, 2)\n"
	twisted = "def resolve(c):\n    return c.siblings[\n"
)

// resolving are well-formed requests of each kind about resolvers that write.
func resolving(status int, code string) []call {
	return []call{
		{method: "PUT", target: "/v1/resolvers/kept", body: newest, status: status, code: code},
		{method: "POST", target: "/v1/resolvers/kept/rollback", body: fmt.Sprintf(`{"hash":%q}`, conflict.ScriptVersion(newest)), status: status, code: code},
		{method: "DELETE", target: "/v1/resolvers/unused", status: status, code: code},
	}
}

// asking are those that write nothing.
func asking(status int, code string) []call {
	return []call{
		{method: "POST", target: "/v1/resolvers/check", body: fmt.Sprintf(`{"source":%q}`, newest), status: status, code: code},
		{method: "POST", target: "/v1/resolvers/kept/dry-run", body: `{}`, status: status, code: code},
		{method: "GET", target: "/v1/resolvers", status: status, code: code},
		{method: "GET", target: "/v1/resolvers/kept", status: status, code: code},
		{method: "GET", target: "/v1/resolvers/kept/versions", status: status, code: code},
	}
}

// withResolvers stores resolvers, of which a collection uses one.
func (s *stand) withResolvers() {
	s.t.Helper()
	for _, r := range [][2]string{{"kept", newest}, {"unused", newest}, {"used", add}, {"later", later}, {"broken", broken}} {
		s.must(201, "PUT", "/v1/resolvers/"+r[0], r[1])
	}
	s.must(201, "PUT", "/v1/collections/bank", `{"policy":{"kind":"script","resolver":"used"}}`)
}

// resolverWorlds are the states of a node in which resolvers are asked for.
func resolverWorlds() []world {
	refused := func(status int, code string, turn func(*stand)) func(*stand) []call {
		return func(s *stand) []call {
			s.withResolvers()
			turn(s)
			return resolving(status, code)
		}
	}
	return []world{
		{name: "resolvers", changes: true, make: goodResolvers},
		{name: "resolvers, read-only", make: refused(503, "read_only", func(s *stand) { s.vote.set(cut(), 0) })},
		{name: "resolvers, the lease is lost", changes: true, make: refused(504, "lease_lost", func(s *stand) { s.vote.lost = true })},
		{name: "resolvers, the disk is full", make: refused(507, "disk_full", func(*stand) {}), each: func(s *stand) {
			s.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull, Err: errors.New("no space left")}, false)
		}},
		{name: "resolvers, nobody runs them", make: func(s *stand) []call {
			s.withResolvers()
			s.server.cfg.Scripts = nil
			return append(asking(503, "busy")[:2], resolving(503, "busy")[0])
		}},
		{name: "resolvers, behind", make: func(s *stand) []call {
			s.withResolvers()
			future := vclock.ContextOf(vclock.VectorOf(vclock.Dot{Actor: "a~k3f9x2mz", Seq: 99}))
			out := append(resolving(503, "behind"), asking(503, "behind")[1:]...)
			for i := range out {
				out[i].headers = merge("Session: "+s.engine.SessionToken(future), "Prefer: wait=0")
			}
			return out
		}},
		{name: "resolvers, not built", make: func(s *stand) []call {
			s.withResolvers()
			out := resolving(501, "not_built")
			for i := range out {
				out[i].headers = merge("Idempotency-Key: k")
			}
			return out
		}},
		{name: "bad resolvers", make: badResolvers},
		{name: "bad questions", make: badQuestions},
		{name: "conflicts, by a resolver", changes: true, make: byResolvers},
	}
}

func goodResolvers(s *stand) []call {
	s.withResolvers()
	return append(append(asking(200, ""), resolving(200, "")...),
		call{method: "PUT", target: "/v1/resolvers/more", body: fmt.Sprintf(`{"source":%q}`, add), status: 201, headers: merge("Content-Type: application/json")},
		call{method: "PUT", target: "/v1/resolvers/kept", body: add, status: 200, headers: merge("Content-Type: application/vnd.starlark")},
		call{method: "GET", target: "/v1/resolvers/kept", status: 200, headers: merge("Accept: text/plain")},
		call{method: "GET", target: "/v1/resolvers/unused/versions", status: 200},
		call{method: "GET", target: "/v1/examples/resolvers", status: 200},
		call{method: "POST", target: "/v1/resolvers/unused/rollback", body: fmt.Sprintf(`{"hash":%q}`, conflict.ScriptVersion(newest)), status: 201})
}

// badResolvers: "422 … resolver (line:column)", and what no path about resolvers
// takes.
func badResolvers(s *stand) []call {
	s.withResolvers()
	var out []call
	for _, c := range resolving(0, "") {
		with := func(status int, code string, change func(*call)) {
			c := c
			c.status, c.code = status, code
			change(&c)
			out = append(out, c)
		}
		with(400, "bad_request", func(c *call) { c.headers = merge("Prefer: wait=soon") })
		with(400, "bad_request", func(c *call) { c.headers = merge("Causal-Context: x") })
		with(400, "bad_session", func(c *call) { c.headers = merge("Session: x") })
		with(406, "not_acceptable", func(c *call) { c.headers = merge("Accept: image/png") })
		with(412, "precondition_failed", func(c *call) { c.headers = merge(`If-Match: "other"`) })
		with(422, "invalid", func(c *call) {
			c.target = "/v1/resolvers/No" + strings.TrimPrefix(c.target[len("/v1/resolvers/"):], "kept")
		})
		if c.method == "DELETE" {
			continue
		}
		with(408, "slow_body", func(c *call) { c.body = stuck })
		with(415, "unsupported_type", func(c *call) { c.headers = merge("Content-Encoding: gzip") })
		with(413, "too_large", func(c *call) { c.body = strings.Repeat(" ", script.MaxSource+1) })
	}
	for _, source := range []string{"", " ", twisted, wrong, "def resolve(c, d):\n    return DEFER\n", "x = 1\n"} {
		out = append(out, call{method: "PUT", target: "/v1/resolvers/kept", body: source, status: 422, code: "invalid_resolver"})
	}
	for _, body := range []string{`{}`, `{"source":1}`, `{"source":"x","colour":"red"}`, `[]`} {
		out = append(out, call{method: "PUT", target: "/v1/resolvers/kept", body: body, status: 422, code: "invalid", headers: merge("Content-Type: application/json")})
	}
	for _, body := range []string{`{}`, `{"hash":1}`, `{"hash":"x","colour":"red"}`, `[]`} {
		out = append(out, call{method: "POST", target: "/v1/resolvers/kept/rollback", body: body, status: 422, code: "invalid"})
	}
	return append(out,
		call{method: "PUT", target: "/v1/resolvers/kept", body: newest, status: 412, code: "precondition_failed", headers: merge("If-None-Match: *")},
		call{method: "PUT", target: "/v1/resolvers/kept", body: `{"source":`, status: 400, code: "bad_json", headers: merge("Content-Type: application/json")},
		call{method: "PUT", target: "/v1/resolvers/kept", body: newest, status: 400, code: "bad_request", headers: merge("Content-Type: /")},
		call{method: "PUT", target: "/v1/collections/new", body: `{"policy":{"kind":"script","resolver":"nobody"}}`, status: 422, code: "invalid"},
		call{method: "PUT", target: "/v1/collections/new", body: `{"policy":{"kind":"script"}}`, status: 422, code: "invalid"},
		call{method: "DELETE", target: "/v1/resolvers/used", status: 409, code: "resolver_in_use"},
		call{method: "DELETE", target: "/v1/resolvers/nobody", status: 404, code: "not_found"},
		call{method: "POST", target: "/v1/resolvers/kept/rollback", body: `{"hash":"0123456789abcdef"}`, status: 404, code: "not_found"})
}

func badQuestions(s *stand) []call {
	s.withResolvers()
	id := s.conflictOf("open")
	s.must(200, "PUT", "/v1/docs/accounts/open", `{"balance":30}`, "Causal-Context: "+s.first["open"])
	var out []call
	for _, c := range asking(0, "") {
		with := func(status int, code string, change func(*call)) {
			c := c
			c.status, c.code = status, code
			change(&c)
			out = append(out, c)
		}
		with(406, "not_acceptable", func(c *call) { c.headers = merge("Accept: image/png") })
		if c.target != "/v1/resolvers/check" {
			with(400, "bad_session", func(c *call) { c.headers = merge("Session: x") })
		}
		if c.method == "GET" {
			continue
		}
		with(408, "slow_body", func(c *call) { c.body = stuck })
		with(400, "bad_json", func(c *call) { c.body = `{"a":1,"a":2}` })
		with(415, "unsupported_type", func(c *call) { c.headers = merge("Content-Encoding: gzip") })
		with(413, "too_large", func(c *call) { c.body = strings.Repeat(" ", maxCheck+1) })
		with(422, "invalid", func(c *call) { c.body = `[]` })
		with(422, "invalid", func(c *call) { c.body = `{"colour":"red"}` })
		with(422, "invalid", func(c *call) { c.body = `{"source":1}` })
	}
	for _, given := range []string{
		`1`, `{}`, `{"siblings":[]}`, `{"siblings":{}}`, `{"siblings":[{}]}`, `{"siblings":[{"doc":1}]}`, `{"siblings":[1]}`, `{"siblings":[{"doc":{},"node":"A b"}]}`,
		`{"siblings":[{"doc":{},"time":"noon"}]}`, `{"siblings":[{"doc":{},"dot":"x"}]}`, `{"siblings":[{"doc":{},"colour":"red"}]}`, `{"siblings":[{"doc":{}}],"sums":[]}`,
		`{"siblings":[{"doc":{}}],"colour":"red"}`, `{"siblings":[{"doc":{}}],"base_exact":1}`,
	} {
		out = append(out, call{method: "POST", target: "/v1/resolvers/check", body: fmt.Sprintf(`{"source":%q,"conflict":%s}`, newest, given), status: 422, code: "invalid"})
	}
	for _, body := range []string{
		`{"limit":0}`, `{"limit":10001}`, `{"filter":1}`, `{"filter":{"c":"No"}}`, `{"filter":{"by":"me"}}`, `{"filter":{"state":"open"}}`, `{"filter":{"id":"x"}}`,
	} {
		out = append(out, call{method: "POST", target: "/v1/resolvers/kept/dry-run", body: body, status: 422, code: "invalid"})
	}
	for _, path := range []string{"", "/versions"} {
		out = append(out,
			call{method: "GET", target: "/v1/resolvers/nobody" + path, status: 404, code: "not_found"},
			call{method: "GET", target: "/v1/resolvers/No" + path, status: 422, code: "invalid"})
	}
	return append(out,
		call{method: "POST", target: "/v1/resolvers/check", body: fmt.Sprintf(`{"source":%q,"name":"No"}`, newest), status: 422, code: "invalid"},
		call{method: "POST", target: "/v1/resolvers/check", body: fmt.Sprintf(`{"source":%q,"conflict":%q}`, newest, nobodys), status: 404, code: "not_found"},
		call{method: "POST", target: "/v1/resolvers/check", body: fmt.Sprintf(`{"source":%q,"conflict":%q}`, newest, id), status: 409, code: "conflict_changed"},
		call{method: "POST", target: "/v1/resolvers/kept/dry-run", body: fmt.Sprintf(`{"source":%q}`, twisted), status: 422, code: "invalid_resolver"},
		call{method: "POST", target: "/v1/resolvers/No/dry-run", body: `{}`, status: 422, code: "invalid"},
		call{method: "POST", target: "/v1/resolvers/nobody/dry-run", body: `{}`, status: 404, code: "not_found"})
}

// byResolvers: "{"resolver":name} for an open one", alone and for many.
func byResolvers(s *stand) []call {
	s.withResolvers()
	id := s.conflictOf("open")
	at := "/v1/conflicts/" + id + "/resolve"
	const many = "/v1/conflicts/resolve"
	return []call{
		{method: "POST", target: at, body: `{"resolver":"nobody"}`, status: 404, code: "not_found"},
		{method: "POST", target: at, body: `{"resolver":"No"}`, status: 422, code: "invalid"},
		{method: "POST", target: at, body: `{"resolver":"used","pick":"newest"}`, status: 422, code: "invalid"},
		{method: "POST", target: at, body: `{"resolver":"later"}`, status: 422, code: "resolver_failed"},
		{method: "POST", target: at, body: `{"resolver":"broken"}`, status: 422, code: "resolver_failed"},
		{method: "POST", target: many, body: `{"resolver":"nobody"}`, status: 404, code: "not_found"},
		{method: "POST", target: many, body: `{"resolver":"No"}`, status: 422, code: "invalid"},
		{method: "POST", target: many, body: `{"resolver":"used","dry_run":true}`, status: 200},
		{method: "POST", target: many, body: `{"resolver":"broken"}`, status: 200},
		{method: "POST", target: at, body: `{"resolver":"used"}`, status: 200},
	}
}
