package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxConfigFile is the longest configuration file, in bytes.
const maxConfigFile = 1 << 20

// document is a configuration file, each value with its line. It is a provider
// of koanf's.
type document struct {
	file    string
	values  map[string]any // texts of scalars, nested by key
	lines   map[string]int // of scalars, by dotted key
	members []roleMember
	listen  map[string]addresses

	memberLines []int
	listenLines map[string]int
}

// readConfigFile reads and checks the form of a file. What its errors say
// begins with the file and the line.
func readConfigFile(file string) (*document, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if len(text) > maxConfigFile {
		return nil, fmt.Errorf("%s: more than %d bytes: is it the right file?", file, maxConfigFile)
	}
	return parseConfig(file, text)
}

func parseConfig(file string, text []byte) (*document, error) {
	d := &document{file: file, values: map[string]any{}, lines: map[string]int{}, listen: map[string]addresses{}, listenLines: map[string]int{}}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	var root, more yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: the file is empty", file)
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, d.errorAt(more.Line, "a second document: one file describes one cluster")
	}
	return d, d.read(root.Content[0])
}

// at is a place in the file.
func (d *document) at(line int) string { return d.file + ":" + strconv.Itoa(line) }

func (d *document) errorAt(line int, format string, args ...any) error {
	return fmt.Errorf("%s: %w", d.at(line), fmt.Errorf(format, args...))
}

// Read implements koanf.Provider.
func (d *document) Read() (map[string]any, error) { return d.values, nil }

// ReadBytes implements koanf.Provider; it is not used, since the file is
// parsed already.
func (d *document) ReadBytes() ([]byte, error) {
	return nil, errors.New("the configuration file is read as values")
}

// read takes the whole file.
func (d *document) read(root *yaml.Node) error {
	return d.fields(root, "the file", func(key, value *yaml.Node) error {
		switch key.Value {
		case "roster":
			return d.readRoster(value)
		case "listen":
			return d.readListen(value)
		case "timing", "storage":
			inner := map[string]any{}
			d.values[key.Value] = inner
			return d.fields(value, key.Value, func(name, v *yaml.Node) error {
				return d.readScalar(inner, key.Value+"."+name.Value, name, v)
			})
		}
		return d.readScalar(d.values, key.Value, key, value)
	})
}

// fields calls fn with each key of a mapping.
func (d *document) fields(n *yaml.Node, what string, fn func(key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return d.errorAt(n.Line, "%s: want keys with values, such as `cluster: shop`", what)
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return d.errorAt(key.Line, "%s: a key must be a word", what)
		}
		if slices.Contains(seen, key.Value) {
			return d.errorAt(key.Line, "%s: %q stands here twice", what, key.Value)
		}
		seen = append(seen, key.Value)
		if err := fn(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// readScalar takes one setting of the table, whose last word is name.
func (d *document) readScalar(into map[string]any, key string, name, value *yaml.Node) error {
	table := settings()
	i := slices.IndexFunc(table, func(s setting) bool { return s.key == key })
	switch {
	case i >= 0 && !table[i].inFile:
		return d.errorAt(name.Line, "%s: one file serves all processes, so it does not say this; use --%s or %s", key, table[i].flag, table[i].variable())
	case i < 0:
		return d.errorAt(name.Line, "unknown key %q: one of %s", key, strings.Join(fileKeys(), ", "))
	}
	text, err := d.text(value, key)
	if err != nil {
		return err
	}
	into[name.Value], d.lines[key] = text, value.Line
	return nil
}

// fileKeys are all keys that a file may have.
func fileKeys() []string {
	var keys []string
	for _, s := range settings() {
		if s.inFile {
			keys = append(keys, s.key)
		}
	}
	return append(keys, "roster", "listen")
}

// text is the text of a scalar as it stands in the file: `name: 007` means what
// it looks like.
func (d *document) text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		return "", d.errorAt(n.Line, "%s: want one value", what)
	}
	return n.Value, nil
}

// origins lists the lists of the file.
func (d *document) origins() []origin {
	var out []origin
	for i, m := range d.members {
		value := fmt.Sprintf("role=%s api=%s peer=%s gossip=%s priority=%d", m.Role, m.API, m.Peer, m.Gossip, m.Priority)
		out = append(out, origin{"roster." + m.Name, value, d.at(d.memberLines[i])})
	}
	for _, m := range d.members {
		if l, ok := d.listen[m.Name]; ok {
			value := fmt.Sprintf("api=%s peer=%s gossip=%s", l.API, l.Peer, l.Gossip)
			out = append(out, origin{"listen." + m.Name, value, d.at(d.listenLines[m.Name])})
		}
	}
	return out
}
