package rest

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/syncline/syncline/node"
)

// The media types of the API.
const (
	typeJSON    = "application/json"
	typeNDJSON  = "application/x-ndjson"
	typeProblem = "application/problem+json"
	typeMerge   = "application/merge-patch+json"
	typePatch   = "application/json-patch+json"
	typeText    = "text/plain; charset=utf-8"
)

// acceptable says whether the client takes a media type, which is given
// without parameters. Errors are problems whatever Accept says.
func acceptable(r *http.Request, offered string) error {
	values := r.Header["Accept"]
	if len(values) == 0 || len(values) == 1 && (values[0] == "*/*" || values[0] == offered || values[0] == "") {
		return nil
	}
	// The most specific range that matches decides, as RFC 9110 has it.
	best, quality := -1, 0.0
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if n, q := matchRange(part, offered); n > best {
				best, quality = n, q
			}
		}
	}
	if best >= 0 && quality > 0 {
		return nil
	}
	return &node.Error{Op: "request", Kind: NotAcceptable, Err: fmt.Errorf("Accept leaves out %s, which is all that this path gives", offered)}
}

// matchRange says how well one range of Accept fits: -1 not at all, 0 as */*,
// 1 as application/*, 2 by name; and its quality. A range that cannot be read
// does not fit.
func matchRange(text, offered string) (specific int, quality float64) {
	if strings.TrimSpace(text) == "" {
		return -1, 0
	}
	name, params, err := mime.ParseMediaType(text)
	if err != nil {
		return -1, 0
	}
	quality = 1
	if q, ok := params["q"]; ok {
		if quality, err = strconv.ParseFloat(q, 64); err != nil {
			return -1, 0
		}
	}
	major, _, _ := strings.Cut(offered, "/")
	switch name {
	case offered:
		return 2, quality
	case major + "/*":
		return 1, quality
	case "*/*":
		return 0, quality
	}
	return -1, 0
}

// patchType is the kind of patch that a request brings. Merge patch is the
// default.
func patchType(r *http.Request) (string, error) {
	text, ok, err := single(r.Header, headType)
	if err != nil {
		return "", err
	}
	if !ok {
		return typeMerge, nil
	}
	name, _, err := mime.ParseMediaType(text)
	switch {
	case err != nil:
		return "", badRequest("header Content-Type: %w", err)
	case name == typeJSON:
		return typeMerge, nil
	case name == typeMerge, name == typePatch:
		return name, nil
	}
	return "", &node.Error{Op: "patch", Kind: node.UnsupportedType, Err: errors.New("send the patch as " + typeMerge + " or " + typePatch)}
}
