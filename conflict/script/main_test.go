package script

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// workerArgument makes this test binary a worker, as cmd does by a command.
const workerArgument = "resolver-worker"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerArgument {
		os.Exit(beWorker(os.Args[2:]))
	}
	goleak.VerifyTestMain(m)
}

func beWorker(args []string) int {
	if len(args) > 0 {
		return misbehave(args[0])
	}
	if err := ServeWorker(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
