package main

import (
	"strings"

	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/scripts/resolvers"
)

// resolverExamples are the resolvers that come with the program, by name.
func resolverExamples() ([]rest.ResolverExample, error) {
	files, err := resolvers.Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var out []rest.ResolverExample
	for _, f := range files {
		source, err := resolvers.Files.ReadFile(f.Name())
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(f.Name(), ".star")
		out = append(out, rest.ResolverExample{Name: name, About: firstComment(string(source)), Source: string(source)})
	}
	return out, nil
}

// firstComment is the comment that a source begins with, as one paragraph.
func firstComment(source string) string {
	var words []string
	for line := range strings.Lines(source) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(text)...)
	}
	return strings.Join(words, " ")
}
