package tracing_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/tracing"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("the server is told of the span:", r.Header.Get("Traceparent") != "")
	}))
	defer server.Close()

	spans := tracetest.NewSpanRecorder() // where a program has an exporter
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	tracer := tracing.New(provider, propagation.TraceContext{})

	// A manager with this option has its reconciliations and their requests traced ...
	_, err := runtime.New(client.Config{Host: server.URL}, runtime.Options{Tracer: tracer})
	fmt.Println(err)

	// ... and so has whoever takes its transport.
	ctx, work := provider.Tracer("example").Start(context.Background(), "work")
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/version", nil)
	if resp, err := tracer.Transport(http.DefaultTransport).RoundTrip(req); err == nil {
		_ = resp.Body.Close()
	}
	work.End()
	for _, s := range spans.Ended() {
		fmt.Println(s.Name())
	}
	// Output:
	// <nil>
	// the server is told of the span: true
	// GET
	// work
}
