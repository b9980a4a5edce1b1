package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

const (
	// maxImportLine is the longest line that is read, in bytes: the longest
	// document that a collection can allow, and room for its id and context.
	maxImportLine = maxInput + 64<<10

	// shownFailures is how many lines that failed are told one by one.
	shownFailures = 20
)

// newImportCommand writes many documents.
func newImportCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "import COLLECTION [FILE]", Short: "Write many documents from NDJSON", Args: rangeArgs(1, 2),
		Long: "Reads lines {\"id\",\"doc\"} or {\"id\",\"delete\":true} from a file or standard input, and writes them in\n" +
			"bulk. A node that turns read-only is left for one that takes writes. Where a connection breaks,\n" +
			"what was under way is read, and sent again where it is not there. Each line stands alone: those\n" +
			"that are wrong are told, the others are applied.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			in, size, name := r.in, int64(0), "standard input"
			if len(args) == 2 && args[1] != "-" {
				file, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer file.Close()
				if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
					size = info.Size()
				}
				in, name = file, args[1]
			}
			return r.importAll(ctx, args[0], &lineSource{from: in, name: name, size: size})
		}),
	}
}

// lineSource reads lines of NDJSON.
type lineSource struct {
	from io.Reader
	name string
	size int64 // bytes of all; 0: not known
	read atomic.Int64

	wrong func(line int, err error) // told of each line that cannot be read
}

// inputLine is one line as import takes it. Other members are left out, so that
// what export writes can be read.
type inputLine struct {
	ID      *string         `json:"id"`
	Doc     json.RawMessage `json:"doc"`
	Delete  bool            `json:"delete"`
	IfMatch string          `json:"if_match"`
	Context string          `json:"context"`
}

var (
	errNoDocID  = errors.New(`it has no "id"`)
	errNoDoc    = errors.New(`it has no "doc", nor "delete":true`)
	errTwoMinds = errors.New(`it has a "doc" and "delete":true`)
)

