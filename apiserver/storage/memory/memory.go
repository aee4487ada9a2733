// Package memory is a storage.Store in this process's memory, for tests and for servers whose data may be lost. It
// keeps every promise of the contract but durability, and starts in microseconds.
package memory

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/btree"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Options of a Store.
type Options struct {
	// KeepRevisions is how much history is kept before the oldest is compacted by itself. Default: 100,000.
	KeepRevisions int
}

// Store is a multi-version map in memory. Make one with New.
type Store struct {
	keep int

	mu       sync.Mutex
	revision storage.Revision
	// compacted: history before it is gone, but for the newest value of each key.
	compacted storage.Revision
	current   *btree.BTreeG[*version] // one for each key that exists
	versions  *btree.BTreeG[*version] // all that are kept, removals included
	log       []storage.Event         // the changes from compacted on, in order
	wake      chan struct{}           // closed and replaced at each change and when progress is asked for
	asked     uint64                  // how often progress was asked for
	expiry    expiry
	closed    bool
}

// version is what one write made of a key.
type version struct {
	storage.KeyValue
	removed bool
	expires time.Time // zero: never
}

// byKey orders current, byKeyAndRevision versions.
func byKey(a, b *version) bool { return a.Key < b.Key }

func byKeyAndRevision(a, b *version) bool {
	if c := strings.Compare(a.Key, b.Key); c != 0 {
		return c < 0
	}
	return a.ModRevision < b.ModRevision
}

const degree = 32

// New returns an empty store at revision 1.
func New(o Options) *Store {
	if o.KeepRevisions <= 0 {
		o.KeepRevisions = 100_000
	}
	return &Store{
		keep: o.KeepRevisions, revision: 1, wake: make(chan struct{}),
		current: btree.NewG(degree, byKey), versions: btree.NewG(degree, byKeyAndRevision),
	}
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key string, o storage.GetOptions) (storage.GetResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readable(ctx, o.Revision); err != nil {
		return storage.GetResponse{}, fmt.Errorf("get %s: %w", key, err)
	}
	r := storage.GetResponse{Revision: s.at(o.Revision)}
	if v := s.versionAt(key, r.Revision); v != nil {
		kv := v.KeyValue
		r.KV = &kv
	}
	return r, nil
}

// List implements storage.Store.
func (s *Store) List(ctx context.Context, prefix string, o storage.ListOptions) (storage.ListResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readable(ctx, o.Revision); err != nil {
		return storage.ListResponse{}, fmt.Errorf("list %s: %w", prefix, err)
	}
	r := storage.ListResponse{Revision: s.at(o.Revision)}
	s.ascend(prefix, max(prefix, o.Start), r.Revision, func(v *version) {
		if o.Limit > 0 && len(r.KVs) == o.Limit {
			r.Remaining++
			return
		}
		r.KVs = append(r.KVs, v.KeyValue)
	})
	return r, nil
}

// The methods below require mu.

// readable checks that a state can be read.
func (s *Store) readable(ctx context.Context, rev storage.Revision) error {
	switch {
	case s.closed:
		return storage.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case rev > s.revision:
		return storage.ErrFutureRevision
	case rev > 0 && rev < s.compacted:
		return storage.ErrCompacted
	}
	return nil
}

func (s *Store) at(rev storage.Revision) storage.Revision {
	if rev == 0 {
		return s.revision
	}
	return rev
}

// versionAt returns what key held at rev, nil where it did not exist.
func (s *Store) versionAt(key string, rev storage.Revision) (found *version) {
	if rev == s.revision {
		v, _ := s.current.Get(&version{KeyValue: storage.KeyValue{Key: key}})
		return v
	}
	s.versions.DescendLessOrEqual(&version{KeyValue: storage.KeyValue{Key: key, ModRevision: rev}}, func(v *version) bool {
		if v.Key == key && !v.removed {
			found = v
		}
		return false
	})
	return found
}

// ascend visits what stood under prefix at rev, from start on.
func (s *Store) ascend(prefix, start string, rev storage.Revision, visit func(*version)) {
	from := &version{KeyValue: storage.KeyValue{Key: start}}
	if rev == s.revision {
		s.current.AscendGreaterOrEqual(from, func(v *version) bool {
			if !strings.HasPrefix(v.Key, prefix) {
				return false
			}
			visit(v)
			return true
		})
		return
	}
	var last *version // the newest of its key so far that is not after rev
	flush := func() {
		if last != nil && !last.removed {
			visit(last)
		}
		last = nil
	}
	s.versions.AscendGreaterOrEqual(from, func(v *version) bool {
		if last != nil && last.Key != v.Key {
			flush()
		}
		if !strings.HasPrefix(v.Key, prefix) {
			return false
		}
		if v.ModRevision <= rev {
			last = v
		}
		return true
	})
	flush()
}
