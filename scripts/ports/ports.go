package ports

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

const (
	// rangeFirst and blocks are below the ports that a system gives to connections,
	// and to those who ask for any free one (Linux: from 32768): what was free stays
	// free between two lives of a process.
	rangeFirst = 12_000
	blocks     = 640
	// blockSize is how many ports a block has. Its first is listened on by who has
	// the block.
	blockSize = 32
	// Most is how many addresses Take gives at a time.
	Most = blockSize - 1
	// tries is how many blocks are tried.
	tries = 50
)

const loopback = "127.0.0.1"

// Take returns n loopback addresses, host:port, that are free for TCP and for
// UDP, n from 1 to Most, and what gives them back. Until then nobody else is
// given them who asks here, in this process or in another.
func Take(ctx context.Context, n int) (addresses []string, release func() error, err error) {
	if n < 1 || n > Most {
		return nil, nil, fmt.Errorf("%d ports: from 1 to %d can be had", n, Most)
	}
	for range tries {
		first := rangeFirst + rand.IntN(blocks)*blockSize
		lock, err := new(net.ListenConfig).Listen(ctx, "tcp", at(first))
		if err != nil {
			continue // somebody has the block
		}
		var found []string
		for port := first + 1; port <= first+n && free(ctx, at(port)) == nil; port++ {
			found = append(found, at(port))
		}
		if len(found) == n {
			return found, lock.Close, nil
		}
		if err := lock.Close(); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fmt.Errorf("no %d free ports on %s in %d blocks of %d from %d", n, loopback, tries, blockSize, rangeFirst)
}

// For is Take for a test: it has the addresses until it ends.
func For(t testing.TB, n int) []string {
	t.Helper()
	addresses, release, err := Take(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	})
	return addresses
}

func at(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// free says nil when nobody has the address, neither for TCP nor for UDP.
func free(ctx context.Context, address string) error {
	stream, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	packets, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address)
	if err != nil {
		return errors.Join(err, stream.Close())
	}
	return errors.Join(stream.Close(), packets.Close())
}
