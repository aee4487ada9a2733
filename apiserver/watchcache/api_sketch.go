package watchcache

import (
	"context"
	"iter"

	"github.com/google/btree"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Cache holds the Resources of one store and feeds them all from one watch.
type Cache struct{}

// New returns a Cache. It starts nothing: see Run.
func New(store storage.Store, o Options) *Cache { return &Cache{} }

// Run watches the store and feeds the resources until ctx ends. Reads and watches wait until it runs; when it
// has returned, they fail with ErrClosed, and none of its goroutines is left. It is called once.
func (c *Cache) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Open returns the Resource of cfg.Prefix. It is cheap: nothing is listed before the first read or watch. The
// same cfg gives the same Resource; another cfg for the prefix replaces it.
func (c *Cache) Open(cfg *Config) *Resource { return &Resource{} }

// Close ends the Resource of a prefix: its watchers get ErrReplaced and its memory is freed.
func (c *Cache) Close(prefix string) {}

// Resource is the objects under one key prefix. It implements Reader.
type Resource struct{}

func (r *Resource) Get(ctx context.Context, key string, f Freshness) (*Entry, storage.Revision, error) {
	return nil, 0, ErrClosed
}
func (r *Resource) Snapshot(ctx context.Context, f Freshness) (*Snapshot, error) {
	return nil, ErrClosed
}
func (r *Resource) SnapshotAt(rev storage.Revision) (*Snapshot, bool) { return nil, false }
func (r *Resource) Watch(ctx context.Context, o WatchOptions) (*Watcher, error) {
	return nil, ErrClosed
}

// Snapshot is a whole resource at one revision. It never changes.
type Snapshot struct {
	revision storage.Revision
	entries  *btree.BTreeG[*Entry]
}

// Revision at which this was the state.
func (s *Snapshot) Revision() storage.Revision { return s.revision }

// Len is the number of entries of the whole resource.
func (s *Snapshot) Len() int { return s.entries.Len() }

// Range yields the entries whose key begins with prefix, from start on (inclusive; "" from the beginning), in
// order of their keys.
func (s *Snapshot) Range(prefix, start string) iter.Seq[*Entry] { return func(func(*Entry) bool) {} }

// Get returns the entry at key, or nil.
func (s *Snapshot) Get(key string) *Entry { return nil }

// Keep asks the cache to hold this snapshot for later SnapshotAt calls; a bounded number is held, the oldest
// are dropped first (a page then reads from the store's history).
func (s *Snapshot) Keep() {}

// Watcher is a position in the history of a resource.
type Watcher struct{}

// Next blocks until there is something to deliver, and returns it in order, together with the revision up to
// which the watch is now complete (for bookmarks). It may return no events with a newer revision. buf is
// reused for the events where its capacity allows. When ctx ends, upTo is valid too: a caller that wants to
// send bookmarks to a quiet watch calls Next with a deadline.
// Errors: ctx.Err(), ErrExpired, ErrReplaced, ErrClosed.
func (w *Watcher) Next(ctx context.Context, buf []Event) (events []Event, upTo storage.Revision, err error) {
	return nil, 0, ErrClosed
}

// Stop releases the watcher. Next fails afterwards with ErrClosed. Stopping twice is harmless.
func (w *Watcher) Stop() {}

// ResourceStats describes one Resource.
type ResourceStats struct {
	Prefix        string
	Entries       int
	Bytes         int64 // of the entries
	HistoryEvents int
	HistoryBytes  int64 // of superseded objects that history keeps alive
	Watchers      int
	Lag           int // changes that the slowest watcher has still to read
	Undecodable   int // objects that Config.Decode refuses
}
