// Package metrics counts what the server does and serves the counts at /metrics, under the names and labels that
// kube-apiserver uses where it has them, so that existing dashboards and alerts work.
//
// Recording is made for the hot path: the series of a request are found by one lookup and updated without
// allocation. A series is made only for requests that turned out to be for something served, so that nobody can
// fill the memory by asking for things that do not exist.
package metrics

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// Metrics is one server's registry of metrics. It is safe for concurrent use and owns no goroutine.
type Metrics struct {
	registry *prometheus.Registry
	handler  func() http.Handler // made for the first who asks: few ask a test's server

	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	sizes     *prometheus.HistogramVec
	running   *prometheus.GaugeVec // watches
	reading   prometheus.Gauge     // requests in flight
	mutating  prometheus.Gauge

	watchEvents     *prometheus.CounterVec
	watchEventSizes *prometheus.HistogramVec

	storeDurations *prometheus.HistogramVec
	storeRequests  *prometheus.CounterVec
	storeErrors    *prometheus.CounterVec

	conversions         *prometheus.CounterVec
	conversionDurations *prometheus.HistogramVec

	mu      sync.RWMutex
	series  map[requestKey]*requestSeries
	served  map[servedPath]bool // of series
	watches map[watchKey]*watchSeries
	stores  map[storeKey]*storeSeries
}

// Buckets of durations in seconds, and of sizes in bytes: kube-apiserver's.
var (
	durationBuckets  = []float64{.005, .025, .05, .1, .2, .4, .6, .8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60}
	sizeBuckets      = prometheus.ExponentialBuckets(1000, 10, 7)
	eventSizeBuckets = prometheus.ExponentialBuckets(1024, 2, 8)
)

// New returns empty metrics, with those of the Go runtime and of the process beside them.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewPedanticRegistry(),
		series:   map[requestKey]*requestSeries{},
		served:   map[servedPath]bool{},
		watches:  map[watchKey]*watchSeries{},
		stores:   map[storeKey]*storeSeries{},
	}
	m.defineRequests()
	m.defineWatches()
	m.defineStore()
	m.defineConversions()
	m.handler = sync.OnceValue(func() http.Handler {
		m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, EnableOpenMetrics: true})
	})
	return m
}

// ServeHTTP answers with all metrics in Prometheus' text format, or what else the client accepts.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler().ServeHTTP(w, r) }

// Register adds metrics that another package keeps. It panics where their names are taken, as that is a mistake in
// the program.
func (m *Metrics) Register(c ...prometheus.Collector) { m.registry.MustRegister(c...) }

// Forget drops the series of a kind that is no longer served.
func (m *Metrics) Forget(d *resource.Definition) {
	group, plural := d.Group, d.Names.Plural
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.series {
		if k.group == group && k.resource == plural {
			delete(m.series, k)
			delete(m.served, k.path())
		}
	}
	for k := range m.watches {
		if k.group == group && k.resource == plural {
			delete(m.watches, k)
		}
	}
	for k := range m.stores {
		if k.prefix == d.Prefix {
			delete(m.stores, k)
		}
	}
	labels := prometheus.Labels{"group": group, "resource": plural}
	m.requests.DeletePartialMatch(labels)
	for _, v := range []*prometheus.HistogramVec{m.durations, m.sizes, m.watchEventSizes, m.storeDurations} {
		v.DeletePartialMatch(labels)
	}
	for _, v := range []*prometheus.CounterVec{m.watchEvents, m.storeRequests, m.storeErrors} {
		v.DeletePartialMatch(labels)
	}
	m.running.DeletePartialMatch(labels)
}
