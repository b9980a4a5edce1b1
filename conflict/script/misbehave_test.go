package script

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// misbehave is a worker that is not one. A name that begins with "good" is a
// sound worker, which a test finds again by that name.
func misbehave(how string) int {
	if strings.HasPrefix(how, "good") {
		return beWorker(nil)
	}
	if how == "parent" {
		return beParent()
	}
	if how == "exit" {
		return 7
	}
	text := greeting
	if how == "stranger" {
		text = "some other program"
	}
	if err := writeFrame(os.Stdout, append(newFrame(0), text...)); err != nil {
		return 1
	}
	if how == "deaf" {
		<-time.After(time.Hour) // until it is killed
	}
	if _, err := readFrame(os.Stdin, maxRequest); err != nil {
		return 1
	}
	return answerBadly(how)
}

// answerBadly answers the first request.
func answerBadly(how string) int {
	switch how {
	case "garbage":
		_ = writeFrame(os.Stdout, append(newFrame(0), "this is no reply"...))
	case "source":
		for range 2 {
			_ = writeFrame(os.Stdout, (&reply{needSource: true}).appendTo(newFrame(0)))
		}
	case "bomb":
		_, _ = os.Stdout.Write([]byte{0xff, 0xff, 0xff, 0xff})
	case "half":
		_, _ = os.Stdout.Write([]byte{0, 0, 0, 9, 1})
		_ = os.Stdout.Close() // the race detector takes a second to exit
		return 1
	case "noise":
		fmt.Fprint(os.Stderr, strings.Repeat("last words ", 1<<20))
		_ = os.Stdout.Close()
		return 2
	case "look":
		_ = writeFrame(os.Stdout, look().appendTo(newFrame(0)))
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
	return 0
}
