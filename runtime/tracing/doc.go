// Package tracing tells OpenTelemetry of a manager's reconciliations and requests. Nothing else of the runtime needs
// OpenTelemetry: who does not import this package does not build it.
//
//	mgr, err := runtime.New(cfg, runtime.Options{Tracer: tracing.New(provider, propagation.TraceContext{})})
//
// Each reconciliation is a span "reconcile CONTROLLER", with its causes as events; each request that the reconciler makes
// with the context it was given is a span below it. Requests made with a context that is no span's, such as those of
// caches, have none.
package tracing