// lines yields what can be read. Empty lines are left out.
func (s *lineSource) lines() iter.Seq2[importLine, error] {
	return func(yield func(importLine, error) bool) {
		scanner := bufio.NewScanner(s.from)
		scanner.Buffer(make([]byte, 0, 64<<10), maxImportLine)
		number := 0
		for scanner.Scan() {
			number++
			s.read.Add(int64(len(scanner.Bytes())) + 1)
			if len(scanner.Bytes()) == 0 {
				continue
			}
			line, err := parseImportLine(scanner.Bytes())
			if err != nil {
				s.wrong(number, err)
				continue
			}
			if !yield(importLine{number, line}, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(importLine{}, fmt.Errorf("%s, line %d: %w", s.name, number+1, err))
		}
	}
}

func parseImportLine(line []byte) (client.BulkLine, error) {
	var in inputLine
	if err := json.Unmarshal(line, &in); err != nil {
		return client.BulkLine{}, fmt.Errorf("it is not a JSON object with an id: %w", err)
	}
	switch {
	case in.ID == nil || *in.ID == "":
		return client.BulkLine{}, errNoDocID
	case in.Delete && in.Doc != nil:
		return client.BulkLine{}, errTwoMinds
	case !in.Delete && in.Doc == nil:
		return client.BulkLine{}, errNoDoc
	}
	return client.BulkLine{ID: *in.ID, Doc: in.Doc, IfMatch: in.IfMatch, Context: in.Context}, nil
}

// importRun is one run of import, and what has come of it.
type importRun struct {
	r         *remote
	source    *lineSource
	progress  *progress
	applied   int64
	failed    int64
	wrong     atomic.Int64 // lines that could not be read
	conflicts int64        // lines that stand beside versions that their writer had not seen
	read      int64        // found by reading after their answer was lost
	again     int64        // sent again after that
	perNode   map[string]int64
	last      error // why the last line failed
}

func (r *remote) importAll(ctx context.Context, collection string, source *lineSource) error {
	wide, err := r.allNodes(ctx)
	if err != nil {
		return err
	}
	defer wide.Close()
	run := &importRun{r: r, source: source, progress: newProgress(r.notes, r.live, "documents imported"), perNode: map[string]int64{}}
	run.progress.detail = run.detail
	source.wrong = func(number int, err error) {
		if n := run.wrong.Add(1); n <= shownFailures {
			r.note("line %d: %s", number, err)
		}
	}
	im := &importer{client: wide, collection: collection, done: run.take, waiting: func(err error) {
		run.progress.end()
		r.note("waiting: no node takes the next lines: %s", err)
	}}
	err = im.run(ctx, source.lines())
	run.progress.end()
	return run.finish(err)
}

// allNodes makes a client that goes on at every data node of the roster, so
// that one address is enough to survive the loss of that node. It keeps to no
// session: on the other side of a cut it would wait in vain.
func (r *remote) allNodes(ctx context.Context) (*client.Client, error) {
	members, err := dataNodes(ctx, r.client)
	if err != nil {
		return nil, err
	}
	nodes := r.client.Nodes()
	for _, m := range members {
		nodes = append(nodes, address(m))
	}
	return client.New(client.Config{Nodes: nodes, NoSession: true})
}

// take counts one line.
func (run *importRun) take(line imported) {
	run.again += int64(line.again)
	switch e := line.result.Err; {
	case e != nil && e.Code == client.LeaseLost:
		// It was committed, after the lease had ended: others may have written
		// meanwhile, so it may meet them as a sibling.
		run.conflicts++
	case e != nil:
		run.failed++
		run.last = e
		if run.failed <= shownFailures {
			run.progress.end()
			run.r.note("line %d (%s): %s", line.number, line.ID, e)
		}
		return
	}
	run.applied++
	if line.read {
		run.read++
	}
	if line.result.Conflicts > 1 {
		run.conflicts++
	}
	run.perNode[line.result.URL]++
	run.progress.add(1, time.Now())
}

// detail is what the line of progress says beside the count.
func (run *importRun) detail() string {
	var more string
	if size := run.source.size; size > 0 {
		more += fmt.Sprintf(", %d %% read", min(100, run.source.read.Load()*100/size))
	}
	if run.failed > 0 {
		more += fmt.Sprintf(", %s failed", grouped(run.failed))
	}
	return more
}

// importSummary is what import prints at the end.
type importSummary struct {
	Applied   int64            `json:"applied"`
	Failed    int64            `json:"failed"` // lines that could not be read are among them
	Conflicts int64            `json:"conflicts"`
	Read      int64            `json:"found_by_reading"`
	Again     int64            `json:"sent_again"`
	PerNode   map[string]int64 `json:"nodes"`
	Seconds   float64          `json:"seconds"`
}

// finish prints the figures, and says whether all lines were applied.
func (run *importRun) finish(err error) error {
	now := time.Now()
	sum := importSummary{
		Applied: run.applied, Failed: run.failed + run.wrong.Load(), Conflicts: run.conflicts, Read: run.read,
		Again: run.again, PerNode: run.perNode, Seconds: now.Sub(run.progress.begun).Seconds(),
	}
	if run.r.output != asTable {
		err = errors.Join(err, run.r.json(sum))
	} else {
		fmt.Fprintf(run.r.out, "%s documents imported in %.1f s, %s/s\n", grouped(sum.Applied), sum.Seconds, grouped(run.progress.rate(now)))
		for _, node := range sortedKeys(sum.PerNode) {
			fmt.Fprintf(run.r.out, "  %s by %s\n", grouped(sum.PerNode[node]), printable(node))
		}
		if sum.Read+sum.Again > 0 {
			fmt.Fprintf(run.r.out, "  after lost answers, %s were found by reading and %s sent again\n", grouped(sum.Read), grouped(sum.Again))
		}
		if sum.Conflicts > 0 {
			fmt.Fprintf(run.r.out, "  %s stand beside versions that this import had not seen\n", grouped(sum.Conflicts))
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("the import stopped after %s documents; what is left can be imported again; a line that is there already is then written once more: %w", grouped(sum.Applied), err)
	case run.last != nil:
		// Not wrapped: the exit code is of the import, and not of one line.
		return fmt.Errorf("%s of %s lines were not applied; the last of them: %s", grouped(sum.Failed), grouped(sum.Failed+sum.Applied), run.last.Error())
	case sum.Failed > 0:
		return fmt.Errorf("%s lines could not be read; the other %s were applied", grouped(sum.Failed), grouped(sum.Applied))
	}
	return nil
}
