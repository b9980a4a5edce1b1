package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits of streams.
const (
	// StreamSilence is how long a stream may be silent before its node counts as
	// gone. Nodes say every 15 s that they live.
	StreamSilence = 40 * time.Second
	// ResumeWithin is how long a stream that has begun is tried again after all
	// nodes were lost.
	ResumeWithin = time.Minute
	// resumePause is the first pause before a stream is tried again, and
	// maxResumePause the longest.
	resumePause    = 200 * time.Millisecond
	maxResumePause = 5 * time.Second
)

var errSilent = errors.New("the stream was silent for too long")

// bounded is the context of one attempt: it ends after d, or for a stream when
// nothing comes for StreamSilence after the first line.
func (r *call) bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if !r.endless {
		return context.WithTimeout(ctx, d)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	r.silence = time.AfterFunc(d, func() { cancel(errSilent) })
	return ctx, func() {
		r.silence.Stop()
		cancel(nil)
	}
}

// endless reads NDJSON that has no end, and goes on where it was broken off.
type endless struct {
	c *Client
	r *call
	// line takes one line, and says whether to go on. It keeps in r from where.
	line func(from string, text []byte) (goOn bool, err error)

	over  bool  // line has said so, or has failed
	err   error // of line
	lines int   // of this attempt
}

// run reads until line does not go on, the context ends, or no node is left. A
// stream that had begun is tried again for ResumeWithin.
func (e *endless) run(ctx context.Context) error {
	e.r.endless, e.r.alone, e.r.consume = true, true, e.consume
	begun := false
	var lost time.Time // since when no node is left; zero: one was found
	pause := resumePause
	for {
		e.lines = 0
		_, err := e.c.do(ctx, e.r)
		switch {
		case e.over:
			return e.err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.lines > 0:
			begun, lost, pause = true, time.Time{}, resumePause
		case err == nil || begun && resumable(err):
			if lost.IsZero() {
				lost = time.Now()
			}
			if err != nil && time.Since(lost) > ResumeWithin {
				return err
			}
		default:
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, maxResumePause)
	}
}

// resumable says whether a stream may begin again after an error.
func resumable(err error) bool {
	for _, code := range []Code{Unreachable, Behind, Draining, Busy} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// consume reads one answer. Once a line has come, its end is none of an error:
// the stream goes on from there.
func (e *endless) consume(from string, body io.Reader) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, MaxReply)
	for {
		e.r.silence.Reset(StreamSilence)
		if !lines.Scan() {
			break
		}
		e.r.silence.Stop() // the caller may take its time
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		e.lines++
		goOn, err := e.line(from, text)
		e.err = err // which is none of this attempt's: no other node would do better
		if e.over = err != nil || !goOn; e.over {
			return nil
		}
	}
	if e.lines > 0 {
		return nil
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

// ending is the last line of a stream that the node ends.
type ending struct {
	End    Code   `json:"end"`
	Detail string `json:"detail"`
}

// read decodes a line. Of one that ends the stream for good it makes an error;
// ended says that it ends for now.
func (e *endless) read(from string, text []byte, into any) (ended bool, err error) {
	var end ending
	err = json.Unmarshal(text, &end)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	switch {
	case err != nil:
		return false, &Error{Op: e.r.op(), URL: from, Code: BadReply, Detail: "a line of the stream cannot be read", Err: fmt.Errorf("%.80q: %w", text, err)}
	case end.End == "":
		return false, nil
	case end.End == Draining:
		return true, nil
	}
	return true, &Error{Op: e.r.op(), URL: from, Code: end.End, Detail: end.Detail}
}
