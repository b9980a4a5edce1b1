package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// maxInput is the longest document that is read from a file, in bytes: the
// longest that a collection can allow.
const maxInput = 16 << 20

// newGetCommand reads a document.
func newGetCommand(a *app) *cobra.Command {
	dot := ""
	cmd := &cobra.Command{
		Use: "get COLLECTION ID", Short: "Read a document", Args: exactArgs(2),
		Long: "Read a document. It is printed as it was stored; with --output json, all that is known of it.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			d, err := r.getVersion(ctx, client.Key{Collection: args[0], ID: args[1]}, dot)
			if err != nil {
				if e, ok := errors.AsType[*client.Error](err); ok {
					r.noteConflict(client.Key{Collection: args[0], ID: args[1]}, e.Conflicts)
				}
				return err
			}
			if r.output != asTable {
				return r.json(documentJSON(d))
			}
			r.noteConflict(client.Key{Collection: d.Collection, ID: d.ID}, d.Conflicts)
			if d.ConflictReason != "" {
				r.note("note: the value only stands in (%s): syncline conflicts ls --collection %s", d.ConflictReason, d.Collection)
			}
			_, err = r.out.Write(append(d.Doc, '\n'))
			return err
		}),
	}
	cmd.Flags().StringVar(&dot, "dot", "", "this version, live or old, instead of what is shown")
	return cmd
}

// getVersion reads what is shown of a document, or one version of it.
func (r *remote) getVersion(ctx context.Context, key client.Key, dot string) (*client.Document, error) {
	if dot == "" {
		return r.client.Get(ctx, key, client.Options{})
	}
	return r.client.GetVersion(ctx, key, dot, client.Options{})
}

// shownDocument is a document with all that is known of it.
type shownDocument struct {
	Collection string          `json:"collection"`
	ID         string          `json:"id"`
	Dot        string          `json:"dot,omitempty"`
	ETag       string          `json:"etag"`
	Context    string          `json:"context"`
	Conflicts  int             `json:"conflicts"`
	Node       string          `json:"node"`
	WriteState string          `json:"write_state"`
	Lag        string          `json:"replication_lag"`
	Doc        json.RawMessage `json:"doc"`
}

func documentJSON(d *client.Document) shownDocument {
	return shownDocument{
		Collection: d.Collection, ID: d.ID, Dot: d.Dot, ETag: d.ETag, Context: d.Context, Conflicts: d.Conflicts,
		Node: d.Node, WriteState: d.WriteState, Lag: d.Lag, Doc: d.Doc,
	}
}

// noteConflict never lets a conflict pass in silence.
func (r *remote) noteConflict(key client.Key, conflicts int) {
	if conflicts > 1 {
		r.note("note: %d versions are in conflict, and what is shown may still change. See all: syncline siblings %s %s", conflicts, key.Collection, key.ID)
	}
}

// writeFlags are what a write can depend on.
type writeFlags struct {
	ifMatch string
	create  bool
	context string
	file    string
}

func (f *writeFlags) add(cmd *cobra.Command, withBody bool) {
	flags := cmd.Flags()
	flags.StringVar(&f.ifMatch, "if-match", "", "write only if this ETag is still shown")
	flags.StringVar(&f.context, "context", "", "the context of a read: what the writer has seen; it ends a conflict that it names")
	if withBody {
		flags.BoolVar(&f.create, "if-none-match", false, "write only if there is no document")
		flags.StringVarP(&f.file, "file", "f", "", "read from a file; - is standard input")
	}
}

func (f *writeFlags) options() client.PutOptions {
	return client.PutOptions{IfMatch: f.ifMatch, IfNoneMatch: f.create, Context: f.context}
}

// body is what is to be written: the last argument, a file, or standard input.
func (f *writeFlags) body(r *remote, args []string) ([]byte, error) {
	switch {
	case len(args) == 3 && f.file != "":
		return nil, usagef("both a text and --file are given: leave one out")
	case len(args) == 3:
		return []byte(args[2]), nil
	case f.file == "" || f.file == "-":
		return readAtMost(r.in, "standard input")
	}
	file, err := os.Open(f.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAtMost(file, f.file)
}

func readAtMost(from io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxInput+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(text) > maxInput:
		return nil, fmt.Errorf("%s has more than %d MiB, the most that a document can have", name, maxInput>>20)
	}
	return text, nil
}

