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
//     of the same uid. (Where the server's own history begins anew, a list is the truth.)
//   - After any failure (watch dropped, history expired, server away or silent, kind deleted and made again) the
//     store ends up equal to the server's collection; what vanished meanwhile is delivered as a deletion.
//   - Reads take a snapshot and no lock; a snapshot never changes.
//   - Each handler goes at its own pace. What it has not seen yet is kept per object, newest state only: a slow
//     handler skips states in between and never misses the last one, and pending memory is bounded by the
//     number of objects. A deletion is skipped only where the handler never saw the object. An object that
//     was deleted and made again is a deletion and an addition.
//   - A handler is not called by two goroutines at once, and never before the store shows the change.
//   - No data is dropped for lack of memory. Report tells what is used, and a Budget tells when that is too much.
//
// # Decoded or compact
//
// By default objects are decoded once, and what leaves the store (by reads or to handlers) is shared: it must not be
// changed; Snapshot.Copies makes copies. With Config.Compact they are kept encoded, in a third to a seventh of the memory (long texts stay what they are),
// and each read decodes a copy that is the reader's. Choose it for kinds of which there are many and few are read at a
// time. Names, labels, owners and the rest of Meta are read without decoding in either form: Snapshot.Select and Metas,
// AddMetaIndex, AddMetaHandler.
//
// # How many types there are
//
// A few more than twelve: Meta is what both forms share, Report and Budget are for who runs the program. Source,
// Stream, Page and Event are for who brings another transport; most never see them.
package informer
