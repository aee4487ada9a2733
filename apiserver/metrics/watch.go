package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/keelson-project/keelson/apiserver/resource"
)

type watchKey struct{ group, version, resource string }

type watchSeries struct {
	events prometheus.Counter
	sizes  prometheus.Observer
}

func (m *Metrics) defineWatches() {
	labels := []string{"group", "version", "resource"}
	m.watchEvents = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "apiserver_watch_events_total", Help: "Events sent to watching clients.",
	}, labels)
	m.watchEventSizes = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "apiserver_watch_events_sizes", Help: "Bytes of an event sent to a watching client.", Buckets: eventSizeBuckets,
	}, labels)
	m.registry.MustRegister(m.watchEvents, m.watchEventSizes)
}

// WatchEvent counts an event of so many bytes that was sent to a watching client. The label version is that in
// which objects are stored, as the event's bytes are mostly those.
func (m *Metrics) WatchEvent(d *resource.Definition, bytes int) {
	k := watchKey{group: d.Group, version: d.Storage, resource: d.Names.Plural}
	m.mu.RLock()
	s := m.watches[k]
	m.mu.RUnlock()
	if s == nil {
		s = m.makeWatchSeries(k)
	}
	s.events.Inc()
	s.sizes.Observe(float64(bytes))
}

func (m *Metrics) makeWatchSeries(k watchKey) *watchSeries {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.watches[k]
	if s == nil {
		labels := []string{k.group, k.version, k.resource}
		s = &watchSeries{events: m.watchEvents.WithLabelValues(labels...), sizes: m.watchEventSizes.WithLabelValues(labels...)}
		m.watches[k] = s
	}
	return s
}
