package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const (
	// fewestPackages is how many packages the demo needs to be worth telling.
	fewestPackages = 200

	// dpkgStatus is where Debian keeps what is installed.
	dpkgStatus = "/var/lib/dpkg/status"

	// maxStanzaLine is the longest line of a package index that is read, in bytes.
	maxStanzaLine = 4 << 20

	// importedByField says in a document who imported it. No field of Debian has
	// an underscore.
	importedByField = "imported_by"
)

// stanza is one paragraph of a Debian control file, its fields in their order.
// Values of several lines are joined by line breaks, without the blank before
// each (deb822(5)).
type stanza []stanzaField

type stanzaField struct{ name, value string }

// get is the value of a field, whose name is matched without case; empty when
// it is not there.
func (s stanza) get(name string) string {
	for _, f := range s {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// id names a package as dpkg does, name:architecture. It is empty for a stanza
// that is no package.
func (s stanza) id() string {
	name, arch := s.get("Package"), s.get("Architecture")
	if name == "" || arch == "" {
		return ""
	}
	return name + ":" + arch
}

// document is the stanza as a JSON object with all its fields, and who imports
// it.
func (s stanza) document(importedBy string) ([]byte, error) {
	b := []byte{'{'}
	for _, f := range append(slices.Clip(s), stanzaField{importedByField, importedBy}) {
		name, err := marshal(f.name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(strings.ToValidUTF8(f.value, "\uFFFD"))
		if err != nil {
			return nil, err
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// stanzas reads a Debian control file: paragraphs of "Name: value" with blank
// lines between them, where a line that begins with a blank goes on with the
// value above it. An error names the line, and ends it.
func stanzas(from io.Reader) iter.Seq2[stanza, error] {
	return func(yield func(stanza, error) bool) {
		scanner := bufio.NewScanner(from)
		scanner.Buffer(make([]byte, 0, 64<<10), maxStanzaLine)
		var s stanza
		number := 0
		for scanner.Scan() {
			number++
			line := scanner.Text()
			if strings.TrimSpace(line) == "" {
				if len(s) > 0 && !yield(s, nil) {
					return
				}
				s = nil
				continue
			}
			var err error
			if s, err = s.extend(line); err != nil {
				yield(nil, fmt.Errorf("line %d: %w", number, err))
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(nil, fmt.Errorf("line %d: %w", number+1, err))
			return
		}
		if len(s) > 0 {
			yield(s, nil)
		}
	}
}

var (
	errNoField    = errors.New("it goes on with a value, but no field stands above it")
	errNoName     = errors.New("it is no field: want \"Name: value\"")
	errTwiceField = errors.New("the field stands there twice")
)

// extend adds one line.
func (s stanza) extend(line string) (stanza, error) {
	switch line[0] {
	case '#': // a comment
		return s, nil
	case ' ', '\t':
		if len(s) == 0 {
			return nil, errNoField
		}
		more := line[1:]
		if strings.TrimSpace(more) == "." { // stands for an empty line
			more = ""
		}
		s[len(s)-1].value += "\n" + more
		return s, nil
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || name == "" || name == importedByField || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errNoName
	}
	for _, f := range s {
		if strings.EqualFold(f.name, name) {
			return nil, fmt.Errorf("%w: %s", errTwiceField, name)
		}
	}
	return append(s, stanzaField{name, strings.TrimSpace(value)}), nil
}

// packageIndex is what a machine knows of packages.
type packageIndex struct {
	from     string // in words, where it comes from
	packages []stanza
}

// packageSources are where a machine keeps its package index.
type packageSources struct {
	aptCache string // the program
	status   string // dpkg's own file
}

// machinePackages are those of Debian and its children.
func machinePackages() packageSources {
	return packageSources{aptCache: "apt-cache", status: dpkgStatus}
}

// read reads the package index of this machine: what can be installed, or where
// no lists are, what is installed.
func (p packageSources) read(ctx context.Context) (*packageIndex, error) {
	available, errAvailable := p.available(ctx)
	if errAvailable == nil && len(available.packages) >= fewestPackages {
		return available, nil
	}
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	installed, errInstalled := p.installed()
	if errInstalled == nil && len(installed.packages) >= fewestPackages {
		return installed, nil
	}
	most := 0
	for _, index := range []*packageIndex{available, installed} {
		if index != nil {
			most = max(most, len(index.packages))
		}
	}
	err := errors.Join(errAvailable, errInstalled)
	advice := "run `apt-get update` as root, which brings the package lists"
	if errors.Is(errAvailable, exec.ErrNotFound) || errors.Is(errAvailable, fs.ErrNotExist) {
		advice = "install the package apt of Debian or Ubuntu, and run `apt-get update` as root, which brings the package lists"
	}
	if err == nil {
		return nil, fmt.Errorf("this machine knows %d packages, and the demo needs %d: %s", most, fewestPackages, advice)
	}
	return nil, fmt.Errorf("this machine knows %d packages, and the demo needs %d: %s (%w)", most, fewestPackages, advice, err)
}

// available asks apt.
func (p packageSources) available(ctx context.Context) (*packageIndex, error) {
	cmd := exec.CommandContext(ctx, p.aptCache, "dumpavail")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	index, err := indexPackages("apt-cache dumpavail", out)
	if err != nil {
		// Without a reader it would wait for ever.
		_ = out.Close()
		_ = cmd.Wait() // the first error says more
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("apt-cache dumpavail: %w: %s", err, strings.TrimSpace(complaints.String()))
	}
	return index, nil
}

// installed reads dpkg's own file.
func (p packageSources) installed() (*packageIndex, error) {
	file, err := os.Open(p.status)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return indexPackages(p.status, file)
}

// indexPackages keeps one stanza of each package: the first, should an index
// have several versions.
func indexPackages(name string, from io.Reader) (*packageIndex, error) {
	index := &packageIndex{from: name}
	seen := map[string]bool{}
	for s, err := range stanzas(from) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if id := s.id(); id != "" && !seen[id] {
			seen[id] = true
			index.packages = append(index.packages, s)
		}
	}
	return index, nil
}
