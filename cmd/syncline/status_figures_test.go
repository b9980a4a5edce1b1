package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/node/sqlite"
)

// "Eight small charts …: writes/s, …, ballot round trip, lease left, commit
// time, WAL size" (DASHBOARD screen 7); what is not known is no figure.
func TestFigureMetrics(t *testing.T) {
	t.Parallel()
	trip := 4.0
	sizes, failed := sqlite.Sizes{File: 8192, Log: 4096}, error(nil)
	registry := prometheus.NewRegistry()
	err := registry.Register(newFigureCollector(figures{
		votes: func() rest.Votes {
			return rest.Votes{ExpiresIn: 1500 * time.Millisecond, Voters: []rest.Voter{{Name: "a"}, {Name: "b", RoundTripMS: &trip}, {Name: "w"}}}
		},
		commits: func() sqlite.Commits { return sqlite.Commits{Count: 3, Took: 6 * time.Millisecond} },
		sizes:   func() (sqlite.Sizes, error) { return sizes, failed },
		written: func() uint64 { return 42 },
	}))
	if err != nil {
		t.Fatal(err)
	}
	read := func() string {
		w := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		return w.Body.String()
	}
	got := read()
	for _, line := range []string{
		"syncline_writes_total 42", "syncline_lease_left_seconds 1.5", `syncline_ballot_round_trip_seconds{voter="b"} 0.004`,
		"syncline_commit_seconds_sum 0.006", "syncline_commit_seconds_count 3", "syncline_wal_bytes 4096", "syncline_database_bytes 8192",
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no %s in\n%s", line, got)
		}
	}
	if strings.Contains(got, `voter="w"`) {
		t.Errorf("a round trip that nobody measured:\n%s", got)
	}
	if failed = errors.New("no such file"); strings.Contains(read(), "syncline_wal_bytes") {
		t.Error("a size that cannot be read is shown")
	}
}
