package webhook_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/keelson-project/keelson/runtime/webhook"
)

func TestMetrics(t *testing.T) {
	s := webhook.NewServer(webhook.Options{Scheme: scheme()})
	inFlight := ""
	ok(t, s.HandleHTTP("/own", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		var b strings.Builder
		s.WriteMetrics(&b)
		inFlight = b.String()
	})))
	ok(t, webhook.NewWebhookManagedBy(s, &Website{}).WithValidator(&validator{}).Complete())
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodPost, "/validate-e-com-v1-website", bytes.NewReader(body(t, "create"))),
		httptest.NewRequest(http.MethodPost, "/validate-e-com-v1-website", bytes.NewReader(body(t, "create"))),
		httptest.NewRequest(http.MethodGet, "/validate-e-com-v1-website", nil),
		httptest.NewRequest(http.MethodGet, "/own", nil),
		httptest.NewRequest(http.MethodGet, "/absent", nil),
	} {
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	var b strings.Builder
	s.WriteMetrics(&b)
	for _, want := range []string{
		`controller_runtime_webhook_requests_total{webhook="/validate-e-com-v1-website",code="200"} 2`,
		`controller_runtime_webhook_requests_total{webhook="/validate-e-com-v1-website",code="405"} 1`,
		`controller_runtime_webhook_requests_total{webhook="/own",code="200"} 1`,
		`controller_runtime_webhook_requests_in_flight{webhook="/own"} 0`,
		`controller_runtime_webhook_latency_seconds_count{webhook="/validate-e-com-v1-website"} 3`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	if want := `controller_runtime_webhook_requests_in_flight{webhook="/own"} 1`; !strings.Contains(inFlight, want) || strings.Contains(b.String(), "absent") {
		t.Errorf("no %s in\n%s", want, inFlight)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(b.String())); err != nil {
		t.Error(err)
	}
}
