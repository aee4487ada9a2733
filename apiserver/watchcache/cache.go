package watchcache

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Cache holds the Resources of one store and feeds them all from one watch.
type Cache struct {
	store    storage.Store
	opts     Options
	progress *progress
	begun    chan struct{} // closed when Run knows where the watch begins
	done     chan struct{} // closed when Run has ended
	interner *interner
	replays  chan struct{} // a token for each watch that reads history from the store

	// contiguousFrom: every event from this revision on comes (or came) through the watch.
	contiguousFrom atomic.Int64
	restarts       atomic.Int64
	gaps           atomic.Int64
	decodeErrors   atomic.Int64

	// mu is taken before a table's mu.
	mu        sync.RWMutex
	resources map[place]*Resource
	tables    map[string][]*table // by prefix, of the resources that are in use
	fills     []*table            // to be listed; Run does that
	fillWake  chan struct{}       // told (capacity 1: a reminder) when fills has grown
	running   bool
	ended     bool
}

// maxReplays bounds how many watches read the store's history at once; others wait for their turn.
const maxReplays = 4

// New returns a Cache. It starts nothing: see Run.
func New(store storage.Store, o Options) *Cache {
	return &Cache{
		store: store, opts: o.withDefaults(),
		progress:  newProgress(),
		interner:  newInterner(),
		begun:     make(chan struct{}),
		done:      make(chan struct{}),
		replays:   make(chan struct{}, maxReplays),
		resources: map[place]*Resource{},
		tables:    map[string][]*table{},
		fillWake:  make(chan struct{}, 1),
	}
}

// place is what there is one Resource of: the objects under a prefix, in one form.
type place struct{ prefix, form string }

func (c *Config) place() place { return place{c.Prefix, c.Form} }

// Open returns the Resource of cfg.Prefix and cfg.Form. It is cheap: nothing is listed before the first read or watch.
// The same cfg gives the same Resource; another cfg for the same two replaces it.
func (c *Cache) Open(cfg *Config) *Resource {
	c.mu.Lock()
	r := c.resources[cfg.place()]
	if r != nil && r.cfg == cfg {
		c.mu.Unlock()
		return r
	}
	replaced := c.remove(cfg.place(), ErrReplaced)
	r = &Resource{cache: c, cfg: cfg}
	c.resources[cfg.place()] = r
	if c.ended {
		r.err = ErrClosed
	}
	c.mu.Unlock()
	if replaced != nil {
		replaced.end(ErrReplaced)
	}
	return r
}

// Close ends the Resource of a prefix that has no Form: its readers and watchers get ErrReplaced and its memory is
// freed. A prefix that is not open is ignored.
func (c *Cache) Close(prefix string) {
	c.mu.Lock()
	replaced := c.remove(place{prefix: prefix}, ErrReplaced)
	c.mu.Unlock()
	if replaced != nil {
		replaced.end(ErrReplaced)
	}
}

// remove forgets a resource, and returns its table for the caller to end. It requires mu.
func (c *Cache) remove(p place, err error) *table {
	r := c.resources[p]
	if r == nil {
		return nil
	}
	delete(c.resources, p)
	r.err = err
	return c.detach(r)
}

// detach takes a resource's table from it: it will have a new one when it is needed again. It requires mu.
func (c *Cache) detach(r *Resource) *table {
	t := r.table.Swap(nil)
	if t != nil {
		left := slices.DeleteFunc(c.tables[t.prefix], func(other *table) bool { return other == t })
		if c.tables[t.prefix] = left; len(left) == 0 {
			delete(c.tables, t.prefix)
		}
	}
	return t
}

// drop ends a table with err; its resource lives on, and starts anew with the next read.
func (c *Cache) drop(t *table, err error) {
	c.mu.Lock()
	if r := c.resources[t.cfg.place()]; r != nil && r.table.Load() == t {
		c.detach(r)
	}
	c.mu.Unlock()
	t.end(err)
}

// inUse are the tables that there are now. It requires mu.
func (c *Cache) inUse() []*table {
	all := make([]*table, 0, len(c.tables))
	for _, tables := range c.tables {
		all = append(all, tables...)
	}
	return all
}

// requestFill asks Run to list the table. It requires mu.
func (c *Cache) requestFill(t *table) {
	c.fills = append(c.fills, t)
	remind(c.fillWake)
}

// remind leaves a reminder in a channel of capacity 1; one is as good as many.
func remind(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
