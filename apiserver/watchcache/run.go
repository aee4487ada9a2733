package watchcache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Times between attempts to watch a store that fails, and to list from it.
const (
	firstBackoff = 10 * time.Millisecond
	lastBackoff  = time.Second
)

// Run watches the store and feeds the resources until ctx ends (it returns nil then) or the store is closed
// (storage.ErrClosed). Reads and watches wait until it runs; when it has returned, they fail with ErrClosed,
// and none of its goroutines is left. It is called once.
func (c *Cache) Run(ctx context.Context) error {
	c.mu.Lock()
	again := c.running
	c.running = true
	c.mu.Unlock()
	if again {
		return errors.New("a watch cache runs once")
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { c.fillRequested(ctx, &wg) })
	wg.Go(func() { c.dropIdle(ctx) })
	wg.Go(func() { c.urgeProgress(ctx) })

	err := c.follow(ctx)
	cancel()
	c.shutDown()
	wg.Wait()
	return err
}

// shutDown fails everyone with ErrClosed, now and later.
func (c *Cache) shutDown() {
	c.mu.Lock()
	c.ended = true
	tables := make([]*table, 0, len(c.tables))
	for _, r := range c.resources {
		r.err = ErrClosed
		if t := c.detach(r); t != nil {
			tables = append(tables, t)
		}
	}
	c.mu.Unlock()
	for _, t := range tables {
		t.end(ErrClosed)
	}
	close(c.done)
}

// follow watches the store, again and again, until ctx ends or the store is closed.
func (c *Cache) follow(ctx context.Context) error {
	delay := time.Duration(0)
	state := beginning
	for {
		progressed, err := c.watchOnce(ctx, &state)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end that was asked for
		}
		if errors.Is(err, storage.ErrClosed) {
			return fmt.Errorf("watching %s: %w", c.opts.Prefix, err)
		}
		if state == beginning {
			c.failFills(fmt.Errorf("watching %s: %w", c.opts.Prefix, err))
		}
		if progressed {
			delay = 0
		}
		if errors.Is(err, storage.ErrCompacted) {
			state = interrupted
		}
		c.restarts.Add(1)
		c.opts.Logger.Info("The watch on the store ended and is begun again", "prefix", c.opts.Prefix,
			"revision", c.progress.at(), "reason", err)
		if !sleep(ctx, delay) {
			return nil
		}
		delay = min(max(2*delay, firstBackoff), lastBackoff)
	}
}

// continuity says how a watch on the store relates to what came before.
type continuity uint8

const (
	beginning   continuity = iota // nothing did
	resuming                      // it begins where the last one broke off
	interrupted                   // events in between are lost
)

// watchOnce follows one watch on the store until it ends, and says why it did and whether it had begun well.
// state is that of this watch first, and afterwards what the next one would be.
func (c *Cache) watchOnce(ctx context.Context, state *continuity) (progressed bool, err error) {
	now, err := c.store.Revision(ctx)
	if err != nil {
		return false, err
	}
	last := c.progress.at()
	was := *state
	*state = resuming
	switch {
	case now < last: // somebody put the store back to an earlier state
		c.startOver(now)
		last = now
	case was == beginning:
		c.contiguousFrom.Store(int64(now) + 1)
		c.progress.set(now)
		close(c.begun)
		last = now
	case was == interrupted:
		c.bridgeGap(now)
		last = now
	}
	ctx, cancel := context.WithCancel(ctx)
	responses := c.store.Watch(ctx, c.opts.Prefix, storage.WatchOptions{From: last + 1})
	defer func() {
		cancel()
		for range responses { // until the store has let go of the watch
		}
	}()
	for resp := range responses {
		if resp.Err != nil {
			return progressed, resp.Err
		}
		progressed = true
		c.route(resp.Events)
		if resp.Revision > c.progress.at() {
			c.progress.set(resp.Revision)
		}
	}
	return progressed, storage.ErrUnavailable
}

// bridgeGap prepares for a watch from now+1 on, though events up to now were not seen: every table is listed
// again.
func (c *Cache) bridgeGap(now storage.Revision) {
	c.gaps.Add(1)
	last := c.progress.at()
	c.contiguousFrom.Store(int64(now) + 1) // before the tables are visited: see table.goLive
	c.mu.Lock()
	for _, t := range c.inUse() {
		if t.suspend(last) {
			c.requestFill(t)
		}
	}
	c.mu.Unlock()
	c.progress.set(now)
}

// startOver forgets everything: the store's history is another one now.
func (c *Cache) startOver(now storage.Revision) {
	c.gaps.Add(1)
	c.contiguousFrom.Store(int64(now) + 1)
	c.mu.RLock()
	tables := c.inUse()
	c.mu.RUnlock()
	for _, t := range tables {
		c.drop(t, ErrExpired)
	}
	c.progress.set(now)
}

// urgeProgress asks the store for progress while someone waits for a revision that does not arrive by itself:
// because the last write was outside of the watched prefix, mostly.
func (c *Cache) urgeProgress(ctx context.Context) {
	const first, longest = 2 * time.Millisecond, 100 * time.Millisecond
	for {
		select {
		case <-c.progress.wanted:
		case <-ctx.Done():
			return
		}
		delay, last := first, storage.Revision(0)
		for {
			wanted, waiting := c.progress.lowest()
			if !waiting {
				break
			}
			if wanted != last { // progress is being made: have patience with the next one
				delay, last = first, wanted
			} else if err := c.store.RequestProgress(ctx); err != nil {
				c.opts.Logger.V(1).Info("The store was asked for progress and failed", "reason", err)
			}
			if !sleep(ctx, delay) {
				return
			}
			delay = min(2*delay, longest)
		}
	}
}

// sleep says whether ctx is still there afterwards.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
