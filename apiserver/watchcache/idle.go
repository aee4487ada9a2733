package watchcache

import (
	"context"
	"time"
)

// The janitor looks four times in an IdleTimeout.
const (
	idleTicks = 4
	keptTicks = 2 // a list that is still read after so many looks reads the rest from the store
)

// dropIdle drops the tables that nobody uses, until ctx ends.
func (c *Cache) dropIdle(ctx context.Context) {
	ticker := time.NewTicker(max(c.opts.IdleTimeout/idleTicks, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		c.mu.RLock()
		tables := c.inUse()
		c.mu.RUnlock()
		for _, t := range tables {
			c.inspect(t)
		}
	}
}

// inspect drops the table if it has been idle for long enough, and what it has kept for too long.
func (c *Cache) inspect(t *table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.kept {
		t.kept[i].ticks++
	}
	for len(t.kept) > 0 && t.kept[0].ticks >= keptTicks {
		t.kept = append(t.kept[:0], t.kept[1:]...)
	}
	if t.used.Swap(false) || len(t.watchers) > 0 || t.phase != live {
		t.idleTicks = 0
		return
	}
	if t.idleTicks++; t.idleTicks < idleTicks {
		return
	}
	if r := c.resources[t.cfg.place()]; r != nil && r.table.Load() == t {
		c.detach(r)
	}
	closeAll(t.endLocked(errDropped))
}
