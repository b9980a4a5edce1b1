package main

import (
	"os"
	"strings"
	"testing"
)

// TestMain lets this test binary be the program, too: a node starts its workers
// from the program that it is itself, and would run all these tests again, which
// start nodes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main() // does not return
	}
	os.Exit(m.Run())
}
