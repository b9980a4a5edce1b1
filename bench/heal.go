package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/syncline/syncline/client"
)

const (
	healRounds = 3               // at most
	healLimit  = 2 * time.Minute // for one heal, after which it counts as failed
	healByLWW  = 10 * time.Second
	healByAny  = 20 * time.Second // with a script
	healBulk   = 10_000           // lines of one bulk, the most that there may be
)

// healing is one policy that ends conflicts.
type healing struct {
	name   string
	policy string        // as the configuration has it
	target time.Duration // 0 for none
}

// healings lists the policies; the resolver is stored under its file's name.
func (b *bench) healings() []healing {
	name := strings.TrimSuffix(filepath.Base(b.opts.resolver), ".star")
	return []healing{
		{"lww", `{"kind":"lww"}`, healByLWW},
		{"script", fmt.Sprintf(`{"kind":"script","resolver":%q}`, name), healByAny},
		{"merge", `{"kind":"merge","rules":{"/n":"sum","/tags":"union"}}`, 0},
	}
}

// heal measures, from the moment at which a cut ends, how long until both nodes
// have settled what both sides have written meanwhile. Each round takes fresh
// documents.
func (b *bench) heal(ctx context.Context) (err error) {
	c, err := b.newCluster("heal", 2, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.startAll(ctx, "--chaos"); err != nil {
		return err
	}
	at, err := c.clients()
	if err != nil {
		return err
	}
	for _, one := range at {
		defer one.Close()
	}
	if err := storeResolver(ctx, at[0], b.opts.resolver); err != nil {
		return err
	}
	for _, h := range b.healings() {
		var took []time.Duration
		for round := range min(b.opts.rounds, healRounds) {
			d, err := b.healOnce(ctx, c, at, h, fmt.Sprintf("heal-%s-%d", h.name, round+1))
			if err != nil {
				return fmt.Errorf("%s: %w", h.name, err)
			}
			b.logf("heal, %s, round %d: %d conflicts settled after %s", h.name, round+1, b.opts.conflicts, d.Round(time.Millisecond))
			took = append(took, d)
		}
		b.report.addTime(fmt.Sprintf("%d conflicts healed and settled by %s", b.opts.conflicts, h.name), percentile(took, 50), h.target)
	}
	return nil
}

// clients are one for each data node.
func (c *cluster) clients() ([]*client.Client, error) {
	var out []*client.Client
	for _, url := range c.targets() {
		one, err := client.New(client.Config{Nodes: []string{url}, Pinned: true, NoSession: true, Timeout: requestTimeout, Wait: -1})
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func storeResolver(ctx context.Context, at *client.Client, file string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = at.PutResolver(ctx, strings.TrimSuffix(filepath.Base(file), ".star"), source, client.PutOptions{})
	return err
}

// healOnce writes documents, cuts, lets both sides write all of them, and heals.
func (b *bench) healOnce(ctx context.Context, c *cluster, at []*client.Client, h healing, collection string) (time.Duration, error) {
	nodes := c.dataNodes()
	config := fmt.Appendf(nil, `{"policy":%s,"minority":"accept"}`, h.policy)
	if _, err := at[0].Configure(ctx, collection, client.Configuration{Whole: config}); err != nil {
		return 0, err
	}
	if err := c.writeAll(ctx, nodes[0], collection, b.opts.conflicts, `{"n":100,"tags":["base"],"by":"nobody"}`); err != nil {
		return 0, err
	}
	if err := c.awaitEqual(ctx, convergeTimeout); err != nil {
		return 0, err
	}
	before, err := at[0].ConflictCounts(ctx, client.Options{})
	if err != nil {
		return 0, err
	}
	if err := c.setFault(ctx, nodes); err != nil {
		return 0, err
	}
	for i, m := range nodes {
		body := fmt.Sprintf(`{"n":%d,"tags":["base","%s"],"by":"%s"}`, 100-50*i, m.name, m.name)
		if err := c.writeAll(ctx, m, collection, b.opts.conflicts, body); err != nil {
			return 0, err
		}
	}
	if err := c.heal(ctx, nodes); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := awaitSettled(ctx, at, before.Records+int64(b.opts.conflicts)); err != nil {
		return 0, err
	}
	took := time.Since(start)
	if err := errors.Join(c.awaitVotes(ctx), c.awaitEqual(ctx, convergeTimeout)); err != nil {
		return 0, err
	}
	return took, sameDigests(ctx, at, collection, int64(b.opts.conflicts))
}

// writeAll writes the same body to so many documents of a collection at one node.
func (c *cluster) writeAll(ctx context.Context, m member, collection string, count int, body string) error {
	for from := 0; from < count; from += healBulk {
		var lines bytes.Buffer
		to := min(count, from+healBulk)
		for i := from; i < to; i++ {
			fmt.Fprintf(&lines, "{\"id\":\"d%d\",\"doc\":%s}\n", i, body)
		}
		got, err := c.do(ctx, http.MethodPost, m.url()+"/v1/bulk/"+collection, map[string]string{"Content-Type": "application/x-ndjson"}, lines.Bytes())
		if err != nil {
			return err
		}
		answers := bytes.Split(bytes.TrimSpace(got.body), []byte("\n"))
		var end struct {
			Done bool `json:"done"`
			OK   int  `json:"ok"`
		}
		if err := json.Unmarshal(answers[len(answers)-1], &end); err != nil || !end.Done || end.OK != to-from {
			return fmt.Errorf("bulk at %s: %d, first answer %.200s, last %.200s: %w", m.name, got.status, answers[0], answers[len(answers)-1], err)
		}
	}
	return nil
}

// awaitSettled waits until no node has an open conflict, and each has so many
// records.
func awaitSettled(ctx context.Context, at []*client.Client, records int64) error {
	return await(ctx, healLimit, func() (bool, string, error) {
		for i, one := range at {
			counts, err := one.ConflictCounts(ctx, client.Options{})
			if err != nil {
				return false, "", err
			}
			if counts.Open > 0 || counts.Records < records {
				return false, fmt.Sprintf("node %d has %d open conflicts and %d records of %d", i, counts.Open, counts.Records, records), nil
			}
		}
		return true, "", nil
	})
}

// sameDigests compares one collection on all nodes.
func sameDigests(ctx context.Context, at []*client.Client, collection string, documents int64) error {
	var first client.Digest
	for i, one := range at {
		v, err := one.Verify(ctx, client.Options{})
		if err != nil {
			return err
		}
		got := v.Collections[collection]
		if i == 0 {
			first = got
		}
		if got.Digest != first.Digest || int64(got.Documents) != documents {
			return fmt.Errorf("node %d has %+v of %s, the first one %+v, want %d documents", i, got, collection, first, documents)
		}
	}
	return nil
}