// newPutCommand writes a document.
func newPutCommand(a *app) *cobra.Command {
	flags := &writeFlags{}
	cmd := &cobra.Command{
		Use: "put COLLECTION ID [JSON]", Short: "Write a document", Args: rangeArgs(2, 3),
		Long:    "Write a document: a JSON object, given as an argument, in a file, or on standard input.\nWithout flags it overwrites what the node shows.",
		Example: `  syncline put accounts alice '{"balance":120}'`,
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			body, err := flags.body(r, args)
			if err != nil {
				return err
			}
			w, err := r.client.Put(ctx, client.Key{Collection: args[0], ID: args[1]}, body, flags.options())
			return r.written(args[0], w, err)
		}),
	}
	flags.add(cmd, true)
	return cmd
}

// newPatchCommand changes a document.
func newPatchCommand(a *app) *cobra.Command {
	flags := &writeFlags{}
	var jsonPatch bool
	cmd := &cobra.Command{
		Use: "patch COLLECTION ID [PATCH]", Short: "Change members of a document", Args: rangeArgs(2, 3),
		Long:    "Change members of a document by a JSON merge patch (RFC 7396), or by a JSON patch (RFC 6902).\nMembers that it does not name keep their bytes.",
		Example: `  syncline patch accounts alice '{"balance":70}'`,
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			body, err := flags.body(r, args)
			if err != nil {
				return err
			}
			patch := client.Patch{Kind: client.MergePatch, Body: body}
			if jsonPatch {
				patch.Kind = client.JSONPatch
			}
			w, err := r.client.Patch(ctx, client.Key{Collection: args[0], ID: args[1]}, patch, flags.options())
			return r.written(args[0], w, err)
		}),
	}
	flags.add(cmd, true)
	cmd.Flags().BoolVar(&jsonPatch, "json-patch", false, "the patch is a list of operations (RFC 6902)")
	return cmd
}

// newRmCommand deletes a document.
func newRmCommand(a *app) *cobra.Command {
	flags := &writeFlags{}
	cmd := &cobra.Command{
		Use: "rm COLLECTION ID", Short: "Delete a document", Args: exactArgs(2),
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			w, err := r.client.Delete(ctx, client.Key{Collection: args[0], ID: args[1]}, flags.options())
			return r.written(args[0], w, err)
		}),
	}
	flags.add(cmd, false)
	return cmd
}

// written shows what became of a write.
func (r *remote) written(collection string, w *client.Written, err error) error {
	if err != nil {
		return err
	}
	key := client.Key{Collection: collection, ID: w.ID}
	if r.output != asTable {
		return r.json(struct {
			Collection string `json:"collection"`
			ID         string `json:"id"`
			Dot        string `json:"dot"`
			Ack        string `json:"ack"`
			Created    bool   `json:"created"`
			ETag       string `json:"etag"`
			Context    string `json:"context"`
			Conflicts  int    `json:"conflicts"`
			Node       string `json:"node"`
			WriteState string `json:"write_state"`
		}{collection, w.ID, w.Dot, w.Ack, w.Created, w.ETag, w.Context, w.Conflicts, w.Node, w.WriteState})
	}
	r.noteConflict(key, w.Conflicts)
	_, err = fmt.Fprintf(r.out, "%s/%s is %s, written at node %s (ack %s)\n",
		printable(collection), printable(w.ID), printable(w.Dot), printable(w.Node), printable(w.Ack))
	return err
}

// newSiblingsCommand lists the live versions of a document.
func newSiblingsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "siblings COLLECTION ID", Short: "List the live versions of a document, two or more of which are a conflict", Args: exactArgs(2),
		Long: "List the live versions of a document. Two or more are a conflict. To end it, write the right value\nwith the context that --output json shows: syncline put COLLECTION ID JSON --context TOKEN",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			s, err := r.client.Siblings(ctx, client.Key{Collection: args[0], ID: args[1]}, client.Options{})
			if err != nil {
				return err
			}
			if r.output != asTable {
				return r.json(s)
			}
			t := table{head: []string{"VERSION", "WRITTEN AT", "TIME", "DOCUMENT"}}
			for _, v := range s.Siblings {
				t.add(text(v.Dot), text(v.Node), text(shortTime(v.Time)), siblingCell(&v))
			}
			return t.write(r.out, r.colour)
		}),
	}
}

func siblingCell(v *client.Sibling) cell {
	if v.Deleted {
		return cell{"(deleted)", faint}
	}
	return text(string(v.Doc))
}

// shortTime shows a time of the API to the millisecond, in UTC.
func shortTime(stamp string) string {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return stamp
	}
	return t.UTC().Format("2006-01-02 15:04:05.000Z")
}

// exactArgs and rangeArgs check the number of arguments, and say how the command
// is called.
func exactArgs(n int) cobra.PositionalArgs { return rangeArgs(n, n) }

func rangeArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return fmt.Errorf("%d arguments do not fit: %s", len(args), cmd.UseLine())
	}
}
