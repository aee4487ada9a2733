package informer

import (
	"k8s.io/apimachinery/pkg/watch"
)

// engine joins the store with the handlers: it is the sink of the reflector, untyped.
type engine struct {
	*store
	decodeFunc func(contentType string, data []byte) (Object, error)
	onError    func(error)
	synced     chan struct{} // closed when the store was complete for the first time

	// handlers is guarded by store.mu, which makes what a new one is told first exact.
	handlers map[*Registration]struct{}
}

func (e *engine) decode(contentType string, data []byte) (Object, error) {
	return e.decodeFunc(contentType, data)
}

func (e *engine) failed(err error) {
	if e.onError != nil {
		e.onError(err)
	}
}

func (e *engine) isSynced() bool {
	select {
	case <-e.synced:
		return true
	default:
		return false
	}
}

// replace makes objects the whole state, and tells handlers the difference. revision is "" where the server
// has no such collection: the store is emptied, and its revision stays.
func (e *engine) replace(objects []Object, revision string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := !e.isSynced()
	gone := e.objects.Clone()
	type changed struct {
		key      string
		old, new Object
	}
	changes := make([]changed, 0, len(objects))
	for _, o := range objects {
		key := objectKey(o.GetNamespace(), o.GetName())
		gone.Delete(entry{key: key})
		if old, ok := e.objects.Get(entry{key: key}); ok && o.GetResourceVersion() != "" &&
			old.object.GetResourceVersion() == o.GetResourceVersion() && old.object.GetUID() == o.GetUID() {
			continue // nothing happened to it; what readers hold stays shared
		}
		changes = append(changes, changed{key, e.set(key, o), o})
	}
	gone.Ascend(func(old entry) bool {
		changes = append(changes, changed{old.key, e.remove(old.key), nil})
		return true
	})
	var wake chan struct{}
	if revision != "" {
		e.revision = 0 // a list is the truth even where the server's history began anew
		wake = e.advance(revision)
	}
	e.publish()
	for r := range e.handlers {
		for _, c := range changes {
			r.note(c.key, change{old: c.old, new: c.new, initial: first, unknown: c.new == nil})
		}
	}
	if revision != "" && first {
		close(e.synced)
		for r := range e.handlers {
			r.initialEnds()
		}
	}
	wakeAll(wake)
}

// apply stores or removes one object. One that is older than what is stored under its uid is ignored.
func (e *engine) apply(deleted bool, o Object) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := objectKey(o.GetNamespace(), o.GetName())
	rev := parseRevision(o.GetResourceVersion())
	if rev != 0 && rev <= e.revision {
		return // a repeated event
	}
	c := change{old: nil, new: o}
	if deleted {
		c.new = nil
		if c.old = e.remove(key); c.old != nil {
			c.old = o // the last state, which the event carries
		}
	} else {
		c.old = e.set(key, o)
	}
	e.commit(key, c, o.GetResourceVersion())
}

// lost removes an object of which only the name is known.
func (e *engine) lost(namespace, name, revision string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := objectKey(namespace, name)
	e.commit(key, change{old: e.remove(key), unknown: true}, revision)
}

// commit publishes a change and tells handlers. It requires mu.
func (e *engine) commit(key string, c change, revision string) {
	wake := e.advance(revision)
	e.publish()
	if c.old != nil || c.new != nil {
		for r := range e.handlers {
			r.note(key, c)
		}
	}
	wakeAll(wake)
}

func (e *engine) bookmark(revision string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if wake := e.advance(revision); wake != nil {
		e.publish()
		wakeAll(wake)
	}
}

func wakeAll(c chan struct{}) {
	if c != nil {
		close(c)
	}
}

// change is what became of one object, as the store saw it or as a handler is to see it.
type change struct {
	old, new         Object
	initial, unknown bool
}

// kind of a change; "" where there is nothing to tell.
func (c change) kind() watch.EventType {
	switch {
	case c.old == nil && c.new == nil:
		return ""
	case c.old == nil:
		return watch.Added
	case c.new == nil:
		return watch.Deleted
	}
	return watch.Modified
}
