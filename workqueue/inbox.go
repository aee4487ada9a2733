package workqueue

import "sync/atomic"

// inboxSize is enough for the producers that can run while one operation holds the lock; a producer that finds
// the inbox full waits for the lock instead.
const inboxSize = 128

// inbox takes plain adds from producers that find the queue's lock taken, so that they need not wait for it:
// whoever holds the lock adds them for all. It is a bounded ring with a turn in each cell (after D. Vyukov's
// bounded queue): put is safe for any number of producers, take for one goroutine at a time, which the lock
// makes sure of.
type inbox[K comparable] struct {
	tail  atomic.Uint64
	head  atomic.Uint64 // written under the queue's lock
	cells [inboxSize]cell[K]
}

// cell is free for the put number n when turn is n, and holds that put's key when turn is n+1.
type cell[K comparable] struct {
	turn atomic.Uint64
	key  K
	note any
}

func (b *inbox[K]) init() {
	for i := range b.cells {
		b.cells[i].turn.Store(uint64(i))
	}
}

// put appends key, unless the inbox is full.
func (b *inbox[K]) put(key K, note any) bool {
	for {
		at := b.tail.Load()
		c := &b.cells[at%inboxSize]
		switch turn := c.turn.Load(); {
		case turn == at:
			if b.tail.CompareAndSwap(at, at+1) {
				c.key, c.note = key, note
				c.turn.Store(at + 1)
				return true
			}
		case turn < at:
			return false
		}
	}
}

// ready reports whether take has something. A put that is half done makes it false: that producer looks after it.
func (b *inbox[K]) ready() bool {
	at := b.head.Load()
	return b.cells[at%inboxSize].turn.Load() == at+1
}

// take removes the oldest key. It requires the queue's lock.
func (b *inbox[K]) take() (key K, note any, ok bool) {
	at := b.head.Load()
	c := &b.cells[at%inboxSize]
	if c.turn.Load() != at+1 {
		return key, nil, false
	}
	var zero K
	key, note = c.key, c.note
	c.key, c.note = zero, nil
	b.head.Store(at + 1)
	c.turn.Store(at + inboxSize)
	return key, note, true
}

// lock takes the queue's lock and adds what came in before.
func (q *Queue[K]) lock() {
	q.mu.Lock()
	q.collect()
}

// unlock gives the lock back. A producer whose put found the lock taken relies on this look at the inbox after it.
func (q *Queue[K]) unlock() {
	q.mu.Unlock()
	for q.inbox.ready() && q.mu.TryLock() {
		q.collect()
		q.mu.Unlock()
	}
}

// collect adds what is in the inbox. It requires mu.
func (q *Queue[K]) collect() {
	if !q.inbox.ready() {
		return
	}
	now, timed := q.clock.read(q.epoch, len(q.core.order) > 1)
	for range inboxSize {
		key, note, ok := q.inbox.take()
		if !ok {
			return
		}
		if !q.closed && q.core.add(key, Options{Note: note}, now, timed) {
			q.wakeOne()
		}
	}
}
