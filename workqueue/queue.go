package workqueue

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"
)

// ErrShutDown is what Get returns when the queue is shut down and empty.
var ErrShutDown = errors.New("workqueue: shut down")

// Config of a Queue. The zero value is useful.
type Config[K comparable] struct {
	// Aging is the head start that one unit of priority is worth: a key of priority 0 that waits for 10 s with
	// an Aging of 100 ms goes before a key of priority 100 that was added after it. Default: 100 ms.
	Aging time.Duration
	// RateLimit of keys that are added with Options.RateLimited.
	RateLimit RateLimit
	// Group names the group of a key, say its namespace. Groups that have ready keys of one priority take turns, so
	// that one which adds very many keys holds up no other. It runs inside the queue, once or twice for each time
	// that a key becomes ready: it must be quick, must not use the queue, and must always name the same group for a
	// key. Default: no groups.
	Group func(K) string
	// Merge makes one note of two, where a key that waits with a note is added with another: waiting is what the
	// key has, added is Options.Note of this Add; neither is nil. Calls for one key come in the order of its Adds.
	// It runs inside the queue: it must be quick, and must not use the queue. Default: the latest note stays.
	Merge func(waiting, added any) any
}

// RateLimit says how long a rate limited key waits: the longer of its own backoff and of its turn at the bucket
// that all keys share.
type RateLimit struct {
	// Base is the delay after the first failure; it doubles with each further one, up to Max.
	// Defaults: 5 ms and 1000 s.
	Base, Max time.Duration
	// PerSecond and Burst are the token bucket. A PerSecond of zero means no bucket; Burst is at least 1.
	PerSecond float64
	Burst     int
}

// Options say how a key is added.
type Options struct {
	// Priority orders keys that are ready: higher goes first. Any int; 0 is the usual one.
	Priority int
	// After is how long the key is to wait before it is ready; zero or less: not at all.
	After time.Duration
	// RateLimited counts a failure of the key (see Forget) and has it wait as the RateLimit says, or for
	// After, whichever is longer.
	RateLimited bool
	// Note is what the producer has to say to the worker, nil if nothing: Item.Note, merged as Config.Merge says.
	// A pointer costs no allocation.
	Note any
}

// Item is a key in the hands of a worker, which owes the queue a Done for it.
type Item[K comparable] struct {
	Key K
	// Priority is the highest of the Adds that this Item answers.
	Priority int
	// Adds is how many calls of Add this Item answers: those since the key was given the last time.
	Adds int
	// Failures of the key so far: rate limited adds since the last Forget.
	Failures int
	// Queued is how long ago the first of the Adds was; delays count. Waited is how long the key was ready before
	// it was given.
	Queued, Waited time.Duration
	// Note is what the Adds had to say, merged; nil if nothing.
	Note any

	slot, turn int32
}

// Queue of keys; see the package comment. All methods are safe for concurrent use.
type Queue[K comparable] struct {
	epoch time.Time
	timer *time.Timer // fires at or before core's next due time while one is armed

	inbox inbox[K] // adds that found mu taken

	mu      sync.Mutex // taken by lock, lockAll or TryLock, given back by unlock
	core    core[K]
	clock   sampler
	armed   int64     // when timer fires; never: not armed
	asleep  []*waiter // workers that found nothing; the last one is woken first
	spare   []*waiter // for the next ones
	closed  bool
	drained chan struct{} // closed when closed, with nothing ready and nothing in work
}

// waiter is a worker that sleeps. A woken waiter looks again: there may be nothing left for it.
type waiter struct{ wake chan struct{} }

// New makes a Queue. It starts nothing.
func New[K comparable](cfg Config[K]) *Queue[K] {
	q := &Queue[K]{epoch: time.Now(), armed: never, drained: make(chan struct{})}
	q.core.init(cfg)
	q.inbox.init()
	q.timer = stopped(q.tick)
	q.clock.cool = stopped(func() { q.clock.cold.Store(true) })
	return q
}

func stopped(do func()) *time.Timer {
	t := time.AfterFunc(time.Hour, do)
	t.Stop()
	return t
}

// Add asks that key be given to a worker. After ShutDown it does nothing.
func (q *Queue[K]) Add(key K, opts Options) {
	if q.mu.TryLock() {
		if !q.inbox.empty() {
			q.collect()
		}
	} else if q.inbox.put(key, &opts) {
		q.tend()
		return
	} else {
		q.lock()
	}
	if !q.closed {
		q.add(key, &opts)
	}
	q.unlock()
}

// add requires mu.
func (q *Queue[K]) add(key K, opts *Options) {
	now := q.clock.read(q.epoch, opts.After > 0 || opts.RateLimited)
	if q.core.add(key, opts, now) {
		q.wakeOne()
	}
	if next := q.core.nextDue(); next < q.armed {
		q.arm(next, now)
	}
}

// Get waits for a key that is ready and gives it to the caller, who must call Done with the Item.
// Errors: ErrShutDown, or the cause of ctx's end. A ready key is given even where ctx has ended.
func (q *Queue[K]) Get(ctx context.Context) (item Item[K], err error) {
	q.lock()
	if !q.take(&item) {
		err = q.wait(ctx, &item)
	}
	q.unlock()
	return item, err
}

