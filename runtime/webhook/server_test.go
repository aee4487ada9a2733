package webhook_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/go-logr/logr/testr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/runtime/webhook"
)

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	return l
}

// run a server until the returned function is called, which waits for its end.
func run(t testing.TB, s *webhook.Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestServerServesTheWebhooksOfKinds(t *testing.T) {
	l := listen(t)
	s := webhook.NewServer(webhook.Options{Listener: l, Scheme: scheme(), Logger: testr.New(t)})
	ok(t, webhook.NewWebhookManagedBy(s, &Website{}).WithValidator(&validator{}).WithDefaulter(defaulter(func(*Website) error { return nil })).Complete())
	ok(t, webhook.NewWebhookManagedBy(s, &WebsiteV2{}).Complete()) // whose conversions are served already
	if s.Ready(nil) == nil {
		t.Error("ready before it runs")
	}
	stop := run(t, s)
	send := func(path string, body []byte) (int, []byte) {
		resp, err := http.Post("http://"+l.Addr().String()+path, "application/json", bytes.NewReader(body))
		ok(t, err)
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		ok(t, err)
		return resp.StatusCode, data
	}
	conversion := []byte(`{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"a","desiredAPIVersion":"e.com/v2","objects":[` + site("v1", `{"host":"a"}`) + `]}}`)
	for path, c := range map[string]struct {
		body []byte
		want string
	}{
		"/validate-e-com-v1-website": {body(t, "create"), `"allowed":true`},
		"/mutate-e-com-v1-website":   {body(t, "create"), `"allowed":true`},
		"/convert":                   {conversion, `"spec":{"hostname":"a"}`},
	} {
		if code, answer := send(path, c.body); code != 200 || !bytes.Contains(answer, []byte(c.want)) {
			t.Errorf("%s: %d %s", path, code, answer)
		}
	}
	if code, _ := send("/validate-e-com-v2-website", body(t, "create")); code != 404 {
		t.Errorf("%d for a webhook that there is not", code)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "x.com/v1", "kind": "Late"}}
	ok(t, webhook.NewWebhookManagedBy(s, u).WithDefaulter(anyDefaulter{}).Complete())
	if code, _ := send("/mutate-x-com-v1-late", body(t, "create")); code != 200 {
		t.Errorf("%d for a webhook that came late", code)
	}
	ok(t, s.Ready(nil))
	http.DefaultClient.CloseIdleConnections()
	stop()
	if s.Ready(nil) == nil {
		t.Error("ready after it has stopped")
	}
}

func TestWebhooksThatCannotBe(t *testing.T) {
	s := webhook.NewServer(webhook.Options{Scheme: scheme()})
	ok(t, webhook.NewWebhookManagedBy(s, &Website{}).WithValidator(&validator{}).Complete())
	for name, err := range map[string]error{
		"twice":        webhook.NewWebhookManagedBy(s, &Website{}).WithValidator(&validator{}).Complete(),
		"unknown":      webhook.NewWebhookManagedBy(s, &neither{}).Complete(),
		"no kind":      webhook.NewWebhookManagedBy(s, &unstructured.Unstructured{}).WithDefaulter(anyDefaulter{}).Complete(),
		"nothing":      webhook.NewWebhookManagedBy(s, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "A"}}).Complete(),
		"no scheme":    webhook.NewWebhookManagedBy(webhook.NewServer(webhook.Options{}), &Website{}).WithValidator(&validator{}).Complete(),
		"two of a way": s.HandleConversion(websites, rename),
		"address":      webhook.NewServer(webhook.Options{Address: "nowhere:-1"}).Run(t.Context()),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A request under way when the server is to stop is answered.
func TestServerLetsRequestsFinish(t *testing.T) {
	l := listen(t)
	s := webhook.NewServer(webhook.Options{Listener: l})
	began, release := make(chan struct{}), make(chan struct{})
	ok(t, s.HandleHTTP("/slow", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-release
		w.WriteHeader(http.StatusTeapot)
	})))
	stop := run(t, s)
	got := make(chan int, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String() + "/slow")
		if err != nil {
			got <- 0
			return
		}
		_ = resp.Body.Close()
		got <- resp.StatusCode
	}()
	<-began
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	for s.Ready(nil) == nil { // it stops: no more of a wait than that
		select {
		case <-stopped:
			t.Fatal("it did not wait")
		default:
		}
	}
	close(release)
	if code := <-got; code != http.StatusTeapot {
		t.Errorf("answered %d", code)
	}
	<-stopped
}
