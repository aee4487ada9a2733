package informer

import (
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// engine joins the store with the handlers, untyped.
type engine struct {
	*store
	holdOf  func(contentType string, data []byte) (item, error)
	markOf  func(contentType string, data []byte) (metav1.Object, error)
	onError func(error)
	synced  chan struct{} // closed when the store was complete for the first time
	parts   []*part
	budget  *Budget
	counted atomic.Int64 // bytes that the budget knows of
	stats   stats

	// handlers is guarded by store.mu, which makes what a new one is told first exact.
	handlers map[*Registration]struct{}
	untold   []noted // guarded by store.mu: what commit tells handlers, once readers see it
}

func (e *engine) failed(err error) {
	e.stats.fail(err)
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

func (e *engine) hold(contentType string, data []byte) (item, error) {
	return e.holdOf(contentType, data)
}

func (e *engine) mark(contentType string, data []byte) (metav1.Object, error) {
	return e.markOf(contentType, data)
}

// partOf is the part that has a namespace; nil where none has.
func (e *engine) partOf(namespace string) *part {
	for _, p := range e.parts {
		if p.namespace == "" || p.namespace == namespace {
			return p
		}
	}
	return nil
}

func (e *engine) did(what counter) { e.stats.did(what) }

// state is that of the part which is furthest from watching.
func (e *engine) state() string {
	furthest := watching
	for _, p := range e.parts {
		if at := phase(p.phase.Load()); at != watching { //nolint:gosec // one was stored
			furthest = at
		}
	}
	return furthest.String()
}

// noted is a change of one object.
type noted struct {
	name
	change
}

// tell has commit tell handlers of a change. It requires mu.
func (e *engine) tell(n name, c change) {
	if len(e.handlers) > 0 && c.kind() != "" {
		e.untold = append(e.untold, noted{n, c})
	}
}

// commit publishes what was changed, and then tells handlers. It requires mu.
func (e *engine) commit() {
	complete := true
	e.revision = ""
	for _, p := range e.parts {
		complete = complete && p.complete
		if e.revision == "" || !newer(p.revision, e.revision) {
			e.revision = p.revision
		}
	}
	if !complete {
		e.revision = ""
	}
	e.publish()
	for _, p := range e.parts {
		if *p.shown.Load() != p.revision {
			shown := p.revision
			p.shown.Store(&shown)
		}
	}
	if len(e.untold) > 0 {
		now := time.Now()
		for r := range e.handlers {
			r.note(now, e.untold)
		}
		clear(e.untold)
		e.untold = e.untold[:0]
		if cap(e.untold) > 1024 {
			e.untold = nil
		}
	}
	if complete && !e.isSynced() {
		close(e.synced)
		for r := range e.handlers {
			r.initialEnds()
		}
	}
	e.wake()
}

// account tells the budget what changed.
func (e *engine) account() {
	if e.budget != nil {
		now := e.bytes.Load()
		e.budget.add(now - e.counted.Swap(now))
	}
}

// change is what became of one object, as the store saw it or as a handler is to see it.
type change struct {
	old, new         item
	last             item // of a deletion: the object's last state, which is newer than old
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
