package chaos

import (
	"context"
	"fmt"
	"time"

	"go.starlark.net/starlark"
)

// always calls a function for a time, and what it returns must be true each time.
func (r *run) always(a *arguments) (starlark.Value, error) {
	lasts, looks := a.span("lasts", 0), 0
	thread := &starlark.Thread{Name: "always"}
	thread.SetMaxExecutionSteps(MaxSteps)
	defer context.AfterFunc(r.ctx, func() { thread.Cancel("stopped") })()
	begun := r.cfg.Now()
	broken, err := r.await(lasts, func() (bool, error) {
		v, err := starlark.Call(thread, a.values["holds"], nil, nil)
		if err != nil {
			return false, err
		}
		looks++
		return !bool(v.Truth()), nil
	})
	if err != nil {
		return nil, err
	}
	what := a.text("what")
	if broken {
		what += fmt.Sprintf(" (no longer after %s)", r.cfg.Now().Sub(begun).Round(time.Millisecond))
	} else {
		what += fmt.Sprintf(" (for %s, looked at %d times)", lasts, looks)
	}
	return nil, r.claim(a.at, !broken, what)
}
