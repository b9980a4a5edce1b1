package rest

import (
	"testing"
)

// API, Shapes: `list → {"documents":[{"id","dot","etag","context","conflicts",
// "doc"}]`. What a resolver makes of a conflict that is still open is the value of
// no one version, so its dot is null. What it deletes is not listed.
func TestListOfResolvedConflicts(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/resolvers/add", add)
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"script","resolver":"add"}}`)
	s.conflictOf("summed")
	list, ok := in(t, s.must(200, "GET", "/v1/docs/accounts", "").object(t), "documents").([]any)
	if !ok || len(list) != 1 {
		t.Fatalf("%v", list)
	}
	one := list[0].(map[string]any)
	if one["id"] != "summed" || one["dot"] != nil || one["conflicts"] != 2.0 || in(t, one, "doc", "balance") != 90.0 {
		t.Errorf("%v", one)
	}
	s.must(201, "PUT", "/v1/resolvers/gone", "def resolve(c):\n    return DELETE\n")
	s.must(200, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"script","resolver":"gone"}}`)
	if list, ok := in(t, s.must(200, "GET", "/v1/docs/accounts", "").object(t), "documents").([]any); !ok || len(list) != 0 {
		t.Errorf("a deleted one is listed: %v", list)
	}
}
