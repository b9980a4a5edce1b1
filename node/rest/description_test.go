package rest

import (
	"encoding/json"
	"strings"
	"testing"
)

// The description is whole: each reference leads somewhere, and nothing that
// is described apart is unused.
func TestDescriptionIsWhole(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(openAPI, &root); err != nil {
		t.Fatal(err)
	}
	if root["openapi"] != "3.1.0" {
		t.Errorf("version %v", root["openapi"])
	}
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
			}
			for _, e := range v {
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(root)
	if len(used) < 40 {
		t.Fatalf("only %d references", len(used))
	}
	components := root["components"].(map[string]any)
	for ref := range used {
		var at any = root
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			m, _ := at.(map[string]any)
			at = m[name]
		}
		if at == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	for kind, all := range components {
		for name := range all.(map[string]any) {
			// The responses that any request can have stand for themselves.
			if !used["#/components/"+kind+"/"+name] && !strings.HasPrefix(name, "Any") {
				t.Errorf("%s %s is not used", kind, name)
			}
		}
	}
}
