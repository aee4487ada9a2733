package workqueue

import (
	"runtime"
	"sync/atomic"
)

// inboxSize is enough for the producers that can run while one operation holds the lock; a producer that finds
// the inbox full waits for the lock instead.
const inboxSize = 64

// inbox takes the adds of producers that find the queue's lock taken, so that they need not wait for it:
// whoever holds the lock adds them for all. It is a bounded ring with a turn in each cell (after D. Vyukov's
// bounded queue): put is safe for any number of producers, take for one goroutine at a time, which the lock
// makes sure of.
type inbox[K comparable] struct {
	tail  atomic.Uint64
	_     [56]byte      // producers write tail, the lock's holder head
	head  atomic.Uint64 // written under the queue's lock
	cells [inboxSize]cell[K]
}

// cell is free for the put number n when turn is n, and holds that put's key when turn is n+1.
type cell[K comparable] struct {
	turn atomic.Uint64
	key  K
	opts Options
}

func (b *inbox[K]) init() {
	for i := range b.cells {
		b.cells[i].turn.Store(uint64(i))
	}
}

// put appends key, unless the inbox is full.
func (b *inbox[K]) put(key K, opts *Options) bool {
	for {
		at := b.tail.Load()
		c := &b.cells[at%inboxSize]
		switch turn := c.turn.Load(); {
		case turn == at:
			if b.tail.CompareAndSwap(at, at+1) {
				c.key, c.opts = key, *opts
				c.turn.Store(at + 1)
				return true
			}
		case turn < at:
			return false
		}
	}
}

// empty reports whether no put has begun that take has not taken.
func (b *inbox[K]) empty() bool { return b.tail.Load() == b.head.Load() }

// ready reports whether take has something. A put that is half done makes it false: that producer looks after it.
func (b *inbox[K]) ready() bool {
	at := b.head.Load()
	return b.cells[at%inboxSize].turn.Load() == at+1
}

// first is the oldest key's cell, or nil. It requires the queue's lock, and drop after it.
func (b *inbox[K]) first() *cell[K] {
	at := b.head.Load()
	c := &b.cells[at%inboxSize]
	if c.turn.Load() != at+1 {
		return nil
	}
	return c
}

// drop frees the first cell.
func (b *inbox[K]) drop(c *cell[K]) {
	var zero K
	c.key = zero
	if c.opts.Note != nil {
		c.opts.Note = nil
	}
	at := b.head.Load()
	b.head.Store(at + 1)
	c.turn.Store(at + inboxSize)
}

// lock takes the queue's lock and adds what came in before, but for puts that are half done.
func (q *Queue[K]) lock() {
	q.mu.Lock()
	if !q.inbox.empty() {
		q.collect()
	}
}

// lockAll is lock, and adds all that came in before: what this goroutine has added, above all.
func (q *Queue[K]) lockAll() {
	q.mu.Lock()
	for end := q.inbox.tail.Load(); q.inbox.head.Load() < end; {
		q.collect()
		if !q.inbox.ready() {
			runtime.Gosched() // to the producer that is about to finish its put
		}
	}
}

// unlock gives the lock back. A producer whose put found the lock taken relies on this look at the inbox after it.
func (q *Queue[K]) unlock() {
	q.mu.Unlock()
	if !q.inbox.empty() {
		q.tend()
	}
}

// tend adds what came in, unless somebody else has the lock and does so.
func (q *Queue[K]) tend() {
	for q.inbox.ready() && q.mu.TryLock() {
		q.collect()
		q.mu.Unlock()
	}
}

// collect adds what is in the inbox. It requires mu.
func (q *Queue[K]) collect() {
	for range inboxSize {
		c := q.inbox.first()
		if c == nil {
			return
		}
		if !q.closed {
			q.add(c.key, &c.opts)
		}
		q.inbox.drop(c)
	}
}
