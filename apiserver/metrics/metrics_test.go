package metrics_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/endpoints"
	"github.com/keelson-project/keelson/apiserver/metrics"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// request sends one request through m to a handler that answers with code and body.
func request(m *metrics.Metrics, method, target string, code int, body string) {
	r := httptest.NewRequest(method, target, nil)
	info := endpoints.ParseRequest(r)
	w, done := m.Begin(httptest.NewRecorder(), r, &info)
	defer done()
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body))
}

func scrape(m *metrics.Metrics) string {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func wantLine(t *testing.T, text, line string) {
	t.Helper()
	if !strings.Contains(text, line+"\n") {
		t.Errorf("/metrics has no line\n  %s\nbut\n%s", line, grep(text, line[:strings.IndexAny(line+"{", "{ ")]))
	}
}

func grep(text, part string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) && !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestRequestsHaveKubernetesLabels(t *testing.T) {
	m := metrics.New()
	request(m, "GET", "/api/v1/namespaces/default/pods", 200, "12345")
	request(m, "GET", "/api/v1/namespaces/default/pods", 200, "12345")
	request(m, "POST", "/apis/apps/v1/namespaces/default/deployments?dryRun=All", 201, "{}")
	request(m, "POST", "/api/v1/namespaces/default/pods", 403, "{}")
	request(m, "GET", "/readyz/etcd", 200, "ok")
	text := scrape(m)
	wantLine(t, text, `apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"} 2`)
	wantLine(t, text, `apiserver_request_total{code="201",component="apiserver",dry_run="All",group="apps",resource="deployments",scope="resource",subresource="",verb="POST",version="v1"} 1`)
	wantLine(t, text, `apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="",scope="",subresource="/readyz",verb="GET",version=""} 1`)
	wantLine(t, text, `apiserver_request_total{code="403",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 1`)
	wantLine(t, text, `apiserver_response_sizes_sum{component="apiserver",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"} 10`)
	wantLine(t, text, `apiserver_current_inflight_requests{request_kind="readOnly"} 0`)
	if !strings.Contains(text, "go_goroutines ") || !strings.Contains(text, "process_resident_memory_bytes ") {
		t.Error("the metrics of runtime and process are missing")
	}
}

func TestWhatIsNotServedMakesNoSeries(t *testing.T) {
	m := metrics.New()
	for i := range 1000 {
		code := []int{401, 403, 404, 405}[i%4]
		request(m, "GET", fmt.Sprintf("/apis/group%d/v1/things", i), code, "")
		request(m, fmt.Sprintf("METHOD%d", i), fmt.Sprintf("/path%d", i), 404, "")
	}
	text := scrape(m)
	if n := strings.Count(text, "apiserver_request_total{"); n > 8 {
		t.Errorf("requests for what does not exist made %d series", n)
	}
	wantLine(t, text, `apiserver_request_total{code="404",component="apiserver",dry_run="",group="",resource="",scope="",subresource="",verb="LIST",version=""} 250`)
}

func TestWatchesRunUntilTheirEnd(t *testing.T) {
	m := metrics.New()
	r := httptest.NewRequest("GET", "/api/v1/pods?watch=1", nil)
	info := endpoints.ParseRequest(r)
	inner := httptest.NewRecorder()
	w, done := m.Begin(inner, r, &info)
	if err := http.NewResponseController(w).Flush(); err != nil || !inner.Flushed {
		t.Fatalf("the writer does not flush: %v", err)
	}
	running := `apiserver_longrunning_requests{component="apiserver",group="",resource="pods",scope="cluster",subresource="",verb="WATCH",version="v1"} `
	wantLine(t, scrape(m), running+"1")
	m.WatchEvent(pods(), 2000)
	done()
	text := scrape(m)
	wantLine(t, text, running+"0")
	wantLine(t, text, `apiserver_watch_events_total{group="",resource="pods",version="v1"} 1`)
	wantLine(t, text, `apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="2048"} 1`)
	m.Forget(pods())
	if left := grep(scrape(m), `resource="pods"`); left != "" {
		t.Errorf("after Forget there still is\n%s", left)
	}
}

func pods() *resource.Definition {
	return &resource.Definition{Names: resource.Names{Plural: "pods"}, Storage: "v1", Prefix: "/registry/pods/"}
}

func TestStoreIsCounted(t *testing.T) {
	m := metrics.New()
	inner := memory.New(memory.Options{})
	s := m.Store(inner)
	defer func() { _ = s.Close() }()
	ctx := t.Context()
	rev, err := s.Put(ctx, "/registry/pods/default/a", []byte("{}"), 0, storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Put(ctx, "/registry/pods/default/a", []byte("{}"), 0, storage.PutOptions{}); !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("want a conflict, got %v", err)
	}
	if _, err = s.Put(ctx, "/registry/example.com/websites/default/a", []byte("{}"), 0, storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Delete(ctx, "/registry/pods/default/a", rev); err != nil {
		t.Fatal(err)
	}
	if _, err = s.List(ctx, "/registry/services/specs/", storage.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	text := scrape(m)
	wantLine(t, text, `etcd_requests_total{group="",operation="create",resource="pods"} 2`)
	wantLine(t, text, `etcd_request_errors_total{group="",operation="create",resource="pods"} 0`)
	wantLine(t, text, `etcd_requests_total{group="example.com",operation="create",resource="websites"} 1`)
	wantLine(t, text, `etcd_requests_total{group="",operation="delete",resource="pods"} 1`)
	wantLine(t, text, `etcd_requests_total{group="",operation="list",resource="services"} 1`)
}

func TestObjects(t *testing.T) {
	m := metrics.New()
	m.CollectObjects(func() []metrics.Objects {
		return []metrics.Objects{{Resource: schema.GroupResource{Group: "example.com", Resource: "websites"}, Count: 3, Bytes: 42}}
	})
	text := scrape(m)
	wantLine(t, text, `apiserver_storage_objects{resource="websites.example.com"} 3`)
	wantLine(t, text, `apiserver_resource_size_estimate_bytes{group="example.com",resource="websites"} 42`)
}

func ExampleMetrics_Begin() {
	m := metrics.New()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := endpoints.ParseRequest(r)
		w, done := m.Begin(w, r, &info)
		defer done()
		w.WriteHeader(http.StatusOK)
	})
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/api/v1/nodes/n1", nil))
	fmt.Print(grep(scrape(m), "apiserver_request_total"))
	// Output:
	// apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="nodes",scope="resource",subresource="",verb="DELETE",version="v1"} 1
}

func BenchmarkRequest(b *testing.B) {
	m := metrics.New()
	r := httptest.NewRequest("GET", "/apis/example.com/v1/namespaces/default/websites/a", nil)
	info := endpoints.ParseRequest(r)
	rw := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		w, done := m.Begin(rw, r, &info)
		w.WriteHeader(http.StatusOK)
		done()
	}
}

func BenchmarkWatchEvent(b *testing.B) {
	m := metrics.New()
	d := pods()
	b.ReportAllocs()
	for b.Loop() {
		m.WatchEvent(d, 1600)
	}
}
