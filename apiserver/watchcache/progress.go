package watchcache

import (
	"container/heap"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// progress is the revision up to which the one watch has been applied to every resource, and those who wait
// for it to reach theirs. Only those whose revision is reached are woken.
type progress struct {
	rev    atomic.Int64
	wanted chan struct{} // told (capacity 1: a reminder) when someone begins to wait

	mu      sync.Mutex
	waiters waiterHeap // lowest revision first; each waits for more than rev
}

type progressWaiter struct {
	rev     storage.Revision
	reached chan struct{}
	index   int // in the heap, -1 when taken out
}

func newProgress() *progress { return &progress{wanted: make(chan struct{}, 1)} }

func (p *progress) at() storage.Revision { return storage.Revision(p.rev.Load()) }

// set moves to rev, and wakes those who waited for it.
func (p *progress) set(rev storage.Revision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rev.Store(int64(rev))
	for len(p.waiters) > 0 && p.waiters[0].rev <= rev {
		close(heap.Pop(&p.waiters).(*progressWaiter).reached)
	}
}

// lowest is the lowest revision that someone waits for.
func (p *progress) lowest() (rev storage.Revision, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiters) == 0 {
		return 0, false
	}
	return p.waiters[0].rev, true
}

// wait returns when rev has been reached. Errors: the context's, ErrTimeout when the timer is faster, ErrClosed
// when done is closed.
func (p *progress) wait(ctx context.Context, rev storage.Revision, timer *time.Timer, done <-chan struct{}) error {
	w := p.enqueue(rev)
	if w == nil {
		return nil
	}
	defer p.forget(w)
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ErrTimeout
	case <-done:
		return ErrClosed
	}
}

func (p *progress) enqueue(rev storage.Revision) *progressWaiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at() >= rev {
		return nil
	}
	w := &progressWaiter{rev: rev, reached: make(chan struct{})}
	heap.Push(&p.waiters, w)
	select {
	case p.wanted <- struct{}{}:
	default:
	}
	return w
}

func (p *progress) forget(w *progressWaiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.index >= 0 {
		heap.Remove(&p.waiters, w.index)
	}
}

// waiterHeap implements heap.Interface.
type waiterHeap []*progressWaiter

func (h waiterHeap) Len() int           { return len(h) }
func (h waiterHeap) Less(i, j int) bool { return h[i].rev < h[j].rev }
func (h waiterHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *waiterHeap) Push(x any) {
	w := x.(*progressWaiter)
	w.index = len(*h)
	*h = append(*h, w)
}

func (h *waiterHeap) Pop() any {
	last := len(*h) - 1
	w := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	w.index = -1
	return w
}
