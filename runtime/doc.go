// Package runtime runs reconcilers: code that brings the world to the state that an object asks for.
//
//	mgr, err := runtime.New(cfg, runtime.Options{Scheme: scheme})
//	err = runtime.NewControllerManagedBy(mgr).
//		For(&v1.Website{}).
//		Owns(&corev1.ConfigMap{}).
//		Complete(runtime.AsReconciler(mgr.Client(), &reconciler{mgr.Client()}))
//	err = mgr.Run(ctx)
//
// A Reconciler is given the name of an object whenever it, or what belongs to it, may have changed; never the same
// name twice at once. An error has it called again, later and later. An ObjectReconciler is given the object, and where
// it has a Finalize as well, the framework keeps the finalizer.
//
// # Reads and writes
//
// Manager.Client reads Get and List from informers that the first read of a kind starts, and that stop when nobody
// watches or reads it for a while; it writes to the server. A read is never older than what this client has written
// before, in whatever form (typed, unstructured, metadata): it waits for the informer as long as its context allows, and
// what was deleted is not shown. Lists by the author's indexes (IndexField) look at nothing but what they find. Lists
// with a limit, a revision or selectors by other fields are asked of the server, and so are all reads of kinds that
// Options.Kinds says are Uncached. What a read returns is the caller's own. client.Each and EachOf read from the cache,
// too, one object at a time.
//
// An Apply that would change nothing, as far as a cache that is there already can tell, is not sent (client.Applied says
// how it can); the object becomes what the cache has, in the form that was applied. What this client has written must be
// in the cache for that; nothing is waited for. Manager.Direct sends every Apply.
//
// # Why
//
// CausesFrom tells a reconciliation why it runs: which objects changed, from which version to which, and where. A
// controller remembers its latest reconciliations with what they wrote (Controller.History); Manager.Handler serves them,
// and "keelson why CONTROLLER NAMESPACE/NAME" tells the story of one object.
//
// # What users are told
//
// Manager.EventRecorder has reconcilers tell users what they do, by Events that kubectl describe shows; see package
// runtime/events.
//
// # More than one
//
// Replicas of a process share the work by Options.Shards (package runtime/shards), or take turns by
// Options.LeaderElection (package runtime/leaderelection). Other clusters join a manager and leave it while it runs
// (Manager.Join), and so do controllers (Builder.Build, Manager.Remove).
package runtime
