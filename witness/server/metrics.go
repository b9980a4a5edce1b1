package server

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/syncline/syncline/witness"
)

// metrics counts ballots.
type metrics struct{ ballots *prometheus.CounterVec }

func newMetrics(s *Server) (*metrics, error) {
	m := &metrics{ballots: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "syncline_witness_ballots_total", Help: "Ballots answered, by verdict and reason.",
	}, []string{"verdict", "reason"})}
	m.ballots.WithLabelValues(string(witness.Granted), "") // shown from the start
	return m, errors.Join(s.cfg.Metrics.Register(m.ballots), s.cfg.Metrics.Register(newHolderMetric(s)))
}

func (m *metrics) count(a witness.Answer) {
	verdict := witness.Granted
	if !a.Granted {
		verdict = witness.Refused
	}
	m.ballots.WithLabelValues(string(verdict), string(a.Reason)).Inc()
}

// holderMetric shows who has the vote when the metrics are read.
type holderMetric struct {
	s    *Server
	desc *prometheus.Desc
}

func newHolderMetric(s *Server) holderMetric {
	return holderMetric{s, prometheus.NewDesc("syncline_witness_holds", "Whether a data node has the witness's vote.", []string{"node"}, nil)}
}

// Describe implements prometheus.Collector.
func (h holderMetric) Describe(out chan<- *prometheus.Desc) { out <- h.desc }

// Collect implements prometheus.Collector.
func (h holderMetric) Collect(out chan<- prometheus.Metric) {
	state := h.s.state()
	for _, n := range state.Nodes {
		holds := 0.0
		if n.Chosen && n.Promised > 0 {
			holds = 1
		}
		out <- prometheus.MustNewConstMetric(h.desc, prometheus.GaugeValue, holds, n.Name)
	}
}
