package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/keelson-project/keelson/runtime"
)

// Name is that of the instrumentation, as the provider is told.
const Name = "github.com/keelson-project/keelson/runtime"

// Tracer is a runtime.Tracer.
type Tracer struct {
	tracer    trace.Tracer
	propagate propagation.TextMapPropagator
}

var _ runtime.Tracer = (*Tracer)(nil)

// New makes a Tracer. Where propagate is not nil, it writes headers into requests, by which servers know the span that
// theirs belongs to; propagation.TraceContext is what kube-apiserver understands.
func New(provider trace.TracerProvider, propagate propagation.TextMapPropagator) *Tracer {
	return &Tracer{tracer: provider.Tracer(Name), propagate: propagate}
}

// Reconcile implements runtime.Tracer. The span's attributes are controller, k8s.namespace.name, name, cluster, priority,
// failures, queued_ms and waited_ms, and at its end outcome and writes. Each cause is an event of it.
func (t *Tracer) Reconcile(ctx context.Context, controller string) (context.Context, func(*runtime.Run)) {
	ctx, span := t.tracer.Start(ctx, "reconcile "+controller)
	if span.IsRecording() {
		span.SetAttributes(attribute.String("controller", controller))
		describe(span, runtime.CausesFrom(ctx))
	}
	return ctx, func(run *runtime.Run) {
		span.SetAttributes(attribute.String("outcome", run.Outcome), attribute.Int("writes", len(run.Writes)+run.Unlisted))
		if run.Error != "" {
			span.SetStatus(codes.Error, run.Error)
		}
		span.End()
	}
}

func describe(span trace.Span, causes *runtime.Causes) {
	if causes == nil {
		return
	}
	req := causes.Request
	span.SetAttributes(
		attribute.String("k8s.namespace.name", req.Namespace), attribute.String("name", req.Name),
		attribute.Int("priority", causes.Priority), attribute.Int("failures", causes.Failures),
		milliseconds("queued_ms", causes.Queued), milliseconds("waited_ms", causes.Waited),
	)
	if req.Cluster != "" {
		span.SetAttributes(attribute.String("cluster", req.Cluster))
	}
	for _, c := range causes.List {
		about := []attribute.KeyValue{attribute.String("type", string(c.Type))}
		if c.Kind.Kind != "" {
			about = append(about, attribute.String("kind", c.Kind.Kind), attribute.String("object", c.Object.String()),
				attribute.String("old", c.Old), attribute.String("new", c.New))
		}
		if c.Detail != "" {
			about = append(about, attribute.String("detail", c.Detail))
		}
		span.AddEvent("cause", trace.WithTimestamp(c.At), trace.WithAttributes(about...))
	}
}

func milliseconds(name string, d time.Duration) attribute.KeyValue {
	return attribute.Float64(name, float64(d)/float64(time.Millisecond))
}
