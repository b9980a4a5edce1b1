package chaos

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/scripts/chaos/history"
)

// pageSource is the template of the report's page.
//
//go:embed page.html
var pageSource string

// maxMarks is how many steps the page lists.
const maxMarks = 500

// page is what the report's page shows.
type page struct {
	Verdict  Verdict
	Timeline *Timeline
	Marks    []Mark
	More     int
	Source   string
	Logs     []string
	Command  string
}

// WriteReport writes the folder of a run: history.jsonl, timeline.json,
// timeline.svg, verdict.json, index.html, the script, and the logs (*.log) that
// lie in the folder of the processes. The folder is made when it is missing; what
// lay there under these names is replaced.
func WriteReport(to string, p *Program, result *Result, logs string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	t := TimelineOf(result.History)
	var lines bytes.Buffer
	if err := history.Write(&lines, result.History); err != nil {
		return err
	}
	files := map[string][]byte{"history.jsonl": lines.Bytes(), "timeline.svg": t.SVG(), filepath.Base(p.name): []byte(p.source)}
	names, err := readLogs(logs, files)
	if err != nil {
		return err
	}
	var failed error
	for name, v := range map[string]any{"timeline.json": t, "verdict.json": result.Verdict} {
		text, err := json.MarshalIndent(v, "", "  ")
		failed = errors.Join(failed, err)
		files[name] = append(text, '\n')
	}
	files["index.html"], err = drawPage(page{
		Verdict: result.Verdict, Timeline: t, Marks: t.Marks[:min(len(t.Marks), maxMarks)], More: max(0, len(t.Marks)-maxMarks),
		Source: p.source, Logs: names,
		Command: fmt.Sprintf("syncline chaos run %s --seed %d", p.name, result.Verdict.Seed),
	})
	failed = errors.Join(failed, err)
	for name, text := range files {
		failed = errors.Join(failed, os.WriteFile(filepath.Join(to, name), text, 0o644))
	}
	return failed
}

// readLogs reads the logs of the processes, none where there is no folder.
func readLogs(folder string, into map[string][]byte) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".log") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		into[e.Name()] = text
		out = append(out, e.Name())
	}
	slices.Sort(out)
	return out, nil
}

// drawPage makes the page: one that needs no script and nothing from elsewhere.
func drawPage(p page) ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"ms":      func(d time.Duration) string { return d.Round(time.Millisecond).String() },
		"instant": func(ns int64) string { return fmt.Sprintf("%.3f s", time.Duration(ns).Seconds()) },
		"millis": func(f float64) string {
			return time.Duration(f * float64(time.Millisecond)).Round(time.Millisecond).String()
		},
	}).Parse(pageSource)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}
