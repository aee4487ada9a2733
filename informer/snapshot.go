package informer

import "iter"

// Snapshot is the state of the store at one revision. It never changes, and reading it takes no lock.
type Snapshot[T Object] struct {
	view *view
	copy bool
}

// ResourceVersion is the revision of the collection: that of its last list, event or bookmark; "" before it is
// complete. Of several namespaces it is the oldest.
func (s Snapshot[T]) ResourceVersion() string { return s.view.revision }

// Len is the number of objects.
func (s Snapshot[T]) Len() int { return s.view.objects.Len() }

// Copies is the same state, whose reads return objects that the reader may change: deep copies of those that are
// shared, and in compact mode what reads return anyway.
func (s Snapshot[T]) Copies() Snapshot[T] { return Snapshot[T]{s.view, true} }

// object of an item; false where it cannot be decoded any more.
func (s Snapshot[T]) object(it item) (T, bool) {
	o := it.object()
	if l, shared := it.(*liveItem); shared && s.copy {
		o, _ = l.DeepCopyObject().(Object)
	}
	t, ok := o.(T)
	return t, ok
}

// Get returns an object, and whether there is one. namespace is "" for kinds without.
func (s Snapshot[T]) Get(namespace, name string) (T, bool) {
	it, ok := s.view.get(namespace, name)
	if !ok {
		var none T
		return none, false
	}
	return s.object(it)
}

// Meta returns what is known of an object without decoding it, nil where there is none.
func (s Snapshot[T]) Meta(namespace, name string) Meta {
	it, ok := s.view.get(namespace, name)
	if !ok {
		return nil
	}
	return it
}

// List yields the objects of a namespace, or all where it is "", ordered by namespace and name.
func (s Snapshot[T]) List(namespace string) iter.Seq[T] {
	return s.objects(s.view.list(namespace), nil)
}

// Query says which objects Select yields.
type Query struct {
	Namespace string // "": all
	// Index and Value choose the objects that have the value in the index; nothing where there is no such index. Index "":
	// all. It takes time for what it finds, not for what there is.
	Index, Value string
	// Match is asked before anything is decoded. nil: all.
	Match func(Meta) bool
}

// Select yields the objects of a query, ordered by namespace and name.
func (s Snapshot[T]) Select(q Query) iter.Seq[T] {
	if q.Index != "" {
		return s.objects(s.view.byIndex(q.Namespace, q.Index, q.Value), q.Match)
	}
	return s.objects(s.view.list(q.Namespace), q.Match)
}

// Metas is List without decoding.
func (s Snapshot[T]) Metas(namespace string) iter.Seq[Meta] { return metas(s.view.list(namespace)) }

// ByIndex yields the objects that have a value in an index, ordered by namespace and name; nothing where there
// is no such index.
func (s Snapshot[T]) ByIndex(index, value string) iter.Seq[T] {
	return s.objects(s.view.byIndex("", index, value), nil)
}

// MetasByIndex is ByIndex without decoding.
func (s Snapshot[T]) MetasByIndex(index, value string) iter.Seq[Meta] {
	return metas(s.view.byIndex("", index, value))
}

func (s Snapshot[T]) objects(items iter.Seq[item], match func(Meta) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for it := range items {
			if match != nil && !match(it) {
				continue
			}
			if o, ok := s.object(it); ok && !yield(o) {
				return
			}
		}
	}
}

func metas(items iter.Seq[item]) iter.Seq[Meta] {
	return func(yield func(Meta) bool) {
		for it := range items {
			if !yield(it) {
				return
			}
		}
	}
}
