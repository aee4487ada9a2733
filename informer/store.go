package informer

import (
	"iter"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/google/btree"
)

// entry is one object in the store, and in each index that it is part of. It is immutable.
type entry struct {
	key      string // of the tree it stands in: see objectKey and indexKey
	object   Object
	revision uint64 // of the object; 0 where it has none that is a number
}

// tree is an ordered, copy-on-write map of entries. A clone costs two small allocations; a write to a tree that
// shares nodes with a clone copies the few nodes on its path.
type tree = btree.BTreeG[entry]

// degree makes nodes of up to 31 entries: about 1 KiB to copy when a shared one is written.
const degree = 16

func newTree() *tree {
	return btree.NewG(degree, func(a, b entry) bool { return a.key < b.key })
}

// objectKey is where an object stands in the store: "namespace/name", and "/name" without a namespace.
func objectKey(namespace, name string) string { return namespace + "/" + name }

// indexKey is where an object stands in an index. No key of an object has a NUL.
func indexKey(value, key string) string { return value + "\x00" + key }

// view is a state of the store at a revision. It is immutable, and so are its trees.
type view struct {
	objects  *tree
	indexes  map[string]*tree
	revision uint64
	text     string // the revision as the server wrote it
}

// store is the untyped engine below Informer: one writer, any number of readers, which load the current view and
// take no lock.
type store struct {
	current atomic.Pointer[view]

	mu       sync.Mutex // of the writer, and of those who add an index
	objects  *tree
	indexes  map[string]*index
	revision uint64
	text     string
	changed  chan struct{} // closed and replaced when revision grows
}

type index struct {
	values func(Object) []string
	tree   *tree
}

func newStore() *store {
	s := &store{objects: newTree(), indexes: map[string]*index{}, changed: make(chan struct{})}
	s.publish()
	return s
}

// publish makes what was written visible. It requires mu, except in newStore.
func (s *store) publish() {
	v := &view{objects: s.objects.Clone(), revision: s.revision, text: s.text}
	if len(s.indexes) > 0 {
		v.indexes = make(map[string]*tree, len(s.indexes))
		for name, x := range s.indexes {
			v.indexes[name] = x.tree.Clone()
		}
	}
	s.current.Store(v)
}

// advance moves the revision forward; an older one is ignored. It requires mu, and publish to follow.
func (s *store) advance(text string) (wake chan struct{}) {
	rev := parseRevision(text)
	if rev == 0 && text != "" {
		s.text = text // no number: it can be resumed from, not waited for
	}
	if rev <= s.revision {
		return nil
	}
	s.revision, s.text = rev, text
	wake, s.changed = s.changed, make(chan struct{})
	return wake
}

// set stores an object and returns the one that it replaces, or nil. It requires mu.
func (s *store) set(key string, object Object) Object {
	e := entry{key: key, object: object, revision: parseRevision(object.GetResourceVersion())}
	old, had := s.objects.ReplaceOrInsert(e)
	for _, x := range s.indexes {
		if had {
			x.drop(old)
		}
		x.add(e)
	}
	return old.object
}

// remove takes an object out and returns it, or nil. It requires mu.
func (s *store) remove(key string) Object {
	old, had := s.objects.Delete(entry{key: key})
	if had {
		for _, x := range s.indexes {
			x.drop(old)
		}
	}
	return old.object
}

func (x *index) add(e entry) {
	for _, value := range x.values(e.object) {
		x.tree.ReplaceOrInsert(entry{key: indexKey(value, e.key), object: e.object, revision: e.revision})
	}
}

func (x *index) drop(e entry) {
	for _, value := range x.values(e.object) {
		x.tree.Delete(entry{key: indexKey(value, e.key)})
	}
}

// addIndex builds an index over what is there and keeps it from now on. It replaces one of the same name.
func (s *store) addIndex(name string, values func(Object) []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &index{values: values, tree: newTree()}
	s.objects.Ascend(func(e entry) bool { x.add(e); return true })
	s.indexes[name] = x
	s.publish()
}

// prefixed yields the objects whose keys in t begin with prefix, in order of keys.
func prefixed(t *tree, prefix string) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		t.AscendGreaterOrEqual(entry{key: prefix}, func(e entry) bool {
			if len(e.key) < len(prefix) || e.key[:len(prefix)] != prefix {
				return false
			}
			return yield(e.object)
		})
	}
}

// parseRevision reads a resourceVersion, which servers of v1.35 and later promise to be a comparable number
// (as all before them were); 0 where it is none.
func parseRevision(text string) uint64 {
	rev, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return rev
}
