package watchcache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Resource is the objects under one key prefix. It implements Reader.
type Resource struct {
	cache *Cache
	cfg   *Config
	// table is nil while nobody uses the resource. It is set under cache.mu.
	table atomic.Pointer[table]
	err   error // why the resource has ended; guarded by cache.mu
}

// Get implements Reader.
func (r *Resource) Get(ctx context.Context, key string, f Freshness) (*Entry, storage.Revision, error) {
	t, upTo, err := r.acquire(ctx, f, false)
	if err != nil {
		return nil, 0, err
	}
	defer t.mu.RUnlock()
	e, err := t.lookup(key)
	return e, upTo, err
}

// Snapshot implements Reader.
func (r *Resource) Snapshot(ctx context.Context, f Freshness) (*Snapshot, error) {
	t, upTo, err := r.acquire(ctx, f, false)
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	return t.snapshot(upTo), nil
}

// SnapshotAt implements Reader.
func (r *Resource) SnapshotAt(rev storage.Revision) (*Snapshot, bool) {
	t := r.table.Load()
	if t == nil {
		return nil, false
	}
	p := r.cache.progress.at()
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.phase != live && t.phase != stale {
		return nil, false
	}
	t.used.Store(true)
	if t.rev <= rev && rev <= t.completeTo(p) {
		return t.snapshot(rev), true
	}
	for i := range t.kept {
		if t.kept[i].snapshot.revision == rev {
			return t.kept[i].snapshot, true
		}
	}
	return nil, false
}

// acquire waits until the resource's table is as fresh as f asks for, and live if that is asked for too, and
// returns it with mu held for reading, and the revision that it is the state of.
func (r *Resource) acquire(ctx context.Context, f Freshness, mustBeLive bool) (*table, storage.Revision, error) {
	c, need := r.cache, f.AtLeast
	if f.Latest {
		var err error
		if need, err = c.store.Revision(ctx); err != nil {
			return nil, 0, fmt.Errorf("asking the store for its revision: %w", err)
		}
	}
	var timer *time.Timer
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	// The same table is looked at until it has ended, for why it did: a first list that failed is the answer
	// to everyone who waited for it, and no reason to try again here.
	var t *table
	for {
		var err error
		if t == nil {
			if t, err = r.open(); err != nil {
				return nil, 0, err
			}
		}
		p := c.progress.at() // before the lock: see completeTo
		t.mu.RLock()
		ph, changed, err, upTo := t.phase, t.changed, t.err, t.completeTo(p)
		if upTo >= need && (ph == live || ph == stale && !mustBeLive) {
			return t, upTo, nil
		}
		t.mu.RUnlock()
		if timer == nil && ph != filling {
			timer = time.NewTimer(c.opts.FreshTimeout)
		}
		switch {
		case ph == filling:
			err = awaitChange(ctx, changed, nil, c.done) // however long that takes: it is one list
		case ph == stale:
			err = awaitChange(ctx, changed, timer.C, c.done)
		case ph == live:
			err = c.progress.wait(ctx, need, timer, c.done)
		case errors.Is(err, errDropped) || errors.Is(err, ErrExpired):
			t, err = nil, nil // the next round opens a new table
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

func awaitChange(ctx context.Context, changed <-chan struct{}, timeout <-chan time.Time, done <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout:
		return ErrTimeout
	case <-done:
		return ErrClosed
	}
}

// open returns the resource's table, and makes one where there is none.
func (r *Resource) open() (*table, error) {
	t := r.table.Load()
	if t == nil {
		c := r.cache
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.err != nil {
			return nil, r.err
		}
		if t = r.table.Load(); t == nil {
			t = newTable(c, r.cfg)
			r.table.Store(t)
			c.tables[r.cfg.Prefix] = append(c.tables[r.cfg.Prefix], t)
			c.requestFill(t)
		}
	}
	if !t.used.Load() {
		t.used.Store(true)
	}
	return t, nil
}
