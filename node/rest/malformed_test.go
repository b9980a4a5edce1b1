package rest

import (
	"strconv"
	"strings"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// malformed is the corpus of requests that are wrong: each has its status and
// a problem, and changes nothing.
func malformed() []world {
	return []world{
		{name: "bodies", calls: badBodies()},
		{name: "headers", calls: badHeaders()},
		{name: "paths and queries", calls: badPaths()},
		{name: "preconditions", calls: failedPreconditions()},
		{name: "behind", make: behind},
		{name: "slow bodies", calls: slowBodies()},
		{name: "bulks", calls: badBulks()},
		{name: "faults", calls: badFaults()},
		{name: "origins", calls: badOrigins()},
	}
}

// badBodies: "not strict JSON (syntax with line:column, duplicate key, UTF-8,
// number range, depth)" is 400, "well-formed but wrong: not an object" 422,
// "too big" 413.
func badBodies() []call {
	var out []call
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{`:                         {400, "bad_json"},
		`{"a":1,}`:                  {400, "bad_json"},
		`{"a":1} x`:                 {400, "bad_json"},
		`{"a":1,"a":2}`:             {400, "bad_json"},
		`{"a":1,"\u0061":2}`:        {400, "bad_json"},
		"{\"a\":\"\xff\"}":          {400, "bad_json"},
		`{"a":"\ud800"}`:            {400, "bad_json"},
		`{"a":1e400}`:               {400, "bad_json"},
		`{"a":01}`:                  {400, "bad_json"},
		`{'a':1}`:                   {400, "bad_json"},
		"\ufeff{}":                  {400, "bad_json"},
		"{\"a\":\"\n\"}":            {400, "bad_json"},
		strings.Repeat(`{"a":`, 65): {400, "bad_json"},
		`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: {400, "bad_json"},
		`[]`:     {422, "invalid"},
		`"text"`: {422, "invalid"},
		`null`:   {422, "invalid"},
		` 12 `:   {422, "invalid"},
		`{"a":"` + strings.Repeat("x", node.DefaultBody) + `"}`: {413, "too_large"},
	} {
		out = append(out,
			call{method: "PUT", target: doc, body: body, status: want.status, code: want.code},
			call{method: "POST", target: "/v1/docs/accounts", body: body, status: want.status, code: want.code},
			call{method: "PATCH", target: doc, body: body, status: want.status, code: want.code})
	}
	return append(out,
		call{method: "PUT", target: doc, status: 400, code: "bad_json"},
		call{method: "PATCH", target: doc, status: 400, code: "bad_json"},
		call{method: "PATCH", target: doc, body: `{}`, status: 422, code: "invalid", headers: merge(asPatch)},
		call{method: "PATCH", target: doc, body: `[{]`, status: 400, code: "bad_json", headers: merge(asPatch)},
		call{method: "PATCH", target: doc, body: `[{"op":"fly","path":"/a"}]`, status: 422, code: "invalid", headers: merge(asPatch)},
		call{method: "PATCH", target: doc, body: `[{"op":"replace","path":"","value":[]}]`, status: 422, code: "invalid", headers: merge(asPatch)},
		call{method: "PATCH", target: doc, body: `[{"op":"remove","path":"/nothing"}]`, status: 409, code: "patch_failed", headers: merge(asPatch)},
		call{method: "PATCH", target: doc, body: `{}`, status: 415, code: "unsupported_type", headers: merge("Content-Type: application/xml")},
		call{method: "PUT", target: doc, body: `{}`, status: 415, code: "unsupported_type", headers: merge("Content-Encoding: gzip")},
		call{method: "POST", target: "/v1/docs/accounts", body: `{}`, status: 415, code: "unsupported_type", headers: merge("Content-Encoding: gzip")},
	)
}

// badHeaders: "wrong or unreadable context, cursor, session, parameter" is 400,
// "Accept" 406.
func badHeaders() []call {
	var out []call
	for _, h := range []string{
		"If-Match: a~k3f9x2mz:42", `If-Match: "a`, `If-Match: `, `If-Match: "a" "b"`, `If-Match: *, "a"`, `If-Match: W/a`, `If-Match: w/"a"`,
		"If-Match: " + strings.Repeat(`"a",`, 65) + `"a"`,
		`If-None-Match: "a"`, `If-None-Match: x`, "Prefer: wait=-1", "Prefer: wait=soon", "Prefer: wait", "Prefer: wait=1.5", "Prefer: wait=9999999999",
		"Causal-Context: not-a-token", "Causal-Context: ", "Causal-Context: " + strings.Repeat("A", 3000),
		"Session: not-a-token", "Session: ", "Session: " + strings.Repeat("A", 20000),
	} {
		code := "bad_request"
		if strings.HasPrefix(h, "Causal") {
			code = "bad_context"
		} else if strings.HasPrefix(h, "Session") {
			code = "bad_session"
		}
		out = append(out,
			call{method: "PUT", target: doc, body: `{}`, status: 400, code: code, headers: merge(h)},
			call{method: "DELETE", target: doc, status: 400, code: code, headers: merge(h)})
		if strings.HasPrefix(h, "Session") {
			for _, target := range []string{doc, doc + "/siblings", "/v1/docs/accounts", "/v1/changes", "/v1/verify"} {
				out = append(out, call{method: "GET", target: target, status: 400, code: code, headers: merge(h)})
			}
		}
	}
	twice := func(h string) []string { return merge(h, h) }
	return append(out,
		call{method: "PUT", target: doc, body: `{}`, status: 400, code: "bad_request", headers: twice("Causal-Context: a")},
		call{method: "PUT", target: doc, body: `{}`, status: 400, code: "bad_request", headers: twice("Session: a")},
		call{method: "PATCH", target: doc, body: `{}`, status: 400, code: "bad_request", headers: twice("Content-Type: application/json")},
		call{method: "PATCH", target: doc, body: `{}`, status: 400, code: "bad_request", headers: merge("Content-Type: ;")},
		call{method: "GET", target: doc, status: 400, code: "bad_request", headers: merge("If-None-Match: bare")},
		call{method: "GET", target: doc, status: 400, code: "bad_request", headers: merge("If-Match: bare")},
		call{method: "GET", target: doc, status: 406, code: "not_acceptable", headers: merge("Accept: text/html")},
		call{method: "GET", target: doc, status: 406, code: "not_acceptable", headers: merge("Accept: */*, application/json;q=0")},
		call{method: "GET", target: doc, status: 406, code: "not_acceptable", headers: merge("Accept: nonsense")},
		call{method: "GET", target: doc, status: 200, headers: merge("Accept: text/html, application/*;q=0.5")},
		call{method: "GET", target: doc, status: 200, headers: merge("Accept: text/html", "Accept: */*")},
		call{method: "GET", target: doc, status: 200, headers: merge("Accept: application/*;q=0, application/json")},
		call{method: "PUT", target: doc, body: `{}`, status: 406, code: "not_acceptable", headers: merge("Accept: image/png")},
		call{method: "GET", target: "/v1/cluster", status: 406, code: "not_acceptable", headers: merge("Accept: image/png")},
		call{method: "PUT", target: doc, body: `{}`, status: 501, code: "not_built", headers: merge("Idempotency-Key: k1")},
	)
}

func badPaths() []call {
	var out []call
	for _, name := range []string{"Accounts", "-a", "_a1", "_", "a.b", "%C3%A9", strings.Repeat("a", 65), "a%2Fb", "a%20b"} {
		for _, method := range []string{"GET", "POST"} {
			out = append(out, call{method: method, target: "/v1/docs/" + name, body: `{}`, status: 422, code: "invalid"})
		}
		out = append(out, call{method: "POST", target: "/v1/bulk/" + name, body: `{}`, status: 422, code: "invalid"})
	}
	for _, id := range []string{"..", "%2E", "a%00", strings.Repeat("a", 513)} {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			out = append(out, call{method: method, target: "/v1/docs/accounts/" + id, body: `{}`, status: 422, code: "invalid"})
		}
		out = append(out, call{method: "GET", target: "/v1/docs/accounts/" + id + "/siblings", status: 422, code: "invalid"})
	}
	for _, q := range []string{"limit=0", "limit=1001", "limit=ten", "limit=", "limit=1&limit=2", "conflicted=yes", "conflicted=", "%zz=1", "a;b=1", "prefix=a&prefix=b"} {
		out = append(out, call{method: "GET", target: "/v1/docs/accounts?" + q, status: 400, code: "bad_request"})
	}
	for _, q := range []string{"feed=fax", "feed=", "c=Accounts", "c=", "limit=-1", "limit=99999999999999999999", "since=a&since=b", "%zz"} {
		out = append(out, call{method: "GET", target: "/v1/changes?" + q, status: 400, code: "bad_request"})
	}
	for _, q := range []string{"ack=some", "ack=", "ack=local&ack=all", "%zz"} {
		out = append(out,
			call{method: "PUT", target: doc + "?" + q, body: `{}`, status: 400, code: "bad_request"},
			call{method: "POST", target: "/v1/docs/accounts?" + q, body: `{}`, status: 400, code: "bad_request"},
			call{method: "PATCH", target: doc + "?" + q, body: `{}`, status: 400, code: "bad_request"},
			call{method: "DELETE", target: doc + "?" + q, status: 400, code: "bad_request"})
	}
	for _, p := range []string{"/v2", "/v1", "/v1/", "/v1/docs", "/v1/docs/", "/v1/docs/accounts/", doc + "/", doc + "/nothing", "/v1//cluster", "//", "/UI/", "/v1/cluster/", "/peer/v1/changes"} {
		out = append(out, call{method: "GET", target: p, status: 404, code: "unknown_route"})
	}
	return append(out,
		call{method: "GET", target: "/v1/docs//alice", status: 422, code: "invalid"},
		call{method: "GET", target: "/v1/docs/accounts?cursor=x", status: 400, code: "bad_cursor"},
		call{method: "GET", target: "/v1/changes?since=x", status: 400, code: "bad_cursor"},
		call{method: "GET", target: doc + "?%zz", status: 400, code: "bad_request"},
		call{method: "GET", target: "/readyz?%zz", status: 400, code: "bad_request"},
		call{method: "GET", target: "/docs/problems/none", status: 404, code: "not_found"},
		call{method: "GET", target: "/ui/none.js", status: 404, code: "not_found"},
		call{method: "GET", target: "/ui/../config.go", status: 404, code: "not_found"},
		call{method: "PUT", target: "/v1/docs/_conflicts/x", body: `{}`, status: 403, code: "system_collection"},
		call{method: "POST", target: "/v1/docs/_conflicts", body: `{}`, status: 403, code: "system_collection"},
		call{method: "PATCH", target: "/v1/docs/_conflicts/x", body: `{}`, status: 403, code: "system_collection"},
		call{method: "DELETE", target: "/v1/docs/_conflicts/x", status: 403, code: "system_collection"},
		call{method: "POST", target: "/v1/bulk/_conflicts", body: `{}`, status: 403, code: "system_collection"},
		call{method: "POST", target: doc, body: `{}`, status: 405, code: "method_not_allowed"},
		call{method: "DELETE", target: "/v1/docs/accounts", status: 405, code: "method_not_allowed"},
		call{method: "POST", target: "/v1/cluster", status: 405, code: "method_not_allowed"},
		call{method: "TRACE", target: doc, status: 405, code: "method_not_allowed"},
		call{method: "BREW", target: doc, status: 405, code: "method_not_allowed"},
	)
}

func failedPreconditions() []call {
	other := merge(`If-Match: "other"`)
	return []call{
		{method: "PUT", target: doc, body: `{}`, status: 412, code: "precondition_failed", headers: other},
		{method: "POST", target: "/v1/docs/accounts", body: `{}`, status: 412, code: "precondition_failed", headers: other},
		{method: "PATCH", target: doc, body: `{}`, status: 412, code: "precondition_failed", headers: other},
		{method: "DELETE", target: doc, status: 412, code: "precondition_failed", headers: other},
		{method: "GET", target: doc, status: 412, code: "precondition_failed", headers: other},
		{method: "GET", target: nobody, status: 404, code: "not_found", headers: other},
		{method: "GET", target: gone, status: 404, code: "deleted"},
		{method: "HEAD", target: gone, status: 404, code: "deleted"},
		{method: "GET", target: nobody + "/siblings", status: 404, code: "not_found"},
		{method: "PATCH", target: nobody, body: `{}`, status: 404, code: "not_found"},
		{method: "PATCH", target: gone, body: `{}`, status: 404, code: "deleted"},
		{method: "DELETE", target: nobody, status: 404, code: "not_found"},
		{method: "DELETE", target: gone, status: 404, code: "deleted"},
	}
}

// behind: "Sent with a read or a write it asks for a node that has at least
// that much … else 503 behind with fresh_nodes".
func behind(s *stand) []call {
	future := vclock.ContextOf(vclock.VectorOf(vclock.Dot{Actor: "a~k3f9x2mz", Seq: 99}))
	session := merge("Session: "+s.engine.SessionToken(future), "Prefer: wait=0")
	out := everyWrite(503, "behind")
	for _, target := range []string{"/v1/docs/accounts", doc, doc + "/siblings", "/v1/changes", "/v1/verify"} {
		out = append(out, call{method: "GET", target: target, status: 503, code: "behind"})
	}
	for i := range out {
		out[i].headers = session
	}
	return out
}

// slowBodies: "408: body too slow".
func slowBodies() []call {
	var out []call
	for _, c := range everyWrite(408, "slow_body") {
		if c.method != "DELETE" {
			c.body = stuck
			out = append(out, c)
		}
	}
	return append(out, call{method: "POST", target: "/v1/chaos/faults", body: stuck, status: 408, code: "slow_body"})
}

// badBulks are bulks that are refused as a whole.
func badBulks() []call {
	const target, atomic = "/v1/bulk/accounts", "/v1/bulk/accounts?atomic=true"
	line := func(id string) string { return `{"id":"` + id + `","doc":{}}` + "\n" }
	var many strings.Builder
	for i := range MaxAtomicLines + 1 {
		many.WriteString(line(strconv.Itoa(i)))
	}
	return []call{
		{method: "POST", target: target + "?atomic=perhaps", status: 400, code: "bad_request"},
		{method: "POST", target: target + "?%zz", status: 400, code: "bad_request"},
		{method: "POST", target: target, body: line("x"), status: 406, code: "not_acceptable", headers: merge("Accept: text/html")},
		{method: "POST", target: target, body: line("x"), status: 415, code: "unsupported_type", headers: merge("Content-Encoding: gzip")},
		{method: "POST", target: target, body: strings.Repeat(" ", MaxBulkBytes+1), status: 413, code: "too_large"},
		{method: "POST", target: atomic, body: strings.Repeat(" ", MaxAtomicBytes+1), status: 413, code: "too_large"},
		{method: "POST", target: atomic, body: many.String(), status: 413, code: "too_large"},
		{method: "POST", target: atomic, body: line("x") + line("y") + line("x"), status: 422, code: "invalid"},
		{method: "POST", target: atomic, body: line("x") + `{"id":"y","doc":[]}`, status: 409, code: "atomic_failed"},
		{method: "POST", target: atomic, body: line("x") + `{"id":"y"`, status: 409, code: "atomic_failed"},
		{method: "POST", target: atomic, body: line("x") + `{"id":"alice","doc":{},"if_match":"other"}`, status: 409, code: "atomic_failed"},
		{method: "POST", target: atomic, body: line("x") + `{"id":"gone","delete":true}`, status: 409, code: "atomic_failed"},
	}
}

// badOrigins: "Host allow-list and http.CrossOriginProtection from the first
// day."
func badOrigins() []call {
	return []call{
		{method: "GET", target: doc, status: 403, code: "forbidden_host", headers: merge("Host: evil.example")},
		{method: "GET", target: doc, status: 403, code: "forbidden_host", headers: merge("Host: 127.0.0.1.evil.example:7402")},
		{method: "PUT", target: doc, body: `{}`, status: 403, code: "forbidden_host", headers: merge("Host: 10.0.0.7:7402")},
		{method: "GET", target: doc, status: 200, headers: merge("Host: LOCALHOST:9999")},
		{method: "GET", target: doc, status: 200, headers: merge("Host: [::1]:7402")},
		{method: "PUT", target: doc, body: `{}`, status: 403, code: "cross_origin", headers: merge("Origin: http://evil.example")},
		{method: "PUT", target: doc, body: `{}`, status: 403, code: "cross_origin", headers: merge("Origin: null")},
		{method: "DELETE", target: doc, status: 403, code: "cross_origin", headers: merge("Sec-Fetch-Site: cross-site")},
		{method: "POST", target: "/v1/chaos/faults", body: `{}`, status: 403, code: "cross_origin", headers: merge("Origin: http://127.0.0.1:9999", "Sec-Fetch-Site: same-site")},
		{method: "GET", target: doc, status: 200, headers: merge("Origin: http://evil.example", "Sec-Fetch-Site: cross-site")},
	}
}

func badFaults() []call {
	const target = "/v1/chaos/faults"
	return []call{
		{method: "POST", target: target, body: `{`, status: 400, code: "bad_json"},
		{method: "POST", target: target, body: `[]`, status: 422, code: "invalid"},
		{method: "POST", target: target, body: `{"from":"b","to":"a","kind":"cut"}`, status: 422, code: "invalid"},
		{method: "POST", target: target, body: `{"from":"b","to":"a","kind":"cut","duration":"soon"}`, status: 422, code: "invalid"},
		{method: "POST", target: target, body: `{"from":"b","to":"a","kind":"cut","duration":30}`, status: 422, code: "invalid"},
		{method: "POST", target: target, body: `{"from":"b","to":"a","kind":"cut","duration":"30s","colour":"red"}`, status: 422, code: "invalid"},
		{method: "POST", target: target, body: `{"x":"` + strings.Repeat("x", maxFault) + `"}`, status: 413, code: "too_large"},
		{method: "POST", target: target, body: `{}`, status: 415, code: "unsupported_type", headers: merge("Content-Encoding: br")},
		{method: "GET", target: target + "/f9", status: 404, code: "not_found"},
		{method: "DELETE", target: target + "/f9", status: 404, code: "not_found"},
	}
}

// unbuiltCalls: "501 not_built: a promise of this page that this build does
// not keep yet; never ignored in silence".
func unbuiltCalls() []world {
	var calls []call
	names := strings.NewReplacer(":c", "accounts", ":id", "alice", ":name", "sum", ":dot", "a~k3f9x2mz:42")
	for _, p := range unbuilt() {
		calls = append(calls, call{method: p.method, target: names.Replace(p.path), status: 501, code: "not_built"})
	}
	for _, ack := range []string{"majority", "all"} {
		for _, c := range everyWrite(501, "not_built") {
			sep := "?"
			if strings.Contains(c.target, "?") {
				sep = "&"
			}
			c.target += sep + "ack=" + ack
			calls = append(calls, c)
		}
	}
	for _, c := range everyWrite(501, "not_built") {
		c.headers = merge("Idempotency-Key: k1")
		calls = append(calls, c)
	}
	return []world{{name: "not built", calls: calls}}
}
