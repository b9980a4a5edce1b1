package stream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// WriteTimeout is how long one write to a reader may take; a reader that
	// does not read for so long is dropped.
	WriteTimeout = 10 * time.Second
	// BeatEvery is how long a stream is silent before it says that it lives.
	BeatEvery = 15 * time.Second
)

// The media types of streams.
const (
	TypeSSE    = "text/event-stream"
	TypeNDJSON = "application/x-ndjson"
)

// Format is how the events of a stream are framed.
type Format string

// The formats.
const (
	SSE    Format = "sse"
	NDJSON Format = "ndjson"
)

// MediaType is the Content-Type of a stream.
func (f Format) MediaType() string {
	if f == NDJSON {
		return TypeNDJSON
	}
	return TypeSSE
}

// Event is one message of a stream.
type Event struct {
	ID   string // to go on behind it; "": it is none to go on from
	Kind string // SSE's name of it; "": a plain message
	Data []byte // JSON on one line
}

// Writer sends events to one reader. It is for one goroutine.
type Writer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	format  Format
	buffer  []byte
}

// Begin sends the head of an endless answer. Headers of the caller's own must
// be set before.
func Begin(w http.ResponseWriter, format Format) (*Writer, error) {
	out := &Writer{w: w, control: http.NewResponseController(innermost(w)), format: format}
	h := w.Header()
	h["Content-Type"] = []string{format.MediaType()}
	h["Cache-Control"] = []string{"no-store"}
	h["X-Accel-Buffering"] = []string{"no"} // for proxies that would hold events back
	// The server's deadline is for requests that end.
	if err := without(out.control.SetReadDeadline(time.Time{})); err != nil {
		return nil, fmt.Errorf("stream: read deadline: %w", err)
	}
	if err := out.deadline(); err != nil {
		return nil, err
	}
	w.WriteHeader(http.StatusOK)
	return out, out.flush()
}

// innermost is the server's own writer: one that is wrapped around it may keep
// the errors of flushing to itself.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapped.Unwrap()
	}
}

// Send sends events in one write, within WriteTimeout.
func (w *Writer) Send(events ...Event) error {
	w.buffer = w.buffer[:0]
	for i := range events {
		w.buffer = w.format.append(w.buffer, &events[i])
	}
	return w.write()
}

// Beat says that the stream lives: a comment of SSE, and in NDJSON, which has
// none, a line that the reader knows already.
func (w *Writer) Beat(line []byte) error {
	w.buffer = append(w.buffer[:0], ": \n\n"...)
	if w.format == NDJSON {
		w.buffer = append(append(w.buffer[:0], line...), '\n')
	}
	return w.write()
}

func (w *Writer) write() error {
	if err := w.deadline(); err != nil {
		return err
	}
	if _, err := w.w.Write(w.buffer); err != nil {
		return fmt.Errorf("stream: the reader is gone, or does not read: %w", err)
	}
	return w.flush()
}

func (w *Writer) flush() error {
	if err := without(w.control.Flush()); err != nil {
		return fmt.Errorf("stream: the reader is gone, or does not read: %w", err)
	}
	return nil
}

func (w *Writer) deadline() error {
	if err := without(w.control.SetWriteDeadline(time.Now().Add(WriteTimeout))); err != nil {
		return fmt.Errorf("stream: write deadline: %w", err)
	}
	return nil
}

// without forgives a writer that has no connection, as those of tests have.
func without(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// append frames one event.
func (f Format) append(b []byte, e *Event) []byte {
	if f == NDJSON {
		return append(append(b, e.Data...), '\n')
	}
	if e.ID != "" {
		b = append(append(append(b, "id: "...), e.ID...), '\n')
	}
	if e.Kind != "" {
		b = append(append(append(b, "event: "...), e.Kind...), '\n')
	}
	return append(append(append(b, "data: "...), e.Data...), '\n', '\n')
}

// LastID is the id behind which a reader wants to go on: its header
// Last-Event-ID, which a browser sends by itself.
func LastID(r *http.Request) string { return strings.TrimSpace(r.Header.Get("Last-Event-ID")) }

// Ended is the last event of a stream that the server ends.
func Ended(reason, detail string) Event {
	return Event{Kind: "end", Data: encode(struct {
		End    string `json:"end"`
		Detail string `json:"detail"`
	}{reason, detail})}
}
