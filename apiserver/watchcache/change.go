package watchcache

import (
	"sync/atomic"
	"unsafe"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
)

// change is one step of one object's history: from prev (nil: it did not exist) to next (nil: it is gone).
type change struct {
	rev        storage.Revision
	prev, next *Entry // at least one is set
	gone       atomic.Pointer[Entry]
}

func (c *change) key() string {
	if c.next != nil {
		return c.next.Key
	}
	return c.prev.Key
}

// seenThrough says what a watcher with that selector sees of the change, if anything: an object that begins to
// match was added for it, one that ceases to was deleted.
func (c *change) seenThrough(match func(*Entry) bool) (Event, bool) {
	was := c.prev != nil && (match == nil || match(c.prev))
	is := c.next != nil && (match == nil || match(c.next))
	switch {
	case is && was:
		return Event{Type: Modified, Entry: c.next}, true
	case is:
		return Event{Type: Added, Entry: c.next}, true
	case was:
		return Event{Type: Deleted, Entry: c.departed()}, true
	}
	return Event{}, false
}

// departed is prev as a Deleted event shows it: with the revision of the change as its resourceVersion. It is
// made for the first watcher that asks and shared by all.
func (c *change) departed() *Entry {
	if e := c.gone.Load(); e != nil {
		return e
	}
	p := c.prev
	e := &Entry{Key: p.Key, Revision: c.rev, Created: p.Created, Data: p.Data, Projection: p.Projection, last: p}
	// Data that is no object with metadata has no resourceVersion to change either: it goes out as it is.
	if data, err := resource.WithRevision(e.Data, int64(c.rev)); err == nil {
		e.Data = data
	}
	if c.gone.CompareAndSwap(nil, e) {
		return e
	}
	return c.gone.Load()
}

const (
	entryOverhead  = int64(unsafe.Sizeof(Entry{})) + 16 // and its place in the map
	changeOverhead = int64(unsafe.Sizeof(change{})) + 8 // and its place in the ring
)

// size of an entry in memory, in bytes, without what its Projection refers to.
func (e *Entry) size() int64 { return entryOverhead + int64(len(e.Key)+len(e.Data)) }

// size is what history pays for the change: the superseded version, which nothing else may refer to, and once
// more the same for a removal (see departed). The new version is the map's, or a later change's prev.
func (c *change) size() int64 {
	size := changeOverhead
	if c.prev != nil {
		size += c.prev.size()
		if c.next == nil {
			size += c.prev.size()
		}
	}
	return size
}
