package rest

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas are those of openapi.json, compiled when they are asked for.
type schemas struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	root     map[string]any
	compiled map[string]*jsonschema.Schema
}

const (
	schemaURL     = "https://syncline.example/openapi.json"
	schemaProblem = "/components/schemas/Problem"
)

var describedSchemas = sync.OnceValues(func() (*schemas, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	return &schemas{compiler: c, root: document.(map[string]any), compiled: map[string]*jsonschema.Schema{}}, c.AddResource(schemaURL, document)
})

// at is the value that a JSON pointer leads to; references are followed.
func (s *schemas) at(steps ...string) (value map[string]any, pointer string) {
	value = s.root
	for _, step := range steps {
		next, ok := value[step].(map[string]any)
		if !ok {
			return nil, ""
		}
		pointer += "/" + strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
		if ref, ok := next["$ref"].(string); ok {
			pointer = strings.TrimPrefix(ref, "#")
			next, _ = s.at(strings.Split(strings.TrimPrefix(pointer, "/"), "/")...)
		}
		value = next
	}
	return value, pointer
}

// pointerOf is where the schema of an answer is, empty where none is described,
// or no more than that it is text, as of streams.
func (s *schemas) pointerOf(route, method string, status int, mediaType string) string {
	if mediaType == "application/problem+json" {
		return schemaProblem
	}
	schema, pointer := s.at("paths", route, strings.ToLower(method), "responses", strconv.Itoa(status), "content", mediaType, "schema")
	if schema["type"] == "string" {
		return ""
	}
	return pointer
}

// check says in what an answer differs from its description.
func (s *schemas) check(pointer string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	schema := s.compiled[pointer]
	if schema == nil {
		var err error
		if schema, err = s.compiler.Compile(schemaURL + "#" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer)); err != nil {
			return err
		}
		s.compiled[pointer] = schema
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// conforms checks that what is answered in JSON is what openapi.json says.
func (s *stand) conforms(method, path string, a answer) {
	s.t.Helper()
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	route := s.routeOf(method, path)
	if err != nil || method == "HEAD" || route == "" || !strings.HasSuffix(mediaType, "json") {
		return
	}
	all, err := describedSchemas()
	if err != nil {
		s.t.Fatal(err)
	}
	pointer := all.pointerOf(route, method, a.status, mediaType)
	values := [][]byte{a.body}
	if mediaType == typeNDJSON {
		values = slices.Collect(bytes.Lines(a.body))
	}
	if pointer == "" {
		return
	}
	for _, one := range values {
		if err := all.check(pointer, one); err != nil {
			s.t.Errorf("%s %s: %d is not as described: %v\n%.500s", method, path, a.status, err, one)
		}
	}
}

// The check tells an answer that is as described from one that is not.
func TestAnswersAreHeldAgainstTheirSchemas(t *testing.T) {
	all, err := describedSchemas()
	if err != nil {
		t.Fatal(err)
	}
	pointer := all.pointerOf("/v1/chaos/runs/{id}", "GET", 200, "application/json")
	const run = `{"id":"r1","script":"s","seed":1,"node":"a","state":%q,"started":"2026-11-21T12:00:00Z","ended":null,"error":"","dropped":%s,"timeline":null,"verdict":null}`
	if err := all.check(pointer, fmt.Appendf(nil, run, "held", "0")); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{fmt.Sprintf(run, "glad", "0"), fmt.Sprintf(run, "held", `"0"`), `{}`} {
		if all.check(pointer, []byte(wrong)) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
