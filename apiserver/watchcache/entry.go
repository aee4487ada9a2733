package watchcache

import (
	"sync/atomic"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
)

// Entry is one version of one object as the cache holds it: encoded once, immutable, shared by all readers (as
// are its other forms, see View).
type Entry struct {
	Key      string           // in the store
	Revision storage.Revision // of the write that made it; the object's resourceVersion
	Created  storage.Revision // of the write that first made the object
	// Data is the object's canonical JSON in its storage version, metadata.resourceVersion included.
	Data       []byte
	Projection resource.Projection

	views atomic.Pointer[[]*view] // other forms of Data that were asked for, see View
	// last is set in the entry of a Deleted event: the entry that was removed, of whose forms its own are made.
	last *Entry
}

// Written is the revision of the write that Data is from: Revision, but in the entry of a Deleted event.
func (e *Entry) Written() storage.Revision {
	if e.last != nil {
		return e.last.Revision
	}
	return e.Revision
}

// Config says how the objects under one key prefix enter the cache. It is compared by the pointer that Open
// was given: opening a prefix again with another Config ends its watchers with ErrReplaced and starts anew.
type Config struct {
	Prefix string // with trailing slash
	// Form tells Resources over the same prefix apart: objects as a client reads them have "", and whoever needs no more
	// than a part of them, or needs it smaller, names a form of its own.
	Form string
	// Decode turns a stored value into Data and Projection (resource.Definition has the means). An error
	// keeps the object out of lists and watches and is counted and logged; reads of it by key fail with it.
	// It is called from several goroutines at once, and leaves the slices of p to the cache.
	Decode func(kv storage.KeyValue) (data []byte, p resource.Projection, err error)
}

// EventType of an Event.
type EventType uint8

// The types of events, as a watcher sees them through its Match.
const (
	Added EventType = iota + 1
	Modified
	Deleted
)

// Event is one change as a watcher sees it. For Deleted, Entry holds the last state of the object with the
// revision of its removal as its resourceVersion (in Data too); it is made once and shared by all watchers.
type Event struct {
	Type  EventType
	Entry *Entry
}
