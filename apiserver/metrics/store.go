package metrics

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/keelson-project/keelson/apiserver/storage"
)

type storeKey struct{ operation, prefix string }

type storeSeries struct {
	duration         prometheus.Observer
	requests, errors prometheus.Counter
}

func (m *Metrics) defineStore() {
	labels := []string{"operation", "group", "resource"}
	m.storeDurations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "etcd_request_duration_seconds", Help: "Seconds that a request to the store took, whichever store it is.", Buckets: durationBuckets,
	}, labels)
	m.storeRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "etcd_requests_total", Help: "Requests to the store.",
	}, labels)
	m.storeErrors = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "etcd_request_errors_total", Help: "Requests to the store that failed; lost races for a key are no failures.",
	}, labels)
	m.registry.MustRegister(m.storeDurations, m.storeRequests, m.storeErrors)
}

// Store returns s with its gets, lists, writes and deletes counted. Watches cost nothing more.
func (m *Metrics) Store(s storage.Store) storage.Store { return &store{Store: s, metrics: m} }

type store struct {
	storage.Store
	metrics *Metrics
}

func (s *store) Get(ctx context.Context, key string, opts storage.GetOptions) (storage.GetResponse, error) {
	start := time.Now()
	res, err := s.Store.Get(ctx, key, opts)
	s.metrics.storeCall("get", key, start, err)
	return res, err
}

func (s *store) List(ctx context.Context, prefix string, opts storage.ListOptions) (storage.ListResponse, error) {
	start := time.Now()
	res, err := s.Store.List(ctx, prefix, opts)
	s.metrics.storeCall("list", prefix, start, err)
	return res, err
}

func (s *store) Put(ctx context.Context, key string, value []byte, expected storage.Revision, opts storage.PutOptions) (storage.Revision, error) {
	operation := "update"
	if expected == 0 {
		operation = "create"
	}
	start := time.Now()
	rev, err := s.Store.Put(ctx, key, value, expected, opts)
	s.metrics.storeCall(operation, key, start, err)
	return rev, err
}

func (s *store) Delete(ctx context.Context, key string, expected storage.Revision) (storage.Revision, error) {
	start := time.Now()
	rev, err := s.Store.Delete(ctx, key, expected)
	s.metrics.storeCall("delete", key, start, err)
	return rev, err
}

func (m *Metrics) storeCall(operation, key string, start time.Time, err error) {
	k := storeKey{operation: operation, prefix: keyPrefix(key)}
	m.mu.RLock()
	s := m.stores[k]
	m.mu.RUnlock()
	if s == nil {
		s = m.makeStoreSeries(k)
	}
	s.duration.Observe(time.Since(start).Seconds())
	s.requests.Inc()
	if err != nil && !errors.Is(err, storage.ErrConflict) {
		s.errors.Inc()
	}
}

func (m *Metrics) makeStoreSeries(k storeKey) *storeSeries {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stores[k]
	if s == nil {
		k.prefix = strings.Clone(k.prefix) // of a key that need not stay in memory
		group, resource := splitPrefix(k.prefix)
		s = &storeSeries{
			duration: m.storeDurations.WithLabelValues(k.operation, group, resource),
			requests: m.storeRequests.WithLabelValues(k.operation, group, resource),
			errors:   m.storeErrors.WithLabelValues(k.operation, group, resource),
		}
		m.stores[k] = s
	}
	return s
}

const keyRoot = "/registry/"

// keyPrefix is the part of a key that is the same for all objects of its kind: "/registry/pods/", or
// "/registry/example.com/websites/" where the first element has a dot and therefore is a group.
func keyPrefix(key string) string {
	rest, ok := strings.CutPrefix(key, keyRoot)
	if !ok {
		return ""
	}
	n := strings.IndexByte(rest, '/')
	if n < 0 {
		return ""
	}
	if strings.Contains(rest[:n], ".") || rest[:n] == "services" { // services/specs, services/endpoints
		second := strings.IndexByte(rest[n+1:], '/')
		if second < 0 {
			return ""
		}
		n += 1 + second
	}
	return key[:len(keyRoot)+n+1]
}

// splitPrefix gives the labels of a keyPrefix. Kubernetes' keys do not tell the groups of built-in kinds: those
// have the label "".
func splitPrefix(prefix string) (group, resource string) {
	rest := strings.TrimSuffix(strings.TrimPrefix(prefix, keyRoot), "/")
	first, second, found := strings.Cut(rest, "/")
	if found && strings.Contains(first, ".") {
		return first, second
	}
	return "", first
}
