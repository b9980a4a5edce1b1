package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

const (
	// listPage is how many documents are asked for at once.
	listPage = 500

	// shownDoc is how much of a document a line of the table shows, in
	// characters.
	shownDoc = 80
)

// newLsCommand lists collections or documents.
func newLsCommand(a *app) *cobra.Command {
	var options client.ListOptions
	var limit int
	cmd := &cobra.Command{
		Use: "ls [COLLECTION]", Short: "List collections, or the documents of one", Args: rangeArgs(0, 1),
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if limit < 0 {
				return usagef("--limit %d: 0 for all, or a number above it", limit)
			}
			if len(args) == 0 {
				return r.listCollections(ctx)
			}
			l := &listing{r: r, left: limit, limited: limit > 0}
			options.Page = listPage
			if l.limited {
				options.Page = min(limit, listPage)
			}
			return l.run(ctx, args[0], options)
		}),
	}
	cmd.Flags().StringVar(&options.Prefix, "prefix", "", "only ids that begin with this")
	cmd.Flags().BoolVar(&options.Conflicted, "conflicted", false, "only documents with two or more live versions")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many; 0 for all")
	return cmd
}

// listCollections shows what the node has, one line a collection.
func (r *remote) listCollections(ctx context.Context) error {
	v, err := r.client.Verify(ctx, client.Options{})
	if err != nil {
		return err
	}
	type row struct {
		Collection string `json:"collection"`
		Documents  int64  `json:"documents"`
		Conflicts  int64  `json:"conflicts"`
		Tombstones int64  `json:"tombstones"`
	}
	rows := []row{}
	t := table{head: []string{"COLLECTION", "DOCUMENTS", "CONFLICTS", "TOMBSTONES"}}
	for _, name := range sortedKeys(v.Collections) {
		d := v.Collections[name]
		rows = append(rows, row{name, d.Documents, d.Conflicts, d.Tombstones})
		t.add(text(name), text(fmt.Sprint(d.Documents)), text(fmt.Sprint(d.Conflicts)), text(fmt.Sprint(d.Tombstones)))
	}
	switch r.output {
	case asJSON:
		return r.json(struct {
			Collections []row `json:"collections"`
		}{rows})
	case asNDJSON:
		for _, line := range rows {
			if err := r.json(line); err != nil {
				return err
			}
		}
		return nil
	}
	return t.write(r.out, r.colour)
}

// listing is one run of ls over documents. It shows them page by page, so that
// a long collection costs no memory.
type listing struct {
	r       *remote
	limited bool
	left    int
	rows    table
	all     []shownDocument // with --output json, which is one value
}

func (l *listing) run(ctx context.Context, collection string, options client.ListOptions) error {
	l.rows.head = []string{"ID", "VERSION", "CONFLICTS", "DOCUMENT"}
	l.all = []shownDocument{}
	for d, err := range l.r.client.List(ctx, collection, options) {
		if err != nil {
			return err
		}
		if err := l.add(d); err != nil {
			return err
		}
		if l.left--; l.limited && l.left == 0 {
			break
		}
	}
	switch l.r.output {
	case asJSON:
		return l.r.json(struct {
			Documents []shownDocument `json:"documents"`
		}{l.all})
	case asNDJSON:
		return nil // each was printed as it came
	}
	return l.flush()
}

func (l *listing) add(d *client.Document) error {
	switch l.r.output {
	case asJSON:
		l.all = append(l.all, documentJSON(d))
		return nil
	case asNDJSON:
		return l.r.json(documentJSON(d))
	}
	conflicts := cell{"", caution}
	if d.Conflicts > 0 {
		conflicts.text = fmt.Sprint(d.Conflicts)
	}
	l.rows.add(text(d.ID), text(d.Dot), conflicts, text(clip(string(d.Doc), shownDoc)))
	if len(l.rows.rows) < listPage {
		return nil
	}
	return l.flush()
}

// flush shows the rows that have gathered; heads are shown once.
func (l *listing) flush() error {
	err := l.rows.write(l.r.out, l.r.colour)
	l.rows = table{}
	return err
}

// exportPage is how many documents export asks for at once.
const exportPage = 1000

// newExportCommand writes a collection as NDJSON.
func newExportCommand(a *app) *cobra.Command {
	var options client.ListOptions
	cmd := &cobra.Command{
		Use: "export COLLECTION [FILE]", Short: "Write a collection as NDJSON, as import reads it", Args: rangeArgs(1, 2),
		Long: "Writes one line {\"id\",\"doc\"} for each document, to a file or standard output. A document in conflict\n" +
			"is written with the value that is shown and the number of its versions, {\"id\",\"conflicts\",\"doc\"}.\n" +
			"Documents that are written meanwhile may be missed or not.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			options.Page = exportPage
			if len(args) == 1 || args[1] == "-" {
				return r.export(ctx, args[0], options, r.out)
			}
			file, err := os.Create(args[1])
			if err != nil {
				return err
			}
			if err := r.export(ctx, args[0], options, file); err != nil {
				_ = file.Close() // the first error says more
				return err
			}
			return file.Close()
		}),
	}
	cmd.Flags().StringVar(&options.Prefix, "prefix", "", "only ids that begin with this")
	return cmd
}

// exported is one line of an export.
type exported struct {
	ID        string          `json:"id"`
	Conflicts int             `json:"conflicts,omitempty"`
	Doc       json.RawMessage `json:"doc"`
}

func (r *remote) export(ctx context.Context, collection string, options client.ListOptions, to io.Writer) error {
	p := newProgress(r.notes, r.live, "documents exported")
	out := bufio.NewWriterSize(to, 1<<20)
	conflicts := 0
	for d, err := range r.client.List(ctx, collection, options) {
		if err != nil {
			p.end()
			return fmt.Errorf("after %d documents: %w", p.count, err)
		}
		line, err := marshal(exported{d.ID, d.Conflicts, d.Doc})
		if err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
		if d.Conflicts > 0 {
			conflicts++
		}
		p.add(1, time.Now())
	}
	p.end()
	if conflicts > 0 {
		r.note("note: %d documents are in conflict; only the versions shown were exported", conflicts)
	}
	return out.Flush()
}
