package webhook

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keelson-project/keelson/internal/histogram"
)

// measured is a handler, and what is known of its requests.
type measured struct {
	http.Handler
	inFlight atomic.Int64
	took     *histogram.Durations

	mu    sync.Mutex
	codes map[int]uint64
}

func newMeasured(h http.Handler) *measured {
	// controller-runtime's buckets
	return &measured{Handler: h, codes: map[int]uint64{}, took: histogram.New(1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000)}
}

// ServeHTTP implements http.Handler.
func (m *measured) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, answer := time.Now(), &coded{w, http.StatusOK}
	m.inFlight.Add(1)
	defer func() {
		m.inFlight.Add(-1)
		m.took.Observe(time.Since(began))
		m.mu.Lock()
		defer m.mu.Unlock()
		m.codes[answer.code]++
	}()
	m.Handler.ServeHTTP(answer, r)
}

// coded knows the status of an answer.
type coded struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements http.ResponseWriter.
func (c *coded) WriteHeader(code int) {
	c.code = code
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (c *coded) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteMetrics writes how many requests there were, and how long they took, in the text format of Prometheus and under
// controller-runtime's names; a webhook is known by its path. It is for Manager.AddMetrics.
func (s *Server) WriteMetrics(w io.Writer) {
	s.mu.RLock()
	handlers := maps.Clone(s.handlers)
	s.mu.RUnlock()
	family := func(name, kind, help string, each func(name, path string, m *measured)) {
		name = "controller_runtime_webhook_" + name
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, path := range slices.Sorted(maps.Keys(handlers)) {
			each(name, path, handlers[path])
		}
	}
	family("requests_total", "counter", "Requests, by the HTTP status of the answer.", func(name, path string, m *measured) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, code := range slices.Sorted(maps.Keys(m.codes)) {
			fmt.Fprintf(w, "%s{webhook=%q,code=\"%d\"} %d\n", name, path, code, m.codes[code])
		}
	})
	family("requests_in_flight", "gauge", "Requests that are being answered.", func(name, path string, m *measured) {
		fmt.Fprintf(w, "%s{webhook=%q} %d\n", name, path, m.inFlight.Load())
	})
	family("latency_seconds", "histogram", "How long answers took.", func(name, path string, m *measured) {
		m.took.Write(w, name, fmt.Sprintf("webhook=%q", path))
	})
}
