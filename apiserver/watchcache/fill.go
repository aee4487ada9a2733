package watchcache

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/btree"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// maxFills bounds how many resources are listed at once; the others wait for their turn.
const maxFills = 8

// fillRequested lists the tables that ask for it, until ctx ends.
func (c *Cache) fillRequested(ctx context.Context, wg *sync.WaitGroup) {
	select {
	case <-c.begun: // a listing from before the watch begins could not be joined to it
	case <-ctx.Done():
		return
	}
	turns := make(chan struct{}, maxFills)
	for {
		select {
		case <-c.fillWake:
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		tables := c.fills
		c.fills = nil
		c.mu.Unlock()
		for _, t := range tables {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
			wg.Go(func() {
				defer func() { <-turns }()
				c.fill(ctx, t)
			})
		}
	}
}

// fill lists a table and brings it to life. A first list that fails ends the table, for its readers to know;
// a later one is tried until it succeeds.
func (c *Cache) fill(ctx context.Context, t *table) {
	delay := firstBackoff
	for ctx.Err() == nil && !t.is(ended) {
		l, err := t.list(ctx)
		if err == nil {
			t.install(l)
			if t.goLive(l.rev) {
				return
			}
			continue // the watch has lost something meanwhile
		}
		if t.is(filling) && !errors.Is(err, storage.ErrCompacted) {
			c.drop(t, fmt.Errorf("listing %s: %w", t.prefix, err))
			return
		}
		c.opts.Logger.Info("A resource is listed again", "prefix", t.prefix, "reason", err)
		if !sleep(ctx, delay) {
			return
		}
		delay = min(2*delay, lastBackoff)
	}
}

// failFills ends the tables that wait for their first list, for the store does not answer.
func (c *Cache) failFills(err error) {
	c.mu.Lock()
	tables := c.fills
	c.fills = nil
	c.mu.Unlock()
	for _, t := range tables {
		c.drop(t, err)
	}
}

func (t *table) is(p phase) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.phase == p
}

// listing is the state of a resource in the store at one revision, decoded.
type listing struct {
	rev         storage.Revision
	entries     *btree.BTreeG[*Entry]
	bytes       int64
	undecodable map[string]error
}

// list reads the resource from the store, page by page at one revision. What the table has already is not
// decoded again.
func (t *table) list(ctx context.Context) (*listing, error) {
	t.mu.RLock()
	known := t.snapshot(0)
	t.mu.RUnlock()
	l := &listing{entries: newTree()}
	opts := storage.ListOptions{Limit: t.cache.opts.PageSize}
	for {
		page, err := t.cache.store.List(ctx, t.prefix, opts)
		if err != nil {
			return nil, err
		}
		l.rev = page.Revision
		for i := range page.KVs {
			t.take(l, &page.KVs[i], known)
		}
		if page.Remaining == 0 || len(page.KVs) == 0 {
			return l, nil
		}
		opts.Revision = page.Revision
		opts.Start = page.KVs[len(page.KVs)-1].Key + "\x00"
	}
}

func (t *table) take(l *listing, kv *storage.KeyValue, known *Snapshot) {
	e := known.Get(kv.Key)
	if e == nil || e.Revision != kv.ModRevision {
		var err error
		if e, err = t.decodeKV(*kv); err != nil {
			if l.undecodable == nil {
				l.undecodable = map[string]error{}
			}
			l.undecodable[kv.Key] = err
			return
		}
	}
	l.entries.ReplaceOrInsert(e)
	l.bytes += e.size()
}

// install makes a listing the table's state, which history then begins with. Watchers of one object that
// certainly did not change meanwhile go on; the others may have missed something and get ErrExpired.
func (t *table) install(l *listing) {
	t.mu.Lock()
	if t.phase == ended {
		t.mu.Unlock()
		return
	}
	old := t.entries
	t.entries, t.snap, t.bytes, t.undecodable, t.rev = l.entries, nil, l.bytes, l.undecodable, l.rev
	wakes := t.history.breakOff(l.rev, func(interest string) bool {
		before, existed := old.Get(&Entry{Key: interest})
		after, exists := l.entries.Get(&Entry{Key: interest})
		return existed && exists && before.Revision == after.Revision
	})
	t.mu.Unlock()
	closeAll(wakes)
}

// goLive applies what happened since the listing at rev, and then lets the table follow the watch. It returns
// false if the watch itself has lost something after rev, so that another listing is needed.
func (t *table) goLive(rev storage.Revision) bool {
	for {
		t.mu.Lock()
		if t.phase == ended {
			t.mu.Unlock()
			return true
		}
		batch := t.pending.take()
		if len(batch.events) == 0 {
			// A gap sets contiguousFrom before it suspends the tables. So either it is seen here, or the
			// table will be live when the gap gets to it.
			contiguous := int64(rev)+1 >= t.cache.contiguousFrom.Load()
			if contiguous {
				t.enter(live)
			}
			t.mu.Unlock()
			return contiguous
		}
		t.mu.Unlock()
		steps := make([]step, len(batch.events))
		for i := range batch.events {
			steps[i] = t.decode(&batch.events[i])
		}
		t.catchUp(steps, batch.reduced > 0)
	}
}

// catchUp applies steps that were held back. Where only the last change of each key is there (reduced), they
// are one step into a state that history begins with.
func (t *table) catchUp(steps []step, reduced bool) {
	t.mu.Lock()
	if t.phase == ended {
		t.mu.Unlock()
		return
	}
	var wakes []chan struct{}
	if !reduced {
		wakes = t.apply(steps)
	} else {
		known := t.rev
		for i := range steps {
			if steps[i].rev > known {
				t.replace(&steps[i])
				t.rev = steps[i].rev
			}
		}
		wakes = t.history.breakOff(t.rev, func(string) bool { return false })
	}
	t.mu.Unlock()
	closeAll(wakes)
}

// suspend makes a live table stale: changes after last are missing. It says whether it was live.
func (t *table) suspend(last storage.Revision) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != live {
		return false
	}
	t.rev = max(t.rev, last)
	t.enter(stale)
	return true
}
