package runtime

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/keelson-project/keelson/internal/histogram"
	"github.com/keelson-project/keelson/runtime/client"
)

// requestStats counts the requests to a cluster, those of its caches among them.
type requestStats struct {
	next http.RoundTripper

	mu      sync.Mutex
	host    string
	results map[requestResult]uint64
	took    map[string]*histogram.Durations // by method, until the answer begins
}

type requestResult struct{ method, code string }

func newRequestStats() *requestStats {
	return &requestStats{results: map[requestResult]uint64{}, took: map[string]*histogram.Durations{}}
}

// counting is cfg with requests counted by s, each attempt of those that are tried again.
func (s *requestStats) counting(cfg client.Config) client.Config {
	wrap := cfg.Wrap
	cfg.Wrap = func(next http.RoundTripper) http.RoundTripper {
		if wrap != nil {
			next = wrap(next)
		}
		s.next = next
		return s
	}
	return cfg
}

// RoundTrip implements http.RoundTripper.
func (s *requestStats) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := s.next.RoundTrip(r)
	took := time.Since(began)
	result := requestResult{r.Method, "<error>"} // as client-go says it
	if err == nil {
		result.code = strconv.Itoa(resp.StatusCode)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host = r.URL.Host
	s.results[result]++
	d := s.took[r.Method]
	if d == nil {
		d = histogram.New(0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
		s.took[r.Method] = d
	}
	d.Observe(took)
	return resp, err
}

// writeRequestMetrics writes what was counted, under client-go's names.
func writeRequestMetrics(w io.Writer, clusters []*Cluster) {
	each := func(name, kind, help string, write func(s *requestStats)) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, c := range clusters {
			c.requests.mu.Lock()
			write(c.requests)
			c.requests.mu.Unlock()
		}
	}
	const total, took = "rest_client_requests_total", "rest_client_request_duration_seconds"
	each(total, "counter", "Number of HTTP requests, partitioned by status code, method, and host.", func(s *requestStats) {
		for _, r := range slices.SortedFunc(maps.Keys(s.results), func(a, b requestResult) int {
			return cmp.Or(cmp.Compare(a.method, b.method), cmp.Compare(a.code, b.code))
		}) {
			fmt.Fprintf(w, "%s{code=%q,method=%q,host=%q} %d\n", total, r.code, r.method, s.host, s.results[r])
		}
	})
	each(took, "histogram", "Request latency in seconds, until the answer begins. Broken down by verb, and host.", func(s *requestStats) {
		for _, method := range slices.Sorted(maps.Keys(s.took)) {
			s.took[method].Write(w, took, fmt.Sprintf("verb=%q,host=%q", method, s.host))
		}
	})
}
