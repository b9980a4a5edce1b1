package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/node/sqlite"
)

// figures is where a figureCollector asks. All answers are quick.
type figures struct {
	votes   func() rest.Votes
	commits func() sqlite.Commits
	sizes   func() (sqlite.Sizes, error)
	written func() uint64 // sequence of the last version that this node wrote
}

// figureCollector shows what the dashboard draws over time. What is not known
// is left out, never shown as 0.
type figureCollector struct {
	from figures

	writes, leaseLeft, roundTrip, commit, wal, database *prometheus.Desc
}

func newFigureCollector(from figures) *figureCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("syncline_"+name, help, labels, nil)
	}
	return &figureCollector{
		from:      from,
		writes:    desc("writes_total", "Versions that this node has written; settlements that it made are among them. Begins anew with a new actor."),
		leaseLeft: desc("lease_left_seconds", "Until this node turns read-only, if no vote is renewed; 0 without a majority."),
		roundTrip: desc("ballot_round_trip_seconds", "Of the last ballot; absent while the voter is silent.", "voter"),
		commit:    desc("commit_seconds", "Time to make a transaction durable."),
		wal:       desc("wal_bytes", "Size of the write-ahead log's file, which is kept for further use after a checkpoint."),
		database:  desc("database_bytes", "Size of the database's file."),
	}
}

// Describe implements prometheus.Collector.
func (f *figureCollector) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(f, to) }

// Collect implements prometheus.Collector.
func (f *figureCollector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	to <- prometheus.MustNewConstMetric(f.writes, prometheus.CounterValue, float64(f.from.written()))
	votes := f.from.votes()
	gauge(f.leaseLeft, max(0, votes.ExpiresIn.Seconds()))
	for _, v := range votes.Voters {
		if v.RoundTripMS != nil {
			gauge(f.roundTrip, *v.RoundTripMS/1000, v.Name)
		}
	}
	commits := f.from.commits()
	to <- prometheus.MustNewConstSummary(f.commit, commits.Count, commits.Took.Seconds(), nil)
	if sizes, err := f.from.sizes(); err == nil {
		gauge(f.wal, float64(sizes.Log))
		gauge(f.database, float64(sizes.File))
	}
}
