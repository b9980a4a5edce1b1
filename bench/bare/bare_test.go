package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// startBare runs the true program on a free port until the test ends, or until
// stop is called.
func startBare(t *testing.T, dir string) (base string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"-data", dir}, in) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "ready api=")
	if !ok {
		t.Fatalf("first line %q", line)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return "http://" + address, stop
}

func send(t *testing.T, method, url string, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// stored reads a document from the file of a stopped server.
func stored(t *testing.T, dir string) map[string]string {
	t.Helper()
	s, err := openStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.conn.QueryContext(t.Context(), "SELECT c || '/' || id, body FROM docs")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	docs := map[string]string{}
	for rows.Next() {
		var id string
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			t.Fatal(err)
		}
		docs[id] = string(body)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return docs
}

// TestAnsweredIsStored: the floor is honest only if what it answers is in the
// file, whichever group it was written in. Issue: "one writer with group
// commit, one INSERT of the same bytes, FULL".
func TestAnsweredIsStored(t *testing.T) {
	dir := t.TempDir()
	base, stop := startBare(t, dir)
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for n := range 20 {
				url := fmt.Sprintf("%s/v1/docs/c%d/d%d", base, client, n%10)
				if status, _ := send(t, http.MethodPut, url, strings.NewReader(fmt.Sprintf(`{"n":%d}`, n))); status != http.StatusOK {
					t.Errorf("PUT: status %d", status)
				}
			}
		})
	}
	clients.Wait()
	if status, body := send(t, http.MethodGet, base+"/v1/docs/c0/d0", nil); status != http.StatusOK || len(body) != defaultDocument {
		t.Errorf("GET: status %d, %d bytes", status, len(body))
	}
	stop()
	docs := stored(t, dir)
	if len(docs) != 80 {
		t.Errorf("%d documents, want 80", len(docs))
	}
	for id, body := range docs {
		n := int(id[len(id)-1] - '0')
		if want := fmt.Sprintf(`{"n":%d}`, n+10); body != want {
			t.Errorf("%s holds %s, want %s", id, body, want)
		}
	}
}

// TestDurable: the floor pays for the same durability as the product.
func TestDurable(t *testing.T) {
	s, err := openStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "10000"} {
		var got string
		if err := s.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	base, stop := startBare(t, dir)
	if status, _ := send(t, http.MethodPut, base+"/v1/docs/c/d", io.MultiReader(strings.NewReader("{}"))); status != http.StatusRequestEntityTooLarge {
		t.Errorf("body of unknown length: status %d", status)
	}
	stop()
	if docs := stored(t, dir); len(docs) != 0 {
		t.Errorf("a refused write was stored: %d documents", len(docs))
	}
	for _, args := range [][]string{{}, {"-data", dir, "-bulk", "65"}, {"-data", dir, "-bulk", "3", "-each", "3"}, {"-nothing"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

func TestBulk(t *testing.T) {
	dir := t.TempDir()
	var out strings.Builder
	if err := run(t.Context(), []string{"-data", dir, "-bulk", "1280", "-size", "100"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "bulk rows=1280 seconds=") {
		t.Errorf("printed %q", out.String())
	}
	docs := stored(t, dir)
	if len(docs) != 1280 || len(docs["bench/d000001279"]) != 100 {
		t.Errorf("%d documents, the last one has %d bytes", len(docs), len(docs["bench/d000001279"]))
	}
}
