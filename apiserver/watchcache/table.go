package watchcache

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/btree"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// phase of a table. filling -> live <-> stale, and from each to ended.
type phase uint8

const (
	filling phase = iota // being listed for the first time; changes are held back (pending)
	live                 // has every change up to the progress of the cache
	stale                // has every change up to rev; being listed again; changes are held back
	ended                // err says why; whoever wants the resource finds a new table, or err
)

// errDropped ends a table that nobody used; the next read makes a new one.
var errDropped = errors.New("the resource was idle")

// degree of the B-tree: up to 63 pointers in a node, half a KiB to copy when a shared node is written.
const degree = 32

// table is a Resource while it is in use: its entries and its history.
type table struct {
	cache  *Cache
	cfg    *Config
	prefix string

	used      atomic.Bool // read since the janitor looked
	idleTicks int         // how often it looked in vain; the janitor's own

	mu      sync.RWMutex
	phase   phase
	err     error
	changed chan struct{} // closed, and replaced where there is more to come, when phase changes
	// rev: entries are the exact state at it: that of the last change, or of the list.
	rev     storage.Revision
	entries *btree.BTreeG[*Entry]
	bytes   int64
	// undecodable objects are in no list; errors by key.
	undecodable map[string]error
	history     history
	watchers    map[*Watcher]struct{}
	kept        []keptSnapshot // oldest first
	pending     pending        // while filling or stale

	// snap is a clone of entries that readers share until the next write. cloning is held, inside of mu for
	// reading, while it is made; a writer needs only mu.
	cloning sync.Mutex
	snap    *btree.BTreeG[*Entry]
}

func newTable(c *Cache, cfg *Config) *table {
	return &table{
		cache: c, cfg: cfg, prefix: cfg.Prefix,
		changed: make(chan struct{}),
		entries: newTree(),
		history: newHistory(cfg.Prefix, &c.opts),
	}
}

func newTree() *btree.BTreeG[*Entry] {
	return btree.NewG(degree, func(a, b *Entry) bool { return a.Key < b.Key })
}

// completeTo is the revision at which entries are the exact state, and up to which history is complete, when
// the cache had progressed to p before mu was taken. It requires mu for reading.
func (t *table) completeTo(p storage.Revision) storage.Revision {
	if t.phase == live {
		return max(t.rev, p)
	}
	return t.rev
}

// enter changes the phase. It requires mu.
func (t *table) enter(p phase) {
	t.phase = p
	close(t.changed)
	t.changed = make(chan struct{})
}

// end is final: readers and watchers get err, and memory is let go of.
func (t *table) end(err error) {
	t.mu.Lock()
	wakes := t.endLocked(err)
	t.mu.Unlock()
	closeAll(wakes)
}

// endLocked requires mu, and returns the channels to close after its release.
func (t *table) endLocked(err error) []chan struct{} {
	if t.phase == ended {
		return nil
	}
	t.err = err
	t.enter(ended)
	wakes := t.history.wakeAll()
	t.entries, t.snap, t.undecodable, t.kept, t.pending = newTree(), nil, nil, nil, pending{}
	t.bytes = 0
	t.history = newHistory(t.prefix, &t.cache.opts)
	return wakes
}

// step is a store event, decoded: entry is nil for a removal and for what cannot be decoded (then err is set).
type step struct {
	key   string
	rev   storage.Revision
	entry *Entry
	err   error
}

func (t *table) decode(e *storage.Event) step {
	s := step{key: e.KV.Key, rev: e.KV.ModRevision}
	if e.Type == storage.EventPut {
		s.entry, s.err = t.decodeKV(e.KV)
	}
	return s
}

func (t *table) decodeKV(kv storage.KeyValue) (*Entry, error) {
	data, p, err := t.cfg.Decode(kv)
	if err != nil {
		t.cache.decodeErrors.Add(1)
		t.cache.opts.Logger.Error(err, "A stored object cannot be decoded and is left out of lists and watches",
			"key", kv.Key, "revision", kv.ModRevision)
		return nil, fmt.Errorf("%w: %s at revision %d: %w", ErrUndecodable, kv.Key, kv.ModRevision, err)
	}
	// Name and namespace are in the key, nearly always: one string instead of three.
	if rest := kv.Key; strings.HasSuffix(rest, p.Name) {
		p.Name = rest[len(rest)-len(p.Name):]
		rest = strings.TrimSuffix(rest[:len(rest)-len(p.Name)], "/")
		if strings.HasSuffix(rest, p.Namespace) {
			p.Namespace = rest[len(rest)-len(p.Namespace):]
		}
	}
	t.cache.interner.share(&p)
	return &Entry{Key: kv.Key, Revision: kv.ModRevision, Created: kv.CreateRevision, Data: data, Projection: p}, nil
}

// offer takes new events of the store, from the goroutine that follows it: all of a revision at once.
func (t *table) offer(events []storage.Event) {
	t.mu.Lock()
	if t.phase != live {
		if t.phase != ended {
			t.pending.add(events)
		}
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()
	// A live table stays live, or ends: only this goroutine makes it stale. So decoding needs no lock.
	var few [4]step
	steps := few[:0]
	for i := range events {
		steps = append(steps, t.decode(&events[i]))
	}
	t.mu.Lock()
	var wakes []chan struct{}
	if t.phase == live {
		wakes = t.apply(steps)
	}
	t.mu.Unlock()
	closeAll(wakes)
}

// apply takes steps in order of revision, whole revisions, into entries and history. Steps up to rev are known
// already and left out. It requires mu, and returns the channels to close after its release.
func (t *table) apply(steps []step) []chan struct{} {
	var wakes []chan struct{}
	known := t.rev
	for i := range steps {
		s := &steps[i]
		if s.rev <= known {
			continue
		}
		prev := t.replace(s)
		t.rev = s.rev
		if prev != nil || s.entry != nil {
			wakes = t.history.push(&change{rev: s.rev, prev: prev, next: s.entry}, wakes)
		}
	}
	return wakes
}

// replace brings entries to what the step says and returns what was there. It requires mu.
func (t *table) replace(s *step) (prev *Entry) {
	t.snap = nil
	if s.entry != nil {
		prev, _ = t.entries.ReplaceOrInsert(s.entry)
		t.bytes += s.entry.size()
	} else {
		prev, _ = t.entries.Delete(&Entry{Key: s.key})
	}
	if prev != nil {
		t.bytes -= prev.size()
	}
	if s.err != nil {
		if t.undecodable == nil {
			t.undecodable = map[string]error{}
		}
		t.undecodable[s.key] = s.err
	} else if len(t.undecodable) > 0 {
		delete(t.undecodable, s.key)
	}
	return prev
}

// lookup returns the entry at key, or nil. It requires mu for reading.
func (t *table) lookup(key string) (*Entry, error) {
	if e, ok := t.entries.Get(&Entry{Key: key}); ok {
		return e, nil
	}
	return nil, t.undecodable[key]
}

// snapshot of entries as the state at rev. It requires mu for reading.
func (t *table) snapshot(rev storage.Revision) *Snapshot {
	t.cloning.Lock()
	if t.snap == nil {
		t.snap = t.entries.Clone()
	}
	snap := t.snap
	t.cloning.Unlock()
	return &Snapshot{table: t, revision: rev, entries: snap}
}
