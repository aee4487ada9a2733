package runtime

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/keelson-project/keelson/informer"
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
	results [outcomes]atomic.Uint64
	panics  atomic.Uint64
}

func (s *controllerStats) count(o outcome) { s.results[o].Add(1) }

// writeMetrics in the text format of Prometheus, under the names that dashboards for controllers know.
func writeMetrics(w io.Writer, controllers []*Controller) {
	family := func(name, kind string, each func(c *Controller)) {
		fmt.Fprintf(w, "# TYPE %s %s\n", name, kind)
		for _, c := range controllers {
			each(c)
		}
	}
	family("controller_runtime_reconcile_total", "counter", func(c *Controller) {
		for o := range outcomes {
			fmt.Fprintf(w, "controller_runtime_reconcile_total{controller=%q,result=%q} %d\n", c.name, o, c.stats.results[o].Load())
		}
	})
	family("controller_runtime_reconcile_panics_total", "counter", func(c *Controller) {
		fmt.Fprintf(w, "controller_runtime_reconcile_panics_total{controller=%q} %d\n", c.name, c.stats.panics.Load())
	})
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
