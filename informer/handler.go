package informer

import (
	"context"
	"sync"
	"time"
)

// Registration is a handler of an Informer.
type Registration struct {
	call   func(change)
	remove func()
	synced chan struct{} // closed when the initial objects were handled
	wake   chan struct{} // holds one token while there is something pending

	mu      sync.Mutex
	pending map[name]*pendingChange
	queue   []*pendingChange // in the order in which the objects first changed
	noted   uint64           // how many were ever queued
	handled uint64           // how many of those were handled: the queue is first in, first out
	barrier uint64           // synced when handled reaches it; 0: not known yet
	removed bool
}

// pendingChange is what a handler has not been told about one object: from the state that it knows to the
// newest.
type pendingChange struct {
	name
	change
	since time.Time // when it first changed
}

func newRegistration(call func(change)) *Registration {
	return &Registration{
		call: call, synced: make(chan struct{}), wake: make(chan struct{}, 1),
		pending: map[name]*pendingChange{},
	}
}

// HasSynced reports whether the handler has handled all objects that there were when its view began.
func (r *Registration) HasSynced() bool {
	select {
	case <-r.synced:
		return true
	default:
		return false
	}
}

// WaitSynced waits for that. It returns the cause of ctx's end where that comes first.
func (r *Registration) WaitSynced(ctx context.Context) error { return waitClosed(ctx, r.synced) }

// Remove ends the handler: it is not called again, though one call may be under way. Removing twice is harmless.
func (r *Registration) Remove() {
	r.mu.Lock()
	r.removed = true
	r.pending, r.queue = nil, nil
	r.mu.Unlock()
	r.poke()
	r.remove()
}

// note merges changes into what is pending.
func (r *Registration) note(now time.Time, changes []noted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.removed {
		return
	}
	for _, c := range changes {
		r.merge(now, c)
	}
	r.poke()
}

// merge requires mu.
func (r *Registration) merge(now time.Time, c noted) {
	if p := r.pending[c.name]; p != nil {
		p.new, p.last, p.unknown = c.new, c.last, c.unknown // old is what the handler knows
		return
	}
	p := &pendingChange{c.name, c.change, now}
	r.pending[c.name] = p
	r.queue = append(r.queue, p)
	r.noted++
}

// backlog is how many changes are pending, and since when the oldest of them is.
func (r *Registration) backlog() (n int, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) > 0 {
		since = r.queue[0].since
	}
	return len(r.queue), since
}

// initialEnds says that what was noted so far is the initial state.
func (r *Registration) initialEnds() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.barrier = r.noted + 1
	r.checkSynced()
}

// checkSynced requires mu.
func (r *Registration) checkSynced() {
	if r.barrier != 0 && r.handled+1 >= r.barrier && !r.HasSynced() {
		close(r.synced)
	}
}

func (r *Registration) poke() {
	select {
	case r.wake <- struct{}{}:
	default: // there is a token: whoever takes it sees this change, too
	}
}

// next takes the change that has been pending longest.
func (r *Registration) next() (c change, ok, removed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.removed || len(r.queue) == 0 {
		return change{}, false, r.removed
	}
	p := r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	delete(r.pending, p.name)
	return p.change, true, false
}

func (r *Registration) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handled++
	r.checkSynced()
}

// run calls the handler until ctx ends or it is removed.
func (r *Registration) run(ctx context.Context) {
	for ctx.Err() == nil {
		c, ok, removed := r.next()
		if removed {
			return
		}
		if ok {
			r.deliver(c)
			r.done()
			continue
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
		}
	}
}

// deliver tells the handler. Another object of the same name is a deletion and an addition.
func (r *Registration) deliver(c change) {
	if c.old != nil && c.new != nil && c.old.GetUID() != c.new.GetUID() {
		r.call(change{old: c.old, unknown: true})
		c = change{new: c.new}
	}
	if c.last != nil && c.old != nil && c.last.GetUID() == c.old.GetUID() {
		c.old = c.last
	}
	if c.kind() != "" {
		r.call(c)
	}
}

func waitClosed(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
