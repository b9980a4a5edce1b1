package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// Shapes with documents in them are appended by hand: the bytes of a body go
// out as they came in, and a list of a thousand does without reflection.

// appendText appends a JSON string.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return append(b, mustJSON(text)...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// mustJSON is the JSON of a value of ours, which always has one.
func mustJSON(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // a body in it stays as readable as it was
	if err := enc.Encode(v); err != nil {
		panic("rest: a value has no JSON form: " + err.Error())
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
}

// quotedTag is a document's entity tag as If-Match takes it, empty when
// nothing is known of the document.
func quotedTag(d *node.Document) string {
	if d.Tag == "" {
		return ""
	}
	return `"` + d.Tag + `"`
}

// appendShown appends what a document shows, from "etag" to "conflicts", for
// lists, events and the results of a bulk.
func (s *Server) appendShown(b []byte, d *node.Document) []byte {
	b = appendText(append(b, `"etag":`...), quotedTag(d))
	b = appendText(append(b, `,"context":`...), s.engine.ContextToken(d))
	return strconv.AppendInt(append(b, `,"conflicts":`...), int64(d.Live.Conflicts()), 10)
}

// appendDoc appends the member "doc": null for a tombstone.
func appendDoc(b, body []byte, deleted bool) []byte {
	b = append(b, `"doc":`...)
	if deleted {
		return append(b, "null"...)
	}
	return append(b, body...)
}

// appendSiblings appends the list of live versions.
func appendSiblings(b []byte, live conflict.Siblings) []byte {
	b = append(b, '[')
	for i, v := range live {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"dot":`...), v.Dot.String())
		b = appendText(append(b, `,"node":`...), v.Dot.Actor.Node())
		b = appendText(append(b, `,"time":`...), v.Time.String())
		b = strconv.AppendBool(append(b, `,"deleted":`...), v.Deleted)
		b = appendVector(append(b, `,"clock":`...), v.Clock.Vector())
		if v.Clock.LooseLen() > 0 {
			b = append(b, `,"loose":`...)
			b = appendLoose(b, v.Clock)
		}
		b = append(appendDoc(append(b, ','), v.Body, v.Deleted), '}')
	}
	return append(b, ']')
}

func appendVector(b []byte, v vclock.Vector) []byte { return append(b, mustJSON(v)...) }

// appendLoose appends the dots of a clock beyond its vector.
func appendLoose(b []byte, c vclock.Context) []byte {
	sep := byte('[')
	for d := range c.Loose() {
		b = appendText(append(b, sep), d.String())
		sep = ','
	}
	return append(b, ']')
}

// reply sends a whole body in one write of known length.
func reply(w http.ResponseWriter, status int, mediaType []string, body []byte) error {
	h := w.Header()
	h[headType] = mediaType
	h[headLength] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
	return nil
}

// replyJSON sends a value that tells of the moment and is not to be kept.
func replyJSON(w http.ResponseWriter, status int, v any) error {
	w.Header()[headCache] = valueNoStore
	return reply(w, status, valueJSON, mustJSON(v))
}
