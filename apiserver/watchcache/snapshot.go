package watchcache

import (
	"iter"
	"strings"

	"github.com/google/btree"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Snapshot is a whole resource at one revision. It never changes, and is safe for concurrent use.
type Snapshot struct {
	table    *table
	revision storage.Revision
	entries  *btree.BTreeG[*Entry]
}

// Revision at which this was the state.
func (s *Snapshot) Revision() storage.Revision { return s.revision }

// Len is the number of entries of the whole resource.
func (s *Snapshot) Len() int { return s.entries.Len() }

// Range yields the entries whose key begins with prefix, from start on (inclusive; "" from the beginning), in
// order of their keys.
func (s *Snapshot) Range(prefix, start string) iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		s.entries.AscendGreaterOrEqual(&Entry{Key: max(prefix, start)}, func(e *Entry) bool {
			return strings.HasPrefix(e.Key, prefix) && yield(e)
		})
	}
}

// Get returns the entry at key, or nil.
func (s *Snapshot) Get(key string) *Entry {
	e, _ := s.entries.Get(&Entry{Key: key})
	return e
}

// Keep asks the cache to hold this snapshot for later SnapshotAt calls; a bounded number is held for a bounded
// time, the oldest are dropped first (a page then reads from the store's history).
func (s *Snapshot) Keep() {
	t := s.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == ended {
		return
	}
	for i := range t.kept {
		if t.kept[i].snapshot.revision == s.revision {
			t.kept[i].ticks = 0
			return
		}
	}
	if len(t.kept) >= t.cache.opts.KeptSnapshots {
		t.kept = append(t.kept[:0], t.kept[1:]...)
	}
	t.kept = append(t.kept, keptSnapshot{snapshot: s})
}

// keptSnapshot is held until the janitor has seen it keptTicks times.
type keptSnapshot struct {
	snapshot *Snapshot
	ticks    int
}
