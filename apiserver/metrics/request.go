package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/keelson-project/keelson/apiserver/endpoints"
)

// requestKey names the series of one kind of request; its fields are the labels.
type requestKey struct {
	verb, dryRun, group, version, resource, subresource, scope string
}

// path is what the request was for, whatever it did with it.
func (k *requestKey) path() servedPath {
	return servedPath{k.group, k.version, k.resource, k.subresource}
}

// servedPath is a resource or subresource of which something has been served.
type servedPath struct{ group, version, resource, subresource string }

func (k *requestKey) labels() []string {
	return []string{k.verb, k.dryRun, k.group, k.version, k.resource, k.subresource, k.scope, "apiserver"}
}

// withoutDryRun are the labels of the metrics that do not tell dry runs apart.
func (k *requestKey) withoutDryRun() []string {
	return []string{k.verb, k.group, k.version, k.resource, k.subresource, k.scope, "apiserver"}
}

// requestSeries are the resolved series of a requestKey.
type requestSeries struct {
	key            requestKey
	duration, size prometheus.Observer
	running        prometheus.Gauge // nil but for watches

	mu    sync.RWMutex
	codes map[int]prometheus.Counter
}

func (m *Metrics) defineRequests() {
	plain := []string{"verb", "group", "version", "resource", "subresource", "scope", "component"}
	withDryRun := []string{"verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component"}
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "apiserver_request_total", Help: "Requests answered, by what they asked for and the code of the answer.",
	}, append(withDryRun[:len(withDryRun):len(withDryRun)], "code"))
	m.durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "apiserver_request_duration_seconds", Help: "Seconds from a request to the end of its answer, without watches.", Buckets: durationBuckets,
	}, withDryRun)
	m.sizes = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "apiserver_response_sizes", Help: "Bytes of an answer's body, without watches.", Buckets: sizeBuckets,
	}, plain)
	m.running = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "apiserver_longrunning_requests", Help: "Watches that run now.",
	}, plain)
	inflight := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "apiserver_current_inflight_requests", Help: "Requests in flight now, without watches.",
	}, []string{"request_kind"})
	m.reading, m.mutating = inflight.WithLabelValues("readOnly"), inflight.WithLabelValues("mutating")
	m.registry.MustRegister(m.requests, m.durations, m.sizes, m.running, inflight)
}

// Begin counts a request from now on. The handler answers to the returned writer and calls done after its last
// write; the writer supports http.ResponseController.
func (m *Metrics) Begin(w http.ResponseWriter, r *http.Request, info *endpoints.RequestInfo) (rw http.ResponseWriter, done func()) {
	rec := &recorder{ResponseWriter: w, metrics: m, request: r, info: info, start: time.Now()}
	switch {
	case info.Verb == "watch":
		// Counted as running when its stream begins.
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		rec.inflight = m.reading
	default:
		rec.inflight = m.mutating
	}
	if rec.inflight != nil {
		rec.inflight.Inc()
	}
	return rec, rec.done
}

// recorder watches one answer.
type recorder struct {
	http.ResponseWriter
	metrics  *Metrics
	request  *http.Request
	info     *endpoints.RequestInfo
	start    time.Time
	inflight prometheus.Gauge
	watching *requestSeries // the stream of a watch has begun
	code     int            // zero before the header is written
	bytes    int64
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(code int) {
	w.header(code)
	w.ResponseWriter.WriteHeader(code)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.header(http.StatusOK)
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush sends what has been written, where that is possible.
func (w *recorder) Flush() {
	w.header(http.StatusOK)
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// header takes note of the first final code.
func (w *recorder) header(code int) {
	if w.code != 0 || code < 200 && code != http.StatusSwitchingProtocols {
		return
	}
	w.code = code
	if w.info.Verb == "watch" && code == http.StatusOK {
		w.watching = w.metrics.find(w.key(), code)
		w.watching.running.Inc()
	}
}

func (w *recorder) done() {
	w.header(http.StatusOK) // net/http answers 200 to a handler that writes nothing
	s := w.watching
	if s == nil {
		s = w.metrics.find(w.key(), w.code)
	}
	s.code(w.metrics, w.code).Inc()
	if w.watching != nil {
		s.running.Dec()
		return
	}
	w.inflightDone()
	s.duration.Observe(time.Since(w.start).Seconds())
	s.size.Observe(float64(w.bytes))
}

func (w *recorder) inflightDone() {
	if w.inflight != nil {
		w.inflight.Dec()
	}
}

// key of the request's series, in the words that kube-apiserver has for verbs and scopes.
func (w *recorder) key() requestKey {
	i := w.info
	if !i.IsResource {
		return requestKey{verb: methodLabel(w.request.Method), subresource: pathLabel(i.Path)}
	}
	k := requestKey{group: i.Group, version: i.Version, resource: i.Resource, subresource: i.Sub, verb: verbLabel(w.request, i.Verb)}
	switch {
	case i.Name != "" || i.Verb == "create":
		k.scope = "resource"
	case i.Namespace != "":
		k.scope = "namespace"
	default:
		k.scope = "cluster"
	}
	if raw := w.request.URL.RawQuery; raw != "" && strings.Contains(raw, "dryRun=All") {
		k.dryRun = "All"
	}
	return k
}

func verbLabel(r *http.Request, verb string) string {
	switch verb {
	case "list":
		return "LIST"
	case "watch":
		return "WATCH"
	case "deletecollection":
		return "DELETECOLLECTION"
	case "patch":
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/apply-patch") {
			return "APPLY"
		}
	}
	return methodLabel(r.Method)
}

// methodLabel keeps methods that nobody knows from making series.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return http.MethodGet
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return method
	}
	return "other" // as kube-apiserver calls it
}

// pathLabel is the first element of a path that names no resource: few, whatever clients ask for.
func pathLabel(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "healthz", "livez", "readyz", "metrics", "version", "api", "apis", "openapi":
		return "/" + first
	}
	return ""
}

// refused says that an answer of that code tells nothing about whether there is something to answer for.
func refused(code int) bool {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return true
	}
	return false
}

// find returns the series of k, and makes them where it is the first of its kind. As long as all requests for a
// resource have been refused, nobody knows whether there is such a thing: they share the series of their verb.
func (m *Metrics) find(k requestKey, code int) *requestSeries {
	m.mu.RLock()
	s, served := m.series[k], m.served[k.path()]
	m.mu.RUnlock()
	if s != nil {
		return s
	}
	if k.resource != "" && !served && refused(code) {
		return m.find(requestKey{verb: k.verb}, code)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s = m.series[k]; s == nil {
		s = &requestSeries{
			duration: m.durations.WithLabelValues(k.labels()...), size: m.sizes.WithLabelValues(k.withoutDryRun()...),
			codes: map[int]prometheus.Counter{}, key: k,
		}
		if k.verb == "WATCH" {
			s.running = m.running.WithLabelValues(k.withoutDryRun()...)
		}
		m.series[k] = s
		m.served[k.path()] = true
	}
	return s
}

// code returns the counter of the series' answers of a code.
func (s *requestSeries) code(m *Metrics, code int) prometheus.Counter {
	s.mu.RLock()
	c := s.codes[code]
	s.mu.RUnlock()
	if c != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c = s.codes[code]; c == nil {
		c = m.requests.WithLabelValues(append(s.key.labels(), strconv.Itoa(code))...)
		s.codes[code] = c
	}
	return c
}
