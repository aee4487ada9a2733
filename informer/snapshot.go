package informer

import "iter"

// Snapshot is the state of the store at one revision. It never changes, and reading it takes no lock.
type Snapshot[T Object] struct{ view *view }

// ResourceVersion is the revision of the collection: that of its last list, event or bookmark; "" before the first.
func (s Snapshot[T]) ResourceVersion() string { return s.view.text }

// Len is the number of objects.
func (s Snapshot[T]) Len() int { return s.view.objects.Len() }

// Get returns an object, and whether there is one. namespace is "" for kinds without.
func (s Snapshot[T]) Get(namespace, name string) (T, bool) {
	e, ok := s.view.objects.Get(entry{key: objectKey(namespace, name)})
	if !ok {
		var none T
		return none, false
	}
	return e.object.(T), true
}

// List yields the objects of a namespace, or all where it is "", ordered by namespace and name.
func (s Snapshot[T]) List(namespace string) iter.Seq[T] {
	prefix := ""
	if namespace != "" {
		prefix = namespace + "/"
	}
	return typed[T](prefixed(s.view.objects, prefix))
}

// ByIndex yields the objects that have a value in an index, ordered by namespace and name; nothing where there
// is no such index.
func (s Snapshot[T]) ByIndex(index, value string) iter.Seq[T] {
	t := s.view.indexes[index]
	if t == nil {
		return func(func(T) bool) {}
	}
	return typed[T](prefixed(t, indexKey(value, "")))
}

func typed[T Object](objects iter.Seq[Object]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for o := range objects {
			if !yield(o.(T)) {
				return
			}
		}
	}
}
