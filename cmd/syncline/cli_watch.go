package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

const (
	// watchEvery is how often --watch shows again.
	watchEvery = time.Second

	// clearScreen moves a terminal's cursor home and clears what is below.
	clearScreen = "\x1b[H\x1b[2J"
)

// show prints once what a function makes, or with --watch again every second
// until the context ends. A failure ends the first showing only: who watches
// wants to see the cluster come back.
func (r *remote) show(ctx context.Context, make func(context.Context, *remote) error) error {
	if !r.watch {
		return make(ctx, r)
	}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for first := true; ; first = false {
		var page bytes.Buffer
		paged := *r
		paged.out = &page
		err := make(ctx, &paged)
		switch {
		case ctx.Err() != nil:
			return nil // Ctrl-C is how a watch ends
		case err != nil && first:
			return err
		case err != nil:
			fmt.Fprintf(&page, "unknown at %s: %s\n", clock(time.Now()), err)
		}
		if r.liveOut && r.output == asTable {
			_, err = r.out.Write(append([]byte(clearScreen), page.Bytes()...))
		} else {
			_, err = r.out.Write(page.Bytes())
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// clock shows a moment as the time of day, in UTC as the logs of nodes have it.
func clock(t time.Time) string { return t.UTC().Format("15:04:05Z") }

// ago shows how long something has been so, and since when.
func ago(since, now time.Time) string {
	if since.IsZero() {
		return "an unknown time"
	}
	return fmt.Sprintf("%s (%s)", clock(since), span(now.Sub(since)))
}

// span shows a length of time in one or two units.
func span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
