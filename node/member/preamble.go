package member

import (
	"fmt"
	"io"

	"github.com/syncline/syncline/vclock"
)

// preambleMagic begins every gossip stream; the digit is the version.
const preambleMagic = "SLG1"

// preamble is what a stream from a node begins with: magic, one byte with the
// length of the name, the name.
func preamble(name string) []byte {
	return append(append([]byte(preambleMagic), byte(len(name))), name...)
}

// readPreamble reads a preamble and not one byte more.
func readPreamble(r io.Reader) (string, error) {
	var head [len(preambleMagic) + 1]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", fmt.Errorf("gossip preamble: %w", err)
	}
	if string(head[:len(preambleMagic)]) != preambleMagic {
		return "", fmt.Errorf("gossip preamble: begins with %q, want %q: is it a peer of this cluster?", head[:len(preambleMagic)], preambleMagic)
	}
	n := int(head[len(preambleMagic)])
	if n > vclock.MaxNodeName {
		return "", fmt.Errorf("gossip preamble: a name of %d bytes, at most %d", n, vclock.MaxNodeName)
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return "", fmt.Errorf("gossip preamble: %w", err)
	}
	if err := vclock.CheckNodeName(string(name)); err != nil {
		return "", fmt.Errorf("gossip preamble: %w", err)
	}
	return string(name), nil
}
