package watchcache

import (
	"context"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Reader is what the registry uses of one cached resource; *Resource implements it.
type Reader interface {
	// Get returns the entry at key (nil where there is none) and the revision that was read.
	// Errors: ErrUndecodable, ErrTimeout, ErrReplaced, ErrClosed, the context's, the store's.
	Get(ctx context.Context, key string, f Freshness) (*Entry, storage.Revision, error)
	// Snapshot returns the whole resource at one revision. It takes no lock that a writer waits for.
	// Errors: as Get, without ErrUndecodable.
	Snapshot(ctx context.Context, f Freshness) (*Snapshot, error)
	// SnapshotAt returns the state at exactly rev if the cache still holds it: because it is the newest, or
	// because an earlier list that was cut by a limit asked for it to be kept (Snapshot.Keep).
	SnapshotAt(rev storage.Revision) (*Snapshot, bool)
	// Watch begins a watch after revision o.From. Errors: ErrExpired where history no longer reaches back,
	// ErrTimeout where o.From is in the future and stays there, otherwise as Snapshot.
	Watch(ctx context.Context, o WatchOptions) (*Watcher, error)
}

// Freshness says how recent the state must be that a read answers with.
type Freshness struct {
	// Latest: linearizable; the state includes every write acknowledged before the call.
	Latest bool
	// AtLeast this revision (ignored where Latest is set); zero: whatever the cache has once it is filled.
	AtLeast storage.Revision
}

// WatchOptions narrows a watch.
type WatchOptions struct {
	From   storage.Revision // deliver what happened after it
	Prefix string           // of keys: the resource's own prefix (or ""), or one that ends in "NAMESPACE/"
	Key    string           // only this object; "" all under Prefix
	// Match is the selector, or nil. An object that begins to match is delivered as Added, one that ceases
	// to as Deleted, as Kubernetes does. It must be quick, free of side effects and always of one opinion.
	Match func(*Entry) bool
}

var _ Reader = (*Resource)(nil)
