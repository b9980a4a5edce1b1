package peer_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/scripts/ports"
)

// echo answers with who called and what it said.
func echo(_ context.Context, caller peer.Caller, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	fmt.Fprintf(w, "%s %s %s", caller.Name, caller.Role, body)
}

func TestCallNamesTheCaller(t *testing.T) {
	caller, server := newSide("w"), newSide("b")
	run := server.serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{"/x": echo})
	client := caller.client(t, run.Addr().String())
	for _, ask := range []func(context.Context, string, string, []byte, int) ([]byte, error){client.Ballot, client.Call} {
		got, err := ask(patient(t), "b", "/x", []byte("hi"), 100)
		if string(got) != "w witness hi" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if conns, names := run.seen(); conns != 2 || strings.Join(names, " ") != "w w" {
		t.Errorf("%d connections of %v; want one for ballots and one for data, known to the link", conns, names)
	}
}

// A beat sends a ballot every 150 ms: all of them on one connection.
func TestBallotsShareOneConnection(t *testing.T) {
	run := newSide("b").serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{"/x": echo})
	client := newSide("a").client(t, run.Addr().String())
	for range 50 {
		if _, err := client.Ballot(patient(t), "b", "/x", []byte("hi"), 100); err != nil {
			t.Fatal(err)
		}
	}
	if conns, _ := run.seen(); conns != 1 {
		t.Errorf("50 ballots took %d connections", conns)
	}
}

// A ballot that got no answer before its caller gave up must not hurt the next
// one.
func TestBallotAfterOneGivenUp(t *testing.T) {
	silent, asked := make(chan bool, 1), make(chan bool)
	silent <- true
	run := newSide("b").serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{
		"/x": func(ctx context.Context, c peer.Caller, w http.ResponseWriter, r *http.Request) {
			select {
			case <-silent:
				_, _ = io.Copy(io.Discard, r.Body)
				close(asked)
				<-ctx.Done()
			default:
				echo(ctx, c, w, r)
			}
		},
	})
	client := newSide("a").client(t, run.Addr().String())
	impatient, giveUp := context.WithCancel(t.Context())
	go func() {
		<-asked
		giveUp()
	}()
	if _, err := client.Ballot(impatient, "b", "/x", []byte("hi"), 100); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the caller's end", err)
	}
	if got, err := client.Ballot(patient(t), "b", "/x", []byte("hi"), 100); err != nil {
		t.Errorf("the next ballot: %q, %v", got, err)
	}
	if conns, _ := run.seen(); conns != 2 {
		t.Errorf("%d connections; want a fresh one after the first was given up", conns)
	}
}

// A peer that restarted between two ballots costs none of them.
func TestBallotAfterARestart(t *testing.T) {
	addr := ports.For(t, 1)[0]
	first := newSide("b").serve(t, listen(t, addr), map[string]peer.Handler{"/x": echo})
	client := newSide("a").client(t, addr)
	for range 3 {
		if _, err := client.Ballot(patient(t), "b", "/x", []byte("hi"), 100); err != nil {
			t.Fatal(err)
		}
		first.stop()
		first = newSide("b").serve(t, listen(t, addr), map[string]peer.Handler{"/x": echo})
	}
	if _, err := client.Ballot(patient(t), "b", "/x", []byte("hi"), 100); err != nil {
		t.Error(err)
	}
}

// DESIGN section 5: "Votes have their own connections, so that a 16 MiB
// document cannot starve a ballot." Here the stream is stuck for good.
func TestStuckStreamDoesNotStarveBallots(t *testing.T) {
	full := make(chan struct{})
	run := newSide("b").serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{
		"/x": echo,
		"/flood": func(ctx context.Context, _ peer.Caller, w http.ResponseWriter, _ *http.Request) {
			control := http.NewResponseController(w)
			chunk := bytes.Repeat([]byte("x"), 1<<20)
			_ = control.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			for ctx.Err() == nil {
				if _, err := w.Write(chunk); err != nil {
					close(full) // nothing more goes into the stream
					<-ctx.Done()
					return
				}
			}
		},
	})
	client := newSide("a").client(t, run.Addr().String())
	flood, err := client.Stream(t.Context(), "b", "/flood", []byte("all"))
	if err != nil {
		t.Fatal(err)
	}
	for stuck := false; !stuck; {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if _, err := client.Ballot(ctx, "b", "/x", []byte("hi"), 100); err != nil {
			t.Fatalf("a ballot beside a flood: %v", err)
		}
		cancel()
		select {
		case <-full:
			stuck = true
		default:
		}
	}
	if _, err := client.Ballot(patient(t), "b", "/x", []byte("hi"), 100); err != nil {
		t.Errorf("a ballot beside a stuck stream: %v", err)
	}
	if err := flood.Close(); err != nil {
		t.Error(err)
	}
}

