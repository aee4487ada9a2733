package tracing_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/tracing"
)

// counting counts requests that bring the header by which a server knows its span.
type counting struct {
	next        http.RoundTripper
	with, other atomic.Int32
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Traceparent") != "" {
		c.with.Add(1)
	} else {
		c.other.Add(1)
	}
	return c.next.RoundTrip(r)
}

// A reconciliation fails once and then writes; each is a span with its cause, and the write a span below it.
func TestReconciliationsAndRequestsAreSpans(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	wire := &counting{next: apiservertest.Start(t, apiservertest.Options{}).Transport()}
	scheme := kruntime.NewScheme()
	ok(t, corev1.AddToScheme(scheme))
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: wire},
		runtime.Options{Scheme: scheme, Tracer: tracing.New(provider, propagation.TraceContext{})})
	ok(t, err)
	calls, done := atomic.Int32{}, make(chan struct{})
	ok(t, runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Complete(runtime.ReconcilerFunc(
		func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
			if req.Name != "mine" {
				return runtime.Result{}, nil
			}
			switch calls.Add(1) {
			case 1:
				return runtime.Result{}, errors.New("not yet")
			case 2:
				defer close(done)
				return runtime.Result{}, mgr.Client().Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "made"}})
			}
			return runtime.Result{}, nil
		})))
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- mgr.Run(ctx) }()
	ok(t, mgr.Client().Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "mine"}}))
	<-done
	stop()
	ok(t, <-ran)

	var mine []sdktrace.ReadOnlySpan
	for _, s := range recorder.Ended() {
		if s.Name() == "reconcile configmap" && has(s.Attributes(), "name", "mine") {
			mine = append(mine, s)
		}
	}
	if len(mine) != 2 {
		t.Fatalf("%d spans of two reconciliations", len(mine))
	}
	if s := mine[0]; s.Status().Code != codes.Error || s.Status().Description != "not yet" || !has(s.Attributes(), "outcome", "error") ||
		len(s.Events()) != 1 || !has(s.Events()[0].Attributes, "kind", "ConfigMap") || !has(s.Events()[0].Attributes, "object", "default/mine") {
		t.Errorf("the failure is %v %v %v", s.Status(), s.Attributes(), s.Events())
	}
	second := mine[1]
	if second.Status().Code == codes.Error || !has(second.Attributes(), "writes", "1") || !has(second.Events()[0].Attributes, "type", "Retry") ||
		!has(second.Events()[0].Attributes, "detail", "not yet") {
		t.Errorf("the second is %v %v %v", second.Status(), second.Attributes(), second.Events())
	}
	requests := slices.DeleteFunc(slices.Clone(recorder.Ended()), func(s sdktrace.ReadOnlySpan) bool {
		return s.Parent().SpanID() != second.SpanContext().SpanID() || s.Name() != "POST"
	})
	if len(requests) != 1 || !has(requests[0].Attributes(), "url.path", "/api/v1/namespaces/default/secrets") ||
		!has(requests[0].Attributes(), "http.response.status_code", "201") {
		t.Errorf("its requests are %v", requests)
	}
	if started, ended := len(recorder.Started()), len(recorder.Ended()); started != ended {
		t.Errorf("%d spans began, %d ended", started, ended)
	}
	if wire.with.Load() == 0 || wire.other.Load() == 0 {
		t.Errorf("%d requests with a span, %d of caches without", wire.with.Load(), wire.other.Load())
	}
}

func has(all []attribute.KeyValue, key, value string) bool {
	return slices.ContainsFunc(all, func(kv attribute.KeyValue) bool { return string(kv.Key) == key && kv.Value.String() == value })
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
