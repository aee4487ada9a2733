package watchcache

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Watcher is a position in the history of a resource, at which Next goes on reading. It has no goroutine and no
// buffer. Next is called by one goroutine at a time; Stop by anyone.
type Watcher struct {
	table    *table
	ring     *ring
	interest string // as in history.topics
	match    func(*Entry) bool

	// replay is what happened before the ring: changes up to replayTo, read from the store.
	replay   []*change
	replayTo storage.Revision

	position atomic.Uint64    // in the ring; stored by Next only
	upTo     storage.Revision // everything up to it has been delivered
	stop     chan struct{}    // closed by Stop
	stopped  bool             // guarded by table.mu
}

// batchSize is how many changes Next takes from the ring at a time.
const batchSize = 64

// Watch implements Reader.
func (r *Resource) Watch(ctx context.Context, o WatchOptions) (*Watcher, error) {
	interest, err := r.interest(&o)
	if err != nil {
		return nil, err
	}
	for {
		t, _, err := r.acquire(ctx, Freshness{AtLeast: o.From}, true)
		if err != nil {
			return nil, err
		}
		t.mu.RUnlock()
		w := t.subscribe(interest, &o)
		if w == nil { // it changed in that moment
			continue
		}
		if w.replayTo > o.From {
			if w.replay, err = t.readHistory(ctx, &o, w.replayTo); err != nil {
				w.Stop()
				return nil, err
			}
		}
		return w, nil
	}
}

// interest is what the history calls what the watch is about.
func (r *Resource) interest(o *WatchOptions) (string, error) {
	prefix := r.cfg.Prefix
	if o.Prefix == "" {
		o.Prefix = prefix
	}
	if !strings.HasPrefix(o.Prefix, prefix) || !strings.HasPrefix(o.Key, o.Prefix) && o.Key != "" {
		return "", fmt.Errorf("a watch of %s cannot be about prefix %q and key %q", prefix, o.Prefix, o.Key)
	}
	if o.Key != "" {
		return o.Key, nil
	}
	if o.Prefix == prefix {
		return "", nil
	}
	if strings.IndexByte(o.Prefix[len(prefix):], '/') != len(o.Prefix)-len(prefix)-1 {
		return "", fmt.Errorf("a watch of %s cannot be about prefix %q: that is no namespace", prefix, o.Prefix)
	}
	return o.Prefix, nil
}

// subscribe returns a watcher of the ring, and where that does not reach back to o.From, up to where the store
// must be read first (replayTo). It returns nil where the table is not live.
func (t *table) subscribe(interest string, o *WatchOptions) *Watcher {
	w := &Watcher{table: t, interest: interest, match: o.Match, upTo: o.From, stop: make(chan struct{})}
	p := t.cache.progress.at()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != live {
		return nil
	}
	w.ring = t.history.subscribe(interest, o.From)
	if o.From >= w.ring.floor {
		w.position.Store(w.ring.after(o.From))
	} else {
		w.position.Store(w.ring.end())
		w.replayTo = t.completeTo(p)
	}
	if t.watchers == nil {
		t.watchers = map[*Watcher]struct{}{}
	}
	t.watchers[w] = struct{}{}
	return w
}

// Stop releases the watcher. Next fails afterwards with ErrClosed. Stopping twice is harmless.
func (w *Watcher) Stop() {
	t := w.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.stopped {
		return
	}
	w.stopped = true
	close(w.stop)
	delete(t.watchers, w)
	t.history.unsubscribe(w.interest)
	t.used.Store(true) // idle from now on, not since the last read
}

// Next blocks until there is something to deliver, and returns it in order, together with the revision up to
// which the watch is now complete (for bookmarks). buf is reused for the events where its capacity allows.
// When ctx ends, there are no events, but upTo is valid still: a caller that wants to send bookmarks in a quiet
// watch calls Next with a deadline, and goes on after it. Next never makes the writer wait: a watcher that does
// not call it falls behind, and when history has passed it by, Next returns ErrExpired.
// Errors: ctx.Err(), ErrExpired, ErrReplaced, ErrClosed.
func (w *Watcher) Next(ctx context.Context, buf []Event) (events []Event, upTo storage.Revision, err error) {
	events = buf[:0]
	if err := ctx.Err(); err != nil {
		return events, w.upTo, err
	}
	var over error // set when ctx has ended: look once more, for what to report as upTo
	for {
		var few [batchSize]*change
		changes, wake, err := w.read(few[:0])
		if err != nil {
			return events, w.upTo, err
		}
		for _, c := range changes {
			if e, seen := c.seenThrough(w.match); seen {
				events = append(events, e)
			}
		}
		switch {
		case len(events) > 0:
			return events, w.upTo, nil
		case over != nil:
			return events, w.upTo, over
		case len(changes) > 0 || wake == nil: // there may be more
			continue
		}
		select {
		case <-wake:
		case <-w.stop:
		case <-ctx.Done():
			over = ctx.Err()
		}
	}
}

// read moves on over the next changes and returns them: whole revisions, about as many as there is room for.
// Where there are none, it returns the channel that is closed when there are; nil where it is to be asked again at once.
func (w *Watcher) read(into []*change) (changes []*change, wake <-chan struct{}, err error) {
	t := w.table
	p := t.cache.progress.at() // before the lock: see completeTo
	t.mu.RLock()
	if err := w.failure(); err != nil {
		t.mu.RUnlock()
		return nil, nil, err
	}
	if len(w.replay) > 0 || w.replayTo > w.upTo {
		t.mu.RUnlock()
		return w.readReplay(into), nil, nil
	}
	position, end := w.position.Load(), w.ring.end()
	for ; position < end; position++ {
		c := w.ring.at(position)
		if len(into) >= batchSize && c.rev != into[len(into)-1].rev {
			break
		}
		into = append(into, c)
	}
	w.position.Store(position)
	if position == end {
		w.upTo = max(w.upTo, t.completeTo(p))
	} else {
		w.upTo = into[len(into)-1].rev
	}
	wake = w.ring.wake
	t.mu.RUnlock()
	if len(into) == 0 && wake == nil {
		wake = w.waitForPush()
	}
	return into, wake, nil
}

// failure says why the watcher cannot go on, if so. It requires table.mu for reading.
func (w *Watcher) failure() error {
	switch {
	case w.stopped:
		return ErrClosed
	case w.table.phase == ended:
		return w.table.err
	case w.position.Load() < w.ring.first:
		return fmt.Errorf("%w: history was passed by after %d", ErrExpired, w.upTo)
	}
	return nil
}

// waitForPush returns a channel that is closed when there is more to read or to fail with.
func (w *Watcher) waitForPush() <-chan struct{} {
	t := w.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.failure() != nil || w.position.Load() < w.ring.end() {
		already := make(chan struct{})
		close(already)
		return already
	}
	if w.ring.wake == nil {
		w.ring.wake = make(chan struct{})
	}
	return w.ring.wake
}

// readReplay is read for the part that came from the store.
func (w *Watcher) readReplay(into []*change) []*change {
	n := 0
	for n < len(w.replay) && (n < batchSize || w.replay[n].rev == w.replay[n-1].rev) {
		n++
	}
	into = append(into, w.replay[:n]...)
	if w.replay = w.replay[n:]; len(w.replay) == 0 {
		w.replay, w.upTo = nil, w.replayTo
	} else {
		w.upTo = into[len(into)-1].rev
	}
	return into
}