// A frame arrives when it is flushed, not when the stream ends; and the stream
// ends with the server.
func TestStreamDeliversFrameByFrame(t *testing.T) {
	next := make(chan string)
	run := newSide("b").serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{
		"/changes": func(ctx context.Context, _ peer.Caller, w http.ResponseWriter, r *http.Request) {
			asked, _ := io.ReadAll(r.Body)
			control := http.NewResponseController(w)
			for {
				_, _ = fmt.Fprintf(w, "%s ", asked)
				select {
				case frame := <-next:
					_, _ = io.WriteString(w, frame+"\n")
					_ = control.Flush()
				case <-ctx.Done():
					return
				}
			}
		},
	})
	client := newSide("a").client(t, run.Addr().String())
	begin := make(chan struct{})
	go func() {
		<-begin
		next <- "one" // the head of the reply goes with the first frame
	}()
	close(begin)
	stream, err := client.Stream(t.Context(), "b", "/changes", []byte("from 7:"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stream)
	for _, want := range []string{"one", "two", "three"} {
		if want != "one" {
			next <- want
		}
		if !lines.Scan() || lines.Text() != "from 7: "+want {
			t.Fatalf("got %q, %v, want frame %s", lines.Text(), lines.Err(), want)
		}
	}
	run.stop()
	if lines.Scan() && lines.Text() != "from 7: " {
		t.Errorf("a stopped server sent %q", lines.Text())
	}
	_ = stream.Close()
}

// Leaving a stream ends its handler, and closing the client ends its streams.
func TestStreamsEnd(t *testing.T) {
	ended := make(chan struct{}, 2)
	run := newSide("b").serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{
		"/s": func(ctx context.Context, _ peer.Caller, w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-ctx.Done()
			ended <- struct{}{}
		},
	})
	client := newSide("a").client(t, run.Addr().String())
	left, err := client.Stream(t.Context(), "b", "/s", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := left.Close(); err != nil {
		t.Error(err)
	}
	<-ended
	kept, err := client.Stream(t.Context(), "b", "/s", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if _, err := kept.Read(make([]byte, 1)); err == nil {
		t.Error("a stream of a closed client can be read")
	}
	_ = kept.Close()
	<-ended
}

// What is not 200 is an error with its status and words; nothing is followed;
// nothing is longer than its limit.
func TestAnswersThatSayNo(t *testing.T) {
	run := newSide("b").serve(t, listen(t, "127.0.0.1:0"), map[string]peer.Handler{
		"/x": echo,
		"/redirect": func(_ context.Context, _ peer.Caller, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/x", http.StatusFound)
		},
		"/busy": func(_ context.Context, _ peer.Caller, w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "catching up\nfake log line "+strings.Repeat("y", 5000), http.StatusServiceUnavailable)
		},
		"/forbidden": func(_ context.Context, _ peer.Caller, w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "not you", http.StatusForbidden)
		},
	})
	client := newSide("a").client(t, run.Addr().String())
	for path, want := range map[string]struct {
		status int
		words  string
	}{
		"/redirect":  {http.StatusFound, ""},
		"/busy":      {http.StatusServiceUnavailable, "catching up fake log line yyy"},
		"/forbidden": {http.StatusForbidden, "not you"},
		"/nowhere":   {http.StatusNotFound, "newer version"},
	} {
		_, err := client.Call(patient(t), "b", path, []byte("hi"), 100)
		e, ok := errors.AsType[*peer.StatusError](err)
		if !ok || e.Status != want.status || !strings.Contains(e.Reason, want.words) || len(e.Reason) > 512 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := client.Call(patient(t), "b", "/x", []byte("a longer answer than that"), 20); err == nil || !strings.Contains(err.Error(), "longer than 20") {
		t.Errorf("a long answer: %v", err)
	}
	if got, err := client.Call(patient(t), "b", "/x", nil, len("a data ")); err != nil {
		t.Errorf("an answer of just the limit: %q, %v", got, err)
	}
	_, err := client.Call(patient(t), "b", "/x", make([]byte, peer.MaxRequest+1), 100)
	if e, ok := errors.AsType[*peer.StatusError](err); ok && e.Status != http.StatusRequestEntityTooLarge || err == nil {
		t.Errorf("a request above the limit: %v", err)
	}
}
