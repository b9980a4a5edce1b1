package ports_test

import (
	"net"
	"testing"

	"github.com/syncline/syncline/scripts/ports"
)

// What was given is free for TCP and for UDP, is given to nobody else, and can
// be given again afterwards.
func TestTake(t *testing.T) {
	seen := map[string]bool{}
	var releases []func() error
	for range 20 {
		got, release, err := ports.Take(t.Context(), ports.Most)
		if err != nil || len(got) != ports.Most {
			t.Fatalf("%d addresses, %v", len(got), err)
		}
		releases = append(releases, release)
		for _, address := range got {
			if seen[address] {
				t.Errorf("%s was given twice", address)
			}
			seen[address] = true
			ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			pc, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", address)
			if err != nil {
				t.Fatal(err)
			}
			ln.Close()
			pc.Close()
		}
	}
	for _, release := range releases {
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}

// A port that somebody has is not given: neither of those who ask here, nor of
// others, for TCP or for UDP.
func TestTakeLeavesWhatOthersHave(t *testing.T) {
	got, release, err := ports.Take(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	pc, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", got[1])
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if ports.Free(t.Context(), got[0]) != nil || ports.Free(t.Context(), got[1]) == nil {
		t.Errorf("%s is taken, or %s is free", got[0], got[1])
	}
}

func TestTakeRefuses(t *testing.T) {
	for _, n := range []int{-1, 0, ports.Most + 1} {
		if got, _, err := ports.Take(t.Context(), n); err == nil {
			t.Errorf("%d: %v", n, got)
		}
	}
}
