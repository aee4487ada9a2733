// Package watchcache answers the reads and watches of an API server from memory, out of one watch on the store.
//
//	store ──one watch──> Cache.Run ──by key prefix──> Resource: ordered map of entries + history ring
//	                                                     │ Get, Snapshot                 │ Watch
//	                                                     v                               v
//	                                             immutable snapshots           Watchers pull from the ring
//
// A Cache holds Resources, one per key prefix. A Resource that nobody reads is a few words of memory: nothing
// is listed and nothing held until the first read or watch, and everything is dropped again when it has been
// idle for a while. Objects are held as encoded bytes with a small decoded projection (Entry), shared by all
// readers.
//
// Three properties hold throughout:
//
//   - The writer (the goroutine that applies the store's events) waits for nobody. Lists work on copy-on-write
//     snapshots, watchers hold no more than a position in the ring and copy from it at their own pace.
//   - Nothing is lost silently. A watcher that history has passed by gets ErrExpired; a store that went away
//     is watched again from where it broke off, and where that is no longer possible, every Resource is listed
//     anew and the watchers that may have missed something get ErrExpired.
//   - Every answer has a revision, and is the exact state (or the exact sequence of changes) up to it.
//
// Everything is safe for concurrent use, except that a Watcher's Next is called by one goroutine at a time.
package watchcache
