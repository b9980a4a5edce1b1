package main

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// Issue 5: "latency by a small userspace relay where the kernel cannot".
func TestSlowRelay(t *testing.T) {
	t.Parallel()
	target, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	go func() {
		for {
			c, err := target.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	const there, back = 60 * time.Millisecond, 30 * time.Millisecond
	r, err := startRelay(netip.MustParseAddr("127.0.0.1"), target.Addr().String(), there, back)
	if err != nil {
		t.Fatal(err)
	}
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(testPatience)); err != nil {
		t.Fatal(err)
	}
	// More than is under way at once, so that the order of many pieces shows.
	sent := bytes.Repeat([]byte("0123456789abcdef"), 3*relayChunk/16)
	begun := time.Now()
	go func() { _, _ = c.Write(sent) }()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("what came back is not what was sent: %v", err)
	}
	if took := time.Since(begun); took < there+back {
		t.Errorf("there and back in %s, want at least %s", took, there+back)
	}
	// Cut as well, it carries nothing one way; healed, it brings what had waited.
	r.there.set(true)
	r.there.set(true)
	if _, err := c.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(2 * (there + back))); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(got); err == nil {
		t.Errorf("%q came over a line that is dead", got[:n])
	}
	r.there.set(false)
	if err := c.SetReadDeadline(time.Now().Add(testPatience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, got[:4]); err != nil || string(got[:4]) != "late" {
		t.Errorf("after healing: %q, %v", got[:4], err)
	}
	r.close()
	if _, err := c.Read(got); err == nil {
		t.Error("the connection lives on after the relay has ended")
	}
}
