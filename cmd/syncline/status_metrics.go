package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/syncline/syncline/node/rest"
)

// stateCollector shows the state of the node as figures. What is not known is
// left out, never shown as 0.
type stateCollector struct {
	state *clusterState

	writable, votesHave, votesNeed, votesOf *prometheus.Desc
	diskFree, diskLow                       *prometheus.Desc
	reachable, lacks, lacksSeconds          *prometheus.Desc
}

func newStateCollector(state *clusterState) *stateCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("syncline_"+name, help, labels, nil)
	}
	return &stateCollector{
		state:        state,
		writable:     desc("writable", "1 while the node takes writes."),
		votesHave:    desc("votes_have", "Votes that the node holds."),
		votesNeed:    desc("votes_need", "Votes that make a majority."),
		votesOf:      desc("votes_of", "Votes that there are."),
		diskFree:     desc("disk_free_bytes", "Free space where the database is."),
		diskLow:      desc("disk_low", "1 while the free space keeps the node from taking writes."),
		reachable:    desc("peer_reachable", "1 while the peer answers ballots.", "peer"),
		lacks:        desc("lag_versions", "Versions that node lacks of what peer has; absent while that is unknown.", "node", "peer"),
		lacksSeconds: desc("lag_seconds", "Age of the oldest of these versions; absent while that is unknown.", "node", "peer"),
	}
}

// Describe implements prometheus.Collector.
func (s *stateCollector) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, to) }

// Collect implements prometheus.Collector.
func (s *stateCollector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	status := s.state.Status()
	gauge(s.writable, truth(status.Write.State == rest.StateWritable))
	gauge(s.votesHave, float64(status.Write.Votes.Have))
	gauge(s.votesNeed, float64(status.Write.Votes.Need))
	gauge(s.votesOf, float64(status.Write.Votes.Of))
	gauge(s.diskFree, float64(status.Disk.FreeBytes))
	gauge(s.diskLow, truth(status.Disk.Low))
	lag := func(l rest.Lag, node, peer string) {
		if l.UnknownSince.IsZero() {
			gauge(s.lacks, float64(l.Versions), node, peer)
			gauge(s.lacksSeconds, l.Seconds, node, peer)
		}
	}
	for _, p := range status.Peers {
		gauge(s.reachable, truth(p.Reachable), p.Name)
		lag(p.NodeLacks, s.state.self, p.Name)
		lag(p.PeerLacks, p.Name, s.state.self)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
