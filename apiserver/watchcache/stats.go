package watchcache

import (
	"sort"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Stats describes a Cache.
type Stats struct {
	Revision     storage.Revision // that has been applied
	Restarts     int64            // of the watch on the store
	Gaps         int64            // after which every resource was listed anew
	DecodeErrors int64            // so far
	Open         int              // Resources, in use or not
	Resources    []ResourceStats  // those in use, by prefix
}

// ResourceStats describes one Resource.
type ResourceStats struct {
	Prefix, Form  string
	Entries       int
	Bytes         int64 // of the entries, without what their Projections refer to
	HistoryEvents int
	HistoryBytes  int64 // of the superseded versions that history keeps alive
	Watchers      int
	Lag           int // changes that the slowest watcher has still to read
	Undecodable   int // objects that Config.Decode refuses
}

// Stats returns the present numbers.
func (c *Cache) Stats() Stats {
	s := Stats{
		Revision: c.progress.at(),
		Restarts: c.restarts.Load(), Gaps: c.gaps.Load(), DecodeErrors: c.decodeErrors.Load(),
	}
	c.mu.RLock()
	s.Open = len(c.resources)
	tables := c.inUse()
	c.mu.RUnlock()
	for _, t := range tables {
		s.Resources = append(s.Resources, t.stats())
	}
	sort.Slice(s.Resources, func(i, j int) bool { return s.Resources[i].Prefix < s.Resources[j].Prefix })
	return s
}

func (t *table) stats() ResourceStats {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := ResourceStats{
		Prefix: t.prefix, Form: t.cfg.Form, Entries: t.entries.Len(), Bytes: t.bytes,
		HistoryEvents: t.history.all.n, HistoryBytes: t.history.bytes,
		Watchers: len(t.watchers), Undecodable: len(t.undecodable),
	}
	for w := range t.watchers {
		if behind := int64(w.ring.end() - w.position.Load()); behind > int64(s.Lag) {
			s.Lag = int(behind)
		}
	}
	return s
}
