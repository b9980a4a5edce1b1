package rest

import (
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

// place takes one of the node's places for streams.
func (s *Server) place() (done func(), err error) {
	done, ok := s.places.Take()
	if !ok {
		return nil, &node.Error{Op: "stream", Kind: node.Busy, Err: fmt.Errorf(
			"this node serves %d streams already, the most that it does: close some, use another node, or read by feed=page", stream.MaxStreams)}
	}
	return done, nil
}

// beginStream sends the head of a stream. The state that the headers tell is
// that of now.
func (s *Server) beginStream(w http.ResponseWriter, format stream.Format) (*stream.Writer, error) {
	s.stamp(w.Header())
	return stream.Begin(w, format)
}

// headOnly answers HEAD on a stream, which has no body to wait for.
func (s *Server) headOnly(w http.ResponseWriter, format stream.Format) error {
	s.stamp(w.Header())
	w.Header()[headType] = []string{format.MediaType()}
	w.Header()[headCache] = valueNoStore
	w.WriteHeader(http.StatusOK)
	return nil
}
