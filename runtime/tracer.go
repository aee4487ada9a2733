package runtime

import (
	"context"
	"net/http"

	"github.com/keelson-project/keelson/runtime/client"
)

// Tracer makes spans of what a manager does. Package runtime/tracing has one for OpenTelemetry, of which nothing else here
// knows. Its methods are called by many goroutines.
type Tracer interface {
	// Reconcile begins the span of a reconciliation; CausesFrom(ctx) tells why it runs. The context that it returns is
	// the reconciler's, so that requests made with it can be told to belong there. end is called once, with how it went.
	Reconcile(ctx context.Context, controller string) (inner context.Context, end func(*Run))
	// Transport makes spans of requests that go through next, those of caches among them.
	Transport(next http.RoundTripper) http.RoundTripper
}

// traced begins the span of a reconciliation, where there is a tracer.
func (c *Controller) traced(ctx context.Context) (inner context.Context, end func(*Run)) {
	if t := c.mgr.opts.Tracer; t != nil {
		return t.Reconcile(ctx, c.name)
	}
	return ctx, func(*Run) {}
}

// tracing is cfg with requests traced by t, if there is one.
func tracing(cfg client.Config, t Tracer) client.Config {
	if t == nil {
		return cfg
	}
	wrap := cfg.Wrap
	cfg.Wrap = func(next http.RoundTripper) http.RoundTripper {
		if wrap != nil {
			next = wrap(next)
		}
		return t.Transport(next)
	}
	return cfg
}
