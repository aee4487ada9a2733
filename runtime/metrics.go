package runtime

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/internal/histogram"
	"github.com/keelson-project/keelson/runtime/events"
)

// outcome of a reconciliation, as the metrics have it.
type outcome int

const (
	outcomeSuccess outcome = iota
	outcomeError
	outcomeTerminal
	outcomeRequeue
	outcomeAfter
	outcomes
)

func (o outcome) String() string {
	return [...]string{"success", "error", "terminal_error", "requeue", "requeue_after"}[o]
}

type controllerStats struct {
	results  [outcomes]atomic.Uint64
	panics   atomic.Uint64
	timeouts atomic.Uint64
	unmapped atomic.Uint64 // calls of EventHandlers that failed
	took     *histogram.Durations
}

func newControllerStats() *controllerStats {
	// controller-runtime's buckets
	return &controllerStats{took: histogram.New(
		0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
		1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60)}
}

func (s *controllerStats) count(o outcome, took time.Duration) {
	s.results[o].Add(1)
	s.took.Observe(took)
}

func (m *Manager) serveMetrics(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	writeMetrics(w, m.list())
	clusters := m.allClusters()
	writeCacheMetrics(w, clusters)
	writeRequestMetrics(w, clusters)
	writeEventMetrics(w, clusters)
	writeProcessMetrics(w)
	m.mu.Lock()
	others := slices.Clone(m.metrics)
	m.mu.Unlock()
	for _, write := range others {
		write(w)
	}
}

// writeMetrics in the text format of Prometheus, under the names that dashboards for controllers know.
func writeMetrics(w io.Writer, controllers []*Controller) {
	family := func(name, kind, help string, each func(name string, c *Controller)) {
		name = "controller_runtime_" + name
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, c := range controllers {
			each(name, c)
		}
	}
	number := func(name, kind, help string, of func(c *Controller) uint64) {
		family(name, kind, help, func(name string, c *Controller) { fmt.Fprintf(w, "%s{controller=%q} %d\n", name, c.name, of(c)) })
	}
	family("reconcile_total", "counter", "Reconciliations, by how they ended.", func(name string, c *Controller) {
		for o := range outcomes {
			fmt.Fprintf(w, "%s{controller=%q,result=%q} %d\n", name, c.name, o, c.stats.results[o].Load())
		}
	})
	number("reconcile_errors_total", "counter", "Reconciliations that failed, those that are not tried again among them.", func(c *Controller) uint64 {
		return c.stats.results[outcomeError].Load() + c.stats.results[outcomeTerminal].Load()
	})
	number("terminal_reconcile_errors_total", "counter", "Reconciliations that failed and are not tried again.",
		func(c *Controller) uint64 { return c.stats.results[outcomeTerminal].Load() })
	number("reconcile_panics_total", "counter", "Reconciliations that panicked.", func(c *Controller) uint64 { return c.stats.panics.Load() })
	number("reconcile_timeouts_total", "counter", "Reconciliations that took longer than ReconcileTimeout.",
		func(c *Controller) uint64 { return c.stats.timeouts.Load() })
	number("mapping_errors_total", "counter", "How often an event could not be mapped to requests; it is tried again.",
		func(c *Controller) uint64 { return c.stats.unmapped.Load() })
	family("reconcile_time_seconds", "histogram", "How long reconciliations took.", func(name string, c *Controller) {
		c.stats.took.Write(w, name, fmt.Sprintf("controller=%q", c.name))
	})
	number("max_concurrent_reconciles", "gauge", "How many reconciliations there may be at once.",
		func(c *Controller) uint64 { return uint64(c.workers()) }) //nolint:gosec // it is no negative number
	number("active_workers", "gauge", "How many there are.",
		func(c *Controller) uint64 { return uint64(c.queue.Load().Stats().Working) }) //nolint:gosec // nor is this
	writeQueueMetrics(w, controllers)
}

// writeEventMetrics tells what became of the events that controllers recorded about objects of a cluster.
func writeEventMetrics(w io.Writer, clusters []*Cluster) {
	const name = "event_recorder_events_total"
	fmt.Fprintf(w, "# HELP %s Events that controllers recorded, by what became of them.\n# TYPE %s counter\n", name, name)
	for _, c := range clusters {
		counts := c.events.Stats().Outcomes
		for o := range events.Outcome(len(counts)) {
			fmt.Fprintf(w, "%s{cluster=%q,outcome=%q} %d\n", name, c.name, o, counts[o])
		}
	}
}

// writeCacheMetrics tells of the caches of a cluster.
func writeCacheMetrics(w io.Writer, clusters []*Cluster) {
	for _, f := range []struct {
		name, kind, help string
		of               func(informer.Report) any
	}{
		{"informer_objects", "gauge", "Objects in a cache.", func(r informer.Report) any { return r.Objects }},
		{"informer_bytes", "gauge", "What they take of memory, about.", func(r informer.Report) any { return r.Bytes }},
		{"informer_pending", "gauge", "Changes that handlers have still to handle.", func(r informer.Report) any { return r.Pending }},
		{"informer_events_total", "counter", "Changes that the server told of.", func(r informer.Report) any { return r.Events }},
		{"informer_relists_total", "counter", "How often all was read again.", func(r informer.Report) any { return r.Relists }},
		{"informer_failures_total", "counter", "Failures, which informers recover from.", func(r informer.Report) any { return r.Failures }},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		for _, c := range clusters {
			for _, r := range c.CacheReport() {
				fmt.Fprintf(w, "%s{cluster=%q,scope=%q,type=%q} %v\n", f.name, c.name, r.Scope, r.Type, f.of(r))
			}
		}
	}
}