// wait is Get where nothing is ready. It requires mu, and gives it back meanwhile.
func (q *Queue[K]) wait(ctx context.Context, item *Item[K]) error {
	var w *waiter
	if n := len(q.spare); n > 0 {
		w, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		w = &waiter{wake: make(chan struct{}, 1)}
	}
	defer func() { q.spare = append(q.spare, w) }()
	for !q.closed {
		q.asleep = append(q.asleep, w)
		q.unlock()
		select {
		case <-w.wake:
			q.lock()
		case <-ctx.Done():
			q.lock()
			q.leave(w)
			if q.take(item) {
				return nil
			}
			return context.Cause(ctx)
		}
		if q.take(item) {
			return nil
		}
	}
	return ErrShutDown
}

// take requires mu.
func (q *Queue[K]) take(item *Item[K]) bool {
	if q.core.depth == 0 {
		return false
	}
	q.takeAt(item, q.clock.read(q.epoch, false))
	return true
}

// takeAt requires mu, and that a key is ready.
func (q *Queue[K]) takeAt(item *Item[K], now int64) {
	q.core.take(now, item)
	if q.core.depth > 0 && len(q.asleep) > 0 {
		q.wakeOne() // a wake-up may have been spent on a worker that left
	}
}

// Done says that the worker is through with item. A second Done of the same Item does nothing.
func (q *Queue[K]) Done(item Item[K]) {
	q.lock()
	q.done(&item)
	q.unlock()
}

// done requires mu.
func (q *Queue[K]) done(item *Item[K]) { q.doneAt(item, q.clock.read(q.epoch, false)) }

// doneAt requires mu.
func (q *Queue[K]) doneAt(item *Item[K], now int64) {
	if q.core.done(item.slot, item.turn, now) {
		q.wakeOne()
	}
	if q.closed {
		q.checkDrained()
	}
}

// Items is Get and Done as the loop of a worker, and quicker than the two: the item that the body is given is done when
// the body is through with it, in whatever way. It ends when ctx does, and when the queue is shut down and empty.
func (q *Queue[K]) Items(ctx context.Context) iter.Seq[Item[K]] {
	return func(yield func(Item[K]) bool) {
		var held Item[K]
		defer func() { q.Done(held) }()
		for {
			q.lock()
			now, over := q.clock.read(q.epoch, false), false // one reading is enough for both
			q.doneAt(&held, now)
			held = Item[K]{}
			switch {
			case ctx.Err() != nil:
				over = true
			case q.core.depth > 0:
				q.takeAt(&held, now)
			default:
				over = q.wait(ctx, &held) != nil
			}
			q.unlock()
			if over || !yield(held) {
				return
			}
		}
	}
}

// Forget ends the count of key's failures.
func (q *Queue[K]) Forget(key K) {
	q.lockAll()
	defer q.unlock()
	q.core.forget(key, q.clock.read(q.epoch, false))
}

// NumRequeues is the count of key's failures: rate limited adds since the last Forget.
func (q *Queue[K]) NumRequeues(key K) int {
	q.lockAll()
	defer q.unlock()
	return q.core.failures(key)
}

// Len is how many keys are ready.
func (q *Queue[K]) Len() int {
	q.lockAll()
	defer q.unlock()
	return q.core.depth
}

// ShutDown refuses further keys and drops those whose delay has not passed. Workers still get what is ready,
// then ErrShutDown. Calling it twice is harmless.
func (q *Queue[K]) ShutDown() {
	q.lockAll()
	defer q.unlock()
	if q.closed {
		return
	}
	q.closed = true
	q.core.dropDelayed(q.clock.read(q.epoch, false))
	q.timer.Stop()
	q.clock.cool.Stop()
	for len(q.asleep) > 0 {
		q.wakeOne()
	}
	q.checkDrained()
}

// Drain shuts down and waits until every key that was ready has been worked on, or until ctx ends, whose cause
// it then returns.
func (q *Queue[K]) Drain(ctx context.Context) error {
	q.ShutDown()
	select {
	case <-q.drained:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// checkDrained requires mu.
func (q *Queue[K]) checkDrained() {
	if !q.closed || q.core.depth > 0 || q.core.working > 0 {
		return
	}
	select {
	case <-q.drained:
	default:
		close(q.drained)
	}
}

// wakeOne wakes the worker that began to wait last: its caches are warm. It requires mu.
func (q *Queue[K]) wakeOne() {
	if n := len(q.asleep); n > 0 {
		w := q.asleep[n-1]
		q.asleep[n-1] = nil
		q.asleep = q.asleep[:n-1]
		w.wake <- struct{}{}
	}
}

// leave takes w off the list of sleepers. It requires mu.
func (q *Queue[K]) leave(w *waiter) {
	if i := slices.Index(q.asleep, w); i >= 0 {
		q.asleep = slices.Delete(q.asleep, i, i+1)
	} else {
		<-w.wake // it was woken at the same time
	}
}

// arm sets the timer to fire at due. It requires mu.
func (q *Queue[K]) arm(due, now int64) {
	q.armed = due
	q.timer.Reset(time.Duration(max(due-now, 0)))
}

// tick is what the timer runs: it makes due keys ready and wakes a worker for each.
func (q *Queue[K]) tick() {
	q.lock()
	defer q.unlock()
	if q.closed {
		return
	}
	now := q.clock.read(q.epoch, true)
	for range q.core.promote(now) {
		q.wakeOne()
	}
	q.armed = never
	if next := q.core.nextDue(); next != never {
		q.arm(next, now)
	}
}
