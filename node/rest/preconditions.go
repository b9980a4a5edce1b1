package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncline/syncline/node"
)

const (
	// maxTags is the most entity tags of one If-Match or If-None-Match.
	maxTags = 64
	// maxWait is the longest that Prefer: wait may ask for.
	maxWait = 60 * time.Second
	// maxWaitDigits is the most digits of a wait's seconds that are looked at.
	maxWaitDigits = 9
)

// parseTags reads the entity tags of If-Match or If-None-Match, without their
// quotes; "*" stands alone. A W/ before a tag, which proxies add, is ignored:
// our tags are strong.
func parseTags(name string, values []string) ([]string, error) {
	var tags []string
	for _, rest := range values {
		for {
			rest = strings.TrimLeft(rest, " \t,")
			if rest == "" {
				break
			}
			tag, after, err := cutTag(name, rest)
			if err != nil {
				return nil, err
			}
			if tags = append(tags, tag); len(tags) > maxTags {
				return nil, badRequest("header %s has more than %d tags", name, maxTags)
			}
			rest = strings.TrimLeft(after, " \t")
			if rest != "" && rest[0] != ',' {
				return nil, badRequest("header %s: want a comma between two tags", name)
			}
		}
	}
	switch {
	case len(tags) == 0:
		return nil, badRequest("header %s is empty", name)
	case len(tags) > 1 && slices.Contains(tags, "*"):
		return nil, badRequest("header %s: * stands alone", name)
	}
	return tags, nil
}

// cutTag takes one entity tag or a star from the front of a text.
func cutTag(name, text string) (tag, rest string, err error) {
	if rest, ok := strings.CutPrefix(text, "*"); ok {
		return "*", rest, nil
	}
	text = strings.TrimPrefix(text, "W/")
	if text == "" || text[0] != '"' {
		return "", "", badRequest("header %s: write each tag in double quotes, as it came in ETag", name)
	}
	tag, rest, ok := strings.Cut(text[1:], `"`)
	if !ok {
		return "", "", badRequest("header %s: a tag has no closing quote", name)
	}
	if tag == "*" {
		// Quoted, it is a tag that we never give, and no star.
		tag = `"*"`
	}
	return tag, rest, nil
}

// preferences are what Prefer asks for, as far as it can be had here.
type preferences struct {
	minimal bool
	wait    time.Duration
	waits   bool // wait was asked for, perhaps with 0
}

// parsePrefer reads Prefer (RFC 7240). Preferences of others are ignored, as
// the RFC demands; of one that stands twice the first counts.
func parsePrefer(values []string) (preferences, error) {
	var p preferences
	returned := false
	for _, rest := range values {
		for rest != "" {
			var name, value string
			name, value, rest = cutPreference(rest)
			switch {
			case strings.EqualFold(name, "return") && !returned:
				returned = true
				p.minimal = value == "minimal"
			case strings.EqualFold(name, "wait") && !p.waits:
				wait, err := parseWait(value)
				if err != nil {
					return p, err
				}
				p.waits, p.wait = true, wait
			}
		}
	}
	return p, nil
}

// cutPreference takes one preference from the front of a list, without its
// parameters.
func cutPreference(text string) (name, value, rest string) {
	end, quoted, first := len(text), false, -1
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' && (i == 0 || text[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case c == ';' && first < 0:
			first = i
		case c == ',':
			end = i
		}
		if end < len(text) {
			break
		}
	}
	head := text[:end]
	if first >= 0 {
		head = text[:first]
	}
	if end < len(text) {
		rest = text[end+1:]
	}
	name, value, _ = strings.Cut(head, "=")
	return strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`), rest
}

// parseWait reads a number of seconds; above maxWait it is maxWait.
func parseWait(text string) (time.Duration, error) {
	if text == "" || len(text) > maxWaitDigits || strings.Trim(text, "0123456789") != "" {
		return 0, badRequest("Prefer: wait=%.40s: want whole seconds, at most %d", text, int(maxWait/time.Second))
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("Prefer: wait: %w", err)
	}
	return min(time.Duration(n)*time.Second, maxWait), nil
}

// setApplied says which preferences held.
func (p preferences) setApplied(h http.Header, minimal bool) {
	var held []string
	if minimal {
		held = append(held, "return=minimal")
	}
	if p.waits {
		held = append(held, "wait="+strconv.Itoa(int(p.wait/time.Second)))
	}
	if held != nil {
		h[headApplied] = []string{strings.Join(held, ", ")}
	}
}

// preconditions reads the headers of a write of one document into it.
func (s *Server) preconditions(h http.Header, w *node.Write) error {
	var err error
	if v := h["If-Match"]; v != nil {
		if w.IfMatch, err = parseTags("If-Match", v); err != nil {
			return err
		}
	}
	if v := h["If-None-Match"]; v != nil {
		tags, err := parseTags("If-None-Match", v)
		if err != nil {
			return err
		}
		if tags[0] != "*" {
			return badRequest("header If-None-Match: a write takes only *, which asks that there is no value")
		}
		w.IfAbsent = true
	}
	text, ok, err := single(h, headContext)
	if err != nil || !ok {
		return err
	}
	w.Context, err = s.engine.ParseContext(w.Key, text)
	return err
}

// refuseUnbuilt answers what a write may ask for and this build cannot do.
func refuseUnbuilt(r *http.Request) error {
	if r.Header["Idempotency-Key"] != nil {
		return notBuilt("Idempotency-Key: this build does not remember keys; leave the header out")
	}
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	ack, err := q.text("ack")
	if err != nil {
		return err
	}
	switch ack {
	case "local":
		return nil
	case "majority", "all":
		return notBuilt("ack=" + ack + ": this build acknowledges a write when it is durable on this node (ack=local)")
	case "":
		if !q.has("ack") {
			return nil
		}
	}
	return badRequest("parameter ack is %.40q: want local, majority or all", ack)
}
