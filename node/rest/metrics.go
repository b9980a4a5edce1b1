package rest

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/syncline/syncline/node"
)

// statusClasses is the number of classes of statuses: 1xx to 5xx.
const statusClasses = 5

// metrics counts requests. The counters of a route are looked up when the
// route is made, and not with each request.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	problems map[node.Kind]prometheus.Counter
	opened   prometheus.Counter // conflicts
	settled  prometheus.Counter
	other    *routeMetrics // requests that found no route
}

// routeMetrics are the counters of one route.
type routeMetrics struct {
	classes [statusClasses]prometheus.Counter
	seconds prometheus.Observer
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "syncline_http_requests_total", Help: "Requests answered, by route, method and class of status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "syncline_http_request_seconds", Help: "Time to answer a request, by route and method.",
			Buckets: []float64{.0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3, 10, 30},
		}, []string{"route", "method"}),
		problems: map[node.Kind]prometheus.Counter{},
		opened: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "syncline_conflicts_opened_total", Help: "Documents whose live versions became two or more at this node.",
		}),
		settled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "syncline_conflicts_settled_total", Help: "Documents whose live versions became one again at this node.",
		}),
	}
	problems := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "syncline_http_problems_total", Help: "Problems answered, by code; each line of a bulk counts.",
	}, []string{"code"})
	for kind := range Kinds() {
		m.problems[kind] = problems.WithLabelValues(string(kind))
	}
	m.other = m.route("none", "any")
	return m, errors.Join(registry.Register(m.requests), registry.Register(m.seconds), registry.Register(problems),
		registry.Register(m.opened), registry.Register(m.settled))
}

func (m *metrics) route(path, method string) *routeMetrics {
	r := &routeMetrics{seconds: m.seconds.WithLabelValues(path, method)}
	for i := range r.classes {
		r.classes[i] = m.requests.WithLabelValues(path, method, strconv.Itoa(i+1)+"xx")
	}
	return r
}

func (m *metrics) problem(kind node.Kind) {
	if c := m.problems[kind]; c != nil {
		c.Inc()
	}
}

func (r *routeMetrics) count(status int, took time.Duration) {
	if class := status/100 - 1; class >= 0 && class < statusClasses {
		r.classes[class].Inc()
	}
	r.seconds.Observe(took.Seconds())
}
