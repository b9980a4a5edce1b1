package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one line of the report.
type figure struct {
	name    string
	floor   string // what the floor reached, "" when there is none
	product string
	ratio   string // product / floor, "" when there is no floor
	target  string
	reached bool
}

// report collects figures in the order of measuring.
type report struct {
	figures []figure
}

// addRates adds a ratio of rates (per second), each a median of the rounds.
func (r *report) addRates(name string, floor, product []float64, target float64) {
	ratios := make([]float64, len(product))
	for i := range product {
		ratios[i] = product[i] / floor[i]
	}
	ratio := median(ratios)
	f := figure{
		name: name, ratio: fmt.Sprintf("%.2f", ratio), reached: ratio >= target,
		floor: fmt.Sprintf("%.0f/s", median(floor)), product: fmt.Sprintf("%.0f/s", median(product)),
	}
	if target > 0 {
		f.target = fmt.Sprintf(">= %.2f", target)
	}
	r.figures = append(r.figures, f)
}

// addFloor adds a rate of the floor alone.
func (r *report) addFloor(name string, rate float64) {
	r.figures = append(r.figures, figure{name: name, floor: fmt.Sprintf("%.0f/s", rate)})
}

// addBelow adds a figure that must stay under a limit, both printed by show.
func addBelow[T cmp.Ordered](r *report, name string, got, limit T, show func(T) string) {
	r.figures = append(r.figures, figure{
		name: name, product: show(got), target: "< " + show(limit), reached: got < limit,
	})
}

// addTime adds a time that must stay under a limit; 0 for none.
func (r *report) addTime(name string, got, limit time.Duration) {
	if limit > 0 {
		addBelow(r, name, got, limit, showDuration)
		return
	}
	r.figures = append(r.figures, figure{name: name, product: showDuration(got)})
}

// write prints the table and says how many targets were missed.
func (r *report) write(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "figure\tfloor\tsyncline\tratio\ttarget\t")
	missed := 0
	for _, f := range r.figures {
		verdict := ""
		switch {
		case f.target == "":
		case f.reached:
			verdict = "reached"
		default:
			verdict = "MISSED"
			missed++
		}
		fmt.Fprintln(table, strings.Join([]string{f.name, f.floor, f.product, f.ratio, f.target, verdict}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d figures, %d missed\n", len(r.figures), missed)
	return err
}

// median of values, 0 when there are none; the upper one of two in the middle.
func median(values []float64) float64 {
	return percentile(values, 50)
}

// percentile is the value that p percent do not pass, 0 when there are none.
func percentile[T cmp.Ordered](values []T, p float64) T {
	var zero T
	if len(values) == 0 {
		return zero
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(p/100*float64(len(sorted))), len(sorted)-1)]
}

func showDuration(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

func showMegabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }
