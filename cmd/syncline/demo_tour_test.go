package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline/syncline/web"
)

// Issue 6: "`syncline demo` on a terminal opens the tour of DASHBOARD.md"; and
// "without Node the story runs all the same, and `/ui/` says how to build the page".
func TestDemoOpensTheTour(t *testing.T) {
	folder := t.TempDir()
	opened := filepath.Join(folder, "opened")
	if err := os.WriteFile(filepath.Join(folder, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >"+opened+".part && mv "+opened+".part "+opened+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	page, err := web.New()
	if err != nil {
		t.Fatal(err)
	}
	want := "http://127.0.0.1:7/ui/"
	if page.Built() {
		want += "#/tour"
	}
	for _, display := range []string{"", ":7"} {
		var out bytes.Buffer
		d := &demo{command: "syncline", app: &app{stdout: &out, getenv: func(name string) string { return map[string]string{"DISPLAY": display}[name] }}}
		c := &demoCluster{processes: []*demoProcess{{name: "a", api: "127.0.0.1:7"}, {name: "b", api: "127.0.0.1:8"}}}
		story, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.stayUp(t.Context(), story, c) }()
		if display != "" {
			if ok, err := eventually(t.Context(), testPatience, func() bool {
				text, err := os.ReadFile(opened)
				return err == nil && strings.TrimSpace(string(text)) == want
			}); !ok || err != nil {
				t.Errorf("no browser was sent to %s (%v)", want, err)
			}
		}
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if !strings.Contains(out.String(), want+"\n") || !strings.Contains(out.String(), "chaos cut a b --for 30s") {
			t.Errorf("told %q, which lacks the address %s", out.String(), want)
		}
		if _, err := os.Stat(opened); display == "" && err == nil {
			t.Error("a browser was opened where there is no desktop")
		}
	}
}
