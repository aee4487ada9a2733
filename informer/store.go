package informer

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/btree"
)

// name of an object within its kind. namespace is "" for kinds without.
type name struct{ namespace, name string }

func (n name) less(m name) bool {
	if n.namespace != m.namespace {
		return n.namespace < m.namespace
	}
	return n.name < m.name
}

// entry is one object in the store. It is immutable.
type entry struct {
	name
	item item
}

// posting is one object in an index, under one of its values.
type posting struct {
	value string
	*entry
}

// A tree is an ordered, copy-on-write map of entries. A clone costs two small allocations; a write to a tree that
// shares nodes with a clone copies the few nodes on its path.
type (
	tree     = btree.BTreeG[entry]
	postings = btree.BTreeG[posting]
)

// Each write copies the nodes on its path, which readers may hold: these degrees make them 1 KiB at most. They are such
// that the slice of a node which was split has room for a full node when append has doubled it once; with others, one
// that is full takes twice as much.
const (
	entryDegree   = 12
	postingDegree = 16
)

func newTree() *tree {
	return btree.NewG(entryDegree, func(a, b entry) bool { return a.less(b.name) })
}

func newPostings() *postings {
	return btree.NewG(postingDegree, func(a, b posting) bool {
		if c := strings.Compare(a.value, b.value); c != 0 {
			return c < 0
		}
		return a.less(b.name)
	})
}

// view is a state of the store at a revision. It is immutable, and so are its trees.
type view struct {
	objects  *tree
	indexes  map[string]*postings
	revision string // that all parts of the collection have reached
}

// store is the untyped engine below Informer: one writer, any number of readers, which load the current view and
// take no lock.
type store struct {
	current atomic.Pointer[view]
	bytes   atomic.Int64 // that the objects and indexes take, about

	mu       sync.Mutex // of the writer, and of those who add an index
	objects  *tree
	indexes  map[string]*index
	revision string
	changed  chan struct{} // closed when a revision grows; nil while nobody waits
}

type index struct {
	values func(item) []string
	tree   *postings
}

func newStore() *store {
	s := &store{objects: newTree(), indexes: map[string]*index{}}
	s.publish()
	return s
}

// publish makes what was written visible. It requires mu, except in newStore.
func (s *store) publish() {
	v := &view{objects: s.objects.Clone(), revision: s.revision}
	if len(s.indexes) > 0 {
		v.indexes = make(map[string]*postings, len(s.indexes))
		for name, x := range s.indexes {
			v.indexes[name] = x.tree.Clone()
		}
	}
	s.current.Store(v)
}

// waiter is closed when a revision grows. It requires mu.
func (s *store) waiter() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// wake those who wait. It requires mu, and that the new state has been published.
func (s *store) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// set stores an item and returns the one that it replaces, or nil. It requires mu.
func (s *store) set(n name, it item) item {
	e := entry{n, it}
	old, had := s.objects.ReplaceOrInsert(e)
	grown := it.size()
	if had {
		grown -= old.item.size()
	}
	for _, x := range s.indexes {
		grown += x.replace(old, had, e)
	}
	s.bytes.Add(int64(grown))
	return old.item
}

// remove takes an item out and returns it, or nil. It requires mu.
func (s *store) remove(n name) item {
	old, had := s.objects.Delete(entry{name: n})
	if !had {
		return nil
	}
	freed := old.item.size()
	for _, x := range s.indexes {
		freed += x.drop(old, x.values(old.item))
	}
	s.bytes.Add(-int64(freed))
	return old.item
}

// add returns the bytes that the index grows by.
func (x *index) add(e entry, values []string) (bytes int) {
	for _, value := range values {
		if _, had := x.tree.ReplaceOrInsert(posting{value, &e}); !had {
			bytes += postingSize
		}
	}
	return bytes
}

// drop returns the bytes that the index shrinks by.
func (x *index) drop(e entry, values []string) (bytes int) {
	for _, value := range values {
		if _, had := x.tree.Delete(posting{value, &e}); had {
			bytes += postingSize
		}
	}
	return bytes
}

// replace puts an entry in the place of an old one, if there was one. It returns the bytes that the index grows by.
func (x *index) replace(old entry, had bool, e entry) int {
	values := x.values(e.item)
	freed := 0
	if had {
		stale := x.values(old.item)
		if !slices.Equal(stale, values) { // they seldom change
			freed = x.drop(old, stale)
		}
	}
	return x.add(e, values) - freed
}

// addIndex builds an index over what is there and keeps it from now on. It replaces one of the same name.
func (s *store) addIndex(name string, values func(item) []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &index{values: values, tree: newPostings()}
	grown := 0
	s.objects.Ascend(func(e entry) bool { grown += x.add(e, values(e.item)); return true })
	if old := s.indexes[name]; old != nil {
		grown -= old.tree.Len() * postingSize
	}
	s.bytes.Add(int64(grown))
	s.indexes[name] = x
	s.publish()
}

// list yields the items of a namespace, all where it is "", ordered by namespace and name.
func (v *view) list(namespace string) iter.Seq[item] {
	return func(yield func(item) bool) {
		v.objects.AscendGreaterOrEqual(entry{name: name{namespace: namespace}}, func(e entry) bool {
			return (namespace == "" || e.namespace == namespace) && yield(e.item)
		})
	}
}

// byIndex yields the items of a namespace, all where it is "", that have a value in an index, ordered by namespace and
// name.
func (v *view) byIndex(namespace, index, value string) iter.Seq[item] {
	return func(yield func(item) bool) {
		t := v.indexes[index]
		if t == nil {
			return
		}
		t.AscendGreaterOrEqual(posting{value, &entry{name: name{namespace: namespace}}}, func(p posting) bool {
			return p.value == value && (namespace == "" || p.namespace == namespace) && yield(p.item)
		})
	}
}

func (v *view) get(namespace, n string) (item, bool) {
	e, ok := v.objects.Get(entry{name: name{namespace, n}})
	return e.item, ok
}
