package tidy

import (
	"regexp"
	"strings"
)

// silences finds comments that switch a check off; the second pattern of each
// pair says what one with a reason looks like.
var silences = []struct{ any, sound *regexp.Regexp }{
	{regexp.MustCompile(`^//\s*nolint\b`), regexp.MustCompile(`^//nolint:[a-z0-9,]+ // \S+ \S+`)},
	{regexp.MustCompile(`^//\s*lint:(file-)?ignore\b`), regexp.MustCompile(`^//lint:(file-)?ignore [A-Z0-9,]+ \S+ \S+`)},
}

// checkReasons reports switched-off checks that do not say which and why.
func checkReasons(h *House) []Problem {
	var out []Problem
	for _, pkg := range h.Packages {
		for _, f := range pkg.Files {
			for _, group := range f.Syntax.Comments {
				for _, c := range group.List {
					for _, s := range silences {
						if s.any.MatchString(c.Text) && !s.sound.MatchString(c.Text) {
							out = append(out, h.at(c.Pos(), "reason", "name the check and give the reason beside it: //nolint:name // why"))
						}
					}
				}
			}
		}
	}
	return out
}

// checkGoMods reports replace and exclude, which break `go install` of the
// program by its path.
func checkGoMods(h *House) []Problem {
	var out []Problem
	for _, mod := range h.GoMods {
		for i, line := range mod.Lines {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if word == "replace" || word == "exclude" {
				out = append(out, Problem{Path: mod.Path, Line: i + 1, Rule: "go-mod", Text: word + " breaks `go install`: use versions that work together"})
			}
		}
	}
	return out
}
