package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

const (
	// shownSides is the most versions of a conflict that are shown beside each
	// other; JSON has all.
	shownSides = 6

	// shownMembers is the most members that are compared.
	shownMembers = 100

	// memberWidth is how much of a member's value is shown, in characters.
	memberWidth = 32

	// unknownValue stands for what nobody knows.
	unknownValue = "—"
)

// newConflictShowCommand shows one conflict.
func newConflictShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one conflict: its versions beside each other, and who had seen what", Args: exactArgs(1),
		Long: "Shows a conflict, open or on record: each version with its members (! marks those that differ), what was\n" +
			"lost, what became of it, and a diagram of what was written where, with time to the right.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			c, err := r.client.Conflict(ctx, args[0], client.Options{})
			if err != nil {
				return err
			}
			if r.output != asTable {
				return r.json(c)
			}
			return r.showConflict(c)
		}),
	}
}

func (r *remote) showConflict(c *client.Conflict) error {
	fmt.Fprintln(r.out, paint(printable(conflictTitle(c)), strong, r.colour))
	facts := table{}
	facts.add(cell{"Reason", faint}, text(c.Reason))
	policy := c.Policy.Kind
	if c.Policy.Resolver != "" {
		if policy != client.PolicyScript {
			policy += "; decided by the resolver"
		}
		policy += " " + c.Policy.Resolver
	}
	if c.Policy.ResolverVersion != "" {
		policy += ", version " + c.Policy.ResolverVersion
	}
	if c.Policy.Version != "" {
		policy += ", configured by " + c.Policy.Version
	}
	facts.add(cell{"Policy", faint}, text(policy))
	facts.add(cell{"Shown", faint}, text(shownText(c)))
	if c.Episode != "" {
		facts.add(cell{"Episode", faint}, text(c.Episode))
	}
	addRun(&facts, c)
	for _, step := range c.Trace {
		done := step.Action + " by " + step.Who + ", " + shortTime(step.At)
		if step.Dot != "" {
			done += ", to " + step.Dot
		}
		facts.add(cell{"Since then", faint}, text(done))
	}
	if err := facts.write(r.out, r.colour); err != nil {
		return err
	}
	parts := []table{compareSides(c), lostMembers(c)}
	for i := range parts {
		if len(parts[i].rows) == 0 {
			continue
		}
		fmt.Fprintln(r.out)
		if err := parts[i].write(r.out, r.colour); err != nil {
			return err
		}
	}
	if n := len(c.Siblings) - shownSides; n > 0 {
		r.note("%d versions more are not shown; --output json has all", n)
	}
	fmt.Fprintln(r.out)
	_, err := io.WriteString(r.out, printableLines(drawConflict(c)))
	return err
}

// addRun adds what the resolver left.
func addRun(facts *table, c *client.Conflict) {
	if c.Run == nil {
		return
	}
	for _, note := range c.Run.Notes {
		facts.add(cell{"Note", faint}, text(note))
	}
	for _, e := range c.Run.Events {
		facts.add(cell{"Event", faint}, text(e.Name+" "+string(e.Data)))
	}
	for line := range strings.Lines(c.Run.Output) {
		facts.add(cell{"Printed", faint}, text(strings.TrimSuffix(line, "\n")))
	}
	if c.Run.Failure != "" {
		facts.add(cell{"Failure", faint}, cell{c.Run.Failure, bad})
	}
	if c.Run.More > 0 {
		facts.add(cell{"Left out", faint}, text(fmt.Sprintf("%d notes, events or bytes that were printed", c.Run.More)))
	}
}

// printableLines is printable for a text of several lines of our own.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

func conflictTitle(c *client.Conflict) string {
	title := fmt.Sprintf("Conflict %s of %s/%s: %s", c.ID, c.Collection, c.DocID, c.State)
	if c.By != "" {
		title += fmt.Sprintf(", ended by %s (%s), %s", c.By, c.Who, shortTime(c.At))
	}
	return title
}

// shownText says which version is shown, or was.
func shownText(c *client.Conflict) string {
	switch {
	case c.Shown == nil, c.Shown.Dot == "":
		return "a value made of several versions"
	}
	for i, one := range c.Siblings {
		if one.Dot == c.Shown.Dot {
			return fmt.Sprintf("version %d, %s", i+1, one.Dot)
		}
	}
	return c.Shown.Dot
}

// column is one document among those that are compared.
type column struct {
	members map[string]string // by JSON pointer
	instead string            // what stands in each line, where there are no members
}

