// Package informer keeps a copy of a collection of objects of a Kubernetes server: it lists, then watches, into
// a store that answers without the network, and tells handlers what changed.
//
//	inf := informer.New(informer.Config[*corev1.Pod]{
//		Source: source, // runtime/client has one over HTTP
//		Scope:  informer.Scope{GVK: corev1.SchemeGroupVersion.WithKind("Pod"), Namespace: "default"},
//	})
//	inf.AddHandler(func(c informer.Change[*corev1.Pod]) { fmt.Println(c.Type, c.Object().Name) })
//	go inf.Run(ctx)
//	if err := inf.WaitSynced(ctx); err != nil { ... }
//	pod, ok := inf.Get("default", "web")
//
// # Guarantees
//
//   - The store moves forward only: its revision never decreases, and no object is replaced by an older one
//     of the same uid.
//   - After any failure (watch dropped, history expired, server away) the store ends up equal to the server's
//     collection; what vanished meanwhile is delivered as a deletion.
//   - Reads take a snapshot and no lock; a snapshot never changes.
//   - Each handler goes at its own pace. What it has not seen yet is kept per object, newest state only: a slow
//     handler skips states in between and never misses the last one, and pending memory is bounded by the
//     number of objects. A deletion is skipped only where the handler never saw the object. An object that
//     was deleted and made again is a deletion and an addition.
//   - A handler is not called by two goroutines at once, and never before the store shows the change.
//
// Objects that leave the store (by reads or to handlers) are shared: they must not be changed.
package informer
