package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/stream"
)

// feedKind is how a feed is read.
type feedKind string

// The kinds of feeds.
const (
	feedPage     feedKind = "page"
	feedLongPoll feedKind = "longpoll"
	feedSSE      feedKind = feedKind(stream.SSE)
	feedNDJSON   feedKind = feedKind(stream.NDJSON)
)

// mediaType is what a feed is answered as.
func (f feedKind) mediaType() string {
	switch f {
	case feedSSE:
		return stream.TypeSSE
	case feedNDJSON:
		return typeNDJSON
	default:
		return typeJSON
	}
}

// feed reads the parameter feed: one of the kinds that a route has, the first
// of them when it is absent.
func (q query) feed(kinds ...feedKind) (feedKind, error) {
	text, err := q.text("feed")
	switch {
	case err != nil:
		return "", err
	case !q.has("feed"):
		return kinds[0], nil
	case slices.Contains(kinds, feedKind(text)):
		return feedKind(text), nil
	}
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	last := len(names) - 1
	return "", badRequest("parameter feed is %.40q: want %s or %s", text, strings.Join(names[:last], ", "), names[last])
}

// stream answers a request with a stream until serve ends: when the reader goes,
// or the server drains, of which the last event tells. A HEAD has no body to
// wait for. The state that the headers tell is that of now.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, of string, format stream.Format, serve func(context.Context, *stream.Writer) error) error {
	if r.Method == http.MethodHead {
		s.stamp(w.Header())
		w.Header()[headType] = []string{format.MediaType()}
		w.Header()[headCache] = valueNoStore
		w.WriteHeader(http.StatusOK)
		return nil
	}
	done, ok := s.places.Take()
	if !ok {
		return &node.Error{Op: "stream", Kind: node.Busy, Err: fmt.Errorf(
			"this node serves %d streams already, the most that it does: close some, use another node, or read by feed=page", stream.MaxStreams)}
	}
	defer done()
	s.stamp(w.Header())
	out, err := stream.Begin(w, format)
	if err == nil {
		err = serve(r.Context(), out)
	}
	if err != nil { // a reader that has gone needs no answer
		s.cfg.Log.Debug("a stream ended", "of", of, "reader", r.RemoteAddr, "error", err)
	}
	return nil
}
