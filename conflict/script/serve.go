package script

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// exitFuse is the status of a worker that ended itself.
const exitFuse = 3

// ServeWorker is the main loop of a worker process: it confines the process,
// greets, and answers requests from in to out until in ends. It is called with
// the process's standard streams, and nothing else of the product runs beside
// it. It changes limits of the whole process, for good.
//
// The context ends a script that is running; an idle worker waits for the end
// of in.
func ServeWorker(ctx context.Context, in io.Reader, out io.Writer) error {
	if err := confine(); err != nil {
		return fmt.Errorf("script: the worker cannot limit itself: %w", err)
	}
	return serve(ctx, in, out)
}

// serve is ServeWorker without the limits.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	if err := writeFrame(out, append(newFrame(len(greeting)), greeting...)); err != nil {
		return fmt.Errorf("script: greet: %w", err)
	}
	w, requests := worker{scripts: NewInline()}, bufio.NewReaderSize(in, pipeBuffer)
	for {
		body, err := readFrame(requests, maxRequest)
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil // the parent has closed the pipe, or is gone
		case err != nil:
			return fmt.Errorf("script: read a request: %w", err)
		}
		answer, err := w.answer(ctx, body)
		if err != nil {
			return err
		}
		if err := writeFrame(out, answer.appendTo(newFrame(len(body)))); err != nil {
			return fmt.Errorf("script: write a reply: %w", err)
		}
	}
}

// worker answers requests, one after the other.
type worker struct {
	scripts *Inline
}

func (w *worker) answer(ctx context.Context, body []byte) (*reply, error) {
	q, err := readRequest(body)
	if err != nil {
		return nil, err
	}
	// The parent kills a worker in time. This one's parent may be gone.
	fuse := time.AfterFunc(fuseAfter, func() { os.Exit(exitFuse) })
	defer fuse.Stop()
	s, err := w.script(q)
	if s == nil || err != nil {
		return &reply{needSource: true}, err
	}
	p := &reply{}
	if q.test != "" {
		p.test, err = w.scripts.Test(ctx, s, q.test)
	} else {
		p.result, err = w.scripts.Resolve(ctx, s, q.conflict)
	}
	return p, err
}

// script finds the script of a request, or compiles it. It is nil when the
// source is needed.
func (w *worker) script(q *request) (*Script, error) {
	if m, ok := w.scripts.modules.Get(q.hash); ok {
		return m.script, nil
	}
	if q.source == "" {
		return nil, nil //nolint:nilnil // no script and no error: the parent is asked for it
	}
	s, err := Compile("resolver", q.source)
	switch {
	case err != nil:
		return nil, fmt.Errorf("script: the parent sent a script that does not compile: %w", err)
	case s.hash != q.hash:
		return nil, errors.New("script: the parent sent another script than it named")
	}
	return s, nil
}
