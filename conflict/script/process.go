package script

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// process is one worker process, seen from its parent.
type process struct {
	pid    int
	in     *os.File // its standard input
	out    *os.File // its standard output
	reader *bufio.Reader
	known  map[Hash]bool // scripts that it was sent
	cancel context.CancelFunc
	gone   chan struct{} // closed when it was waited for; state and words hold then
	state  string
	words  lastWords
}

// lastWords keeps the beginning of what a process writes to standard error.
type lastWords struct{ text []byte }

// Write implements io.Writer. It takes everything and keeps maxStderr bytes.
func (w *lastWords) Write(b []byte) (int, error) {
	w.text = append(w.text, b[:min(len(b), maxStderr-len(w.text))]...)
	return len(b), nil
}

// start starts a worker and waits for its greeting. It is killed when the
// context ends. The caller calls stop in the end.
func start(ctx context.Context, command []string) (*process, error) {
	if err := sealFiles(); err != nil {
		return nil, err
	}
	p := &process{known: map[Hash]bool{}, gone: make(chan struct{})}
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, childIn.Close(), in.Close())
	}
	p.in, p.out, p.reader = in, out, bufio.NewReaderSize(out, pipeBuffer)

	ctx, p.cancel = context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = childIn, childOut, &p.words
	cmd.Env, cmd.Dir = []string{}, string(os.PathSeparator)
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = wordsTimeout
	started := make(chan error, 1)
	go p.watch(cmd, started)
	// The child has its ends now. With ours open we would not see its end.
	if err := errors.Join(<-started, childIn.Close(), childOut.Close()); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	if err := p.greet(); err != nil {
		err = errors.Join(err, p.stop())
		return nil, fmt.Errorf("the worker (%s) does not greet: %w", p.state, err)
	}
	return p, nil
}

// watch starts the process and waits for its end. The kernel ends a worker with
// the thread that started it, so the thread is kept until then.
func (p *process) watch(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	if err == nil {
		p.pid = cmd.Process.Pid
		started <- nil
		err = cmd.Wait()
	} else {
		started <- err
	}
	p.state = "exit status 0"
	if err != nil {
		p.state = err.Error()
	}
	close(p.gone)
}

func (p *process) greet() error {
	if err := p.out.SetReadDeadline(time.Now().Add(StartTimeout)); err != nil {
		return err
	}
	text, err := readFrame(p.reader, len(greeting))
	if err == nil && string(text) != greeting {
		err = fmt.Errorf("it says %.40q, want %q: is it another version of this program?", text, greeting)
	}
	return err
}

// stop kills the process, waits for its end and closes the pipes. It keeps
// nothing, so there is nothing to finish.
func (p *process) stop() error {
	p.cancel()
	<-p.gone
	return errors.Join(p.in.Close(), p.out.Close())
}

// workerError is the error of a call that the worker did not survive.
type workerError struct {
	failure *Failure
}

// Error implements error.
func (e *workerError) Error() string { return e.failure.Msg }

// ask sends a request and waits for its reply, for so much of the worker's
// processor time. With an error the process is dead: the error is an *workerError.
func (p *process) ask(q *request, source string, limit time.Duration) (*reply, error) {
	if err := errors.Join(p.in.SetWriteDeadline(time.Time{}), p.out.SetReadDeadline(time.Time{})); err != nil {
		return nil, p.autopsy(err)
	}
	t := p.time(limit)
	answer, err := p.converse(q, source)
	switch passed := t.stop(); {
	case err == nil:
		return answer, nil
	case passed != nil && errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errors.Join(p.stop(), &workerError{passed})
	}
	return nil, p.autopsy(err)
}

// converse is ask without its limit. An error leaves the process as it is.
func (p *process) converse(q *request, source string) (*reply, error) {
	for range 2 { // the second time with the source
		if !p.known[q.hash] {
			q.source = source
		}
		answer, err := p.exchange(q)
		switch {
		case err != nil:
			return nil, err
		case answer.needSource && q.source == "":
			delete(p.known, q.hash)
		case answer.needSource || (answer.test != nil) != (q.test != ""):
			return nil, errMessage
		default:
			p.remember(q.hash)
			return answer, nil
		}
	}
	return nil, errMessage
}

// remember notes that the worker has a script. It forgets sooner than the
// worker does, and when it is wrong the worker asks for the source.
func (p *process) remember(h Hash) {
	if len(p.known) >= workerScripts {
		clear(p.known)
	}
	p.known[h] = true
}

func (p *process) exchange(q *request) (*reply, error) {
	size := len(q.source) + frameRoom
	if q.conflict != nil {
		size += q.conflict.size() + len(q.conflict.Siblings)*siblingRoom
	}
	if err := writeFrame(p.in, q.appendTo(newFrame(size))); err != nil {
		return nil, err
	}
	body, err := readFrame(p.reader, maxReply)
	if err != nil {
		return nil, err
	}
	return readReply(body)
}

// What a request takes beside texts, in bytes: a guess that saves copies.
const (
	frameRoom   = 256
	siblingRoom = 64
)

// autopsy kills the process and says what ended the call.
func (p *process) autopsy(err error) error {
	err = errors.Join(err, p.stop())
	words := string(p.words.text)
	f := &Failure{}
	switch {
	case errors.Is(err, errMessage):
		f = failure(KindKilled, "the worker sent what is no reply")
	case strings.Contains(words, "stack exceeds"):
		f = failure(KindMemory, "the worker passed its stack of %d bytes", workerStack)
	case strings.Contains(words, "out of memory") || strings.Contains(words, "cannot allocate memory"):
		f = failure(KindMemory, "the worker passed its address space of %d bytes", workerMemory)
	default:
		line, _, _ := strings.Cut(words, "\n")
		f = failure(KindKilled, "the worker died (%s): %v %s", p.state, err, line)
	}
	return &workerError{f}
}