// columnOf takes a document apart.
func columnOf(doc json.RawMessage, deleted bool) column {
	switch {
	case deleted:
		return column{instead: "(deleted)"}
	case len(doc) == 0 || string(doc) == "null":
		return column{instead: unknownValue}
	}
	out := column{members: map[string]string{}}
	out.flatten("", doc)
	return out
}

// flatten adds the members of a value, or the value itself where it has none.
// Arrays are compared whole.
func (c *column) flatten(path string, value json.RawMessage) {
	var object map[string]json.RawMessage
	if value[0] == '{' && json.Unmarshal(value, &object) == nil && (len(object) > 0 || path == "") {
		for name, member := range object {
			c.flatten(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), member)
		}
		return
	}
	var flat bytes.Buffer
	if json.Compact(&flat, value) != nil {
		return // the answer was read as JSON, so this does not happen
	}
	c.members[path] = flat.String()
}

func (c *column) at(path string) string {
	if c.instead != "" {
		return c.instead
	}
	if value, ok := c.members[path]; ok {
		return value
	}
	return "(absent)"
}

// compareSides puts the base, the versions and the result beside each other, and
// marks the members in which versions differ.
func compareSides(c *client.Conflict) table {
	columns := []column{columnOf(c.Base, false)}
	t := table{head: []string{" ", "MEMBER", "BASE"}}
	if len(columns[0].members) > 0 && !c.BaseExact {
		t.head[2] = "BASE, ABOUT" // not all of what they have in common
	}
	sides := c.Siblings[:min(shownSides, len(c.Siblings))]
	for i, one := range sides {
		columns = append(columns, columnOf(one.Doc, one.Deleted))
		t.head = append(t.head, fmt.Sprintf("%d, AT %s", i+1, one.Node))
	}
	if c.Result != nil {
		columns = append(columns, columnOf(c.Result.Doc, c.Result.Deleted))
		t.head = append(t.head, "RESULT")
	}
	paths := map[string]bool{}
	for _, one := range columns {
		for path := range one.members {
			paths[path] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(paths))
	for _, path := range sorted[:min(shownMembers, len(sorted))] {
		row := []cell{{" ", plain}, text(path)}
		as := plain
		if differ(columns[1:1+len(sides)], path) {
			row[0], as = cell{"!", caution}, strong
		}
		for _, one := range columns {
			row = append(row, cell{clip(one.at(path), memberWidth), as})
		}
		t.add(row...)
	}
	if n := len(sorted) - shownMembers; n > 0 {
		t.add(text(" "), text(fmt.Sprintf("… and %d members more; --output json has all", n)))
	}
	if len(sorted) == 0 {
		row := []cell{{" ", plain}, text("(all of it)")}
		for _, one := range columns {
			row = append(row, text(clip(cmp.Or(one.instead, "{}"), memberWidth)))
		}
		t.add(row...)
	}
	return t
}

// differ says whether versions have different values at a path. One that was
// deleted says so in every line; beside a single other one that is a difference,
// beside several only theirs are worth a mark.
func differ(sides []column, path string) bool {
	values := map[string]bool{}
	whole := 0
	for _, one := range sides {
		if one.instead == "" {
			values[one.at(path)] = true
			whole++
		}
	}
	return len(values) > 1 || whole == 1 && len(sides) > 1
}

// lostMembers lists what the result does not have as a version had it.
func lostMembers(c *client.Conflict) table {
	t := table{head: []string{" ", "LOST", "OF", "VALUE", "MORE OR LESS"}}
	if slices.ContainsFunc(c.Lost, func(l client.LostMember) bool { return l.Change != "" }) {
		t.head = append(t.head, "HAD ADDED") // where the base is known
	}
	for _, lost := range c.Lost[:min(shownMembers, len(c.Lost))] {
		of := lost.Dot
		if i := slices.IndexFunc(c.Siblings, func(one client.ConflictSide) bool { return one.Dot == lost.Dot }); i >= 0 {
			of = fmt.Sprint(i + 1)
		}
		path := lost.Path
		if path == "" {
			path = "(all of it)"
		}
		row := []cell{text(" "), text(path), text(of), text(clip(string(lost.Value), memberWidth))}
		if lost.Delta != "" {
			row = append(row, text(signed(lost.Delta)))
		}
		if lost.Change != "" {
			row = append(row, text(signed(lost.Change)))
		}
		t.add(row...)
	}
	if n := c.LostCount - len(t.rows); n > 0 && c.LostCount > 0 {
		t.add(text(" "), text(fmt.Sprintf("… and %d more", n)))
	}
	return t
}

// signed puts a plus before a number that has no sign.
func signed(delta string) string {
	if delta == "" || strings.HasPrefix(delta, "-") {
		return delta
	}
	return "+" + delta
}
