// Package runtime runs reconcilers: code that brings the world to the state that an object asks for.
//
//	mgr, err := runtime.New(cfg, runtime.Options{Scheme: scheme})
//	err = runtime.NewControllerManagedBy(mgr).
//		For(&v1.Website{}).
//		Owns(&corev1.ConfigMap{}).
//		Complete(runtime.ReconcilerFunc(func(ctx context.Context, req runtime.Request) (runtime.Result, error) { ... }))
//	err = mgr.Run(ctx)
//
// A Reconciler is given the name of an object whenever it, or what belongs to it, may have changed; never the same
// name twice at once. An error has it called again, later and later.
//
// # Reads
//
// Manager.Client reads Get and List from informers that the first read of a kind starts, and writes to the server.
// A read shows what this client has created, updated, patched or applied before, waiting for the informer as long
// as its context allows. Lists with a limit, a revision or selectors by other fields than name and namespace are
// asked of the server, and so are all reads of kinds in Options.Uncached. What a read returns is the caller's own.
package runtime
