package watchcache

import (
	"strings"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// route hands the events of one response of the store to the tables that they belong to, each its own at once.
func (c *Cache) route(events []storage.Event) {
	if len(events) == 1 {
		var few [2]*table
		for _, t := range c.tablesOf(events[0].KV.Key, few[:0]) {
			t.offer(events)
		}
		return
	}
	var batches []batch
	var owners []*table
	position := map[*table]int{}
	for i := range events {
		owners = c.tablesOf(events[i].KV.Key, owners[:0])
		for _, t := range owners {
			at, ok := position[t]
			if !ok {
				at = len(batches)
				position[t] = at
				batches = append(batches, batch{table: t})
			}
			batches[at].events = append(batches[at].events, events[i])
		}
	}
	for _, b := range batches {
		b.table.offer(b.events)
	}
}

type batch struct {
	table  *table
	events []storage.Event
}

// tablesOf appends the tables to whose prefix the key belongs: those in use at each slash of the key.
func (c *Cache) tablesOf(key string, found []*table) []*table {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := len(c.opts.Prefix); i < len(key); i++ {
		next := strings.IndexByte(key[i:], '/')
		if next < 0 {
			break
		}
		i += next
		found = append(found, c.tables[key[:i+1]]...)
	}
	return found
}
