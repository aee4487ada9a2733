package runtime

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
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

// Handler serves /healthz, /readyz (200 once all controllers watch) and /metrics.
func (m *Manager) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !m.ready.Load() {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		writeMetrics(w, m.list())
	})
	return mux
}
