package informer

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// Object is what an Informer holds: a pointer to an API type, *unstructured.Unstructured or
// *metav1.PartialObjectMetadata.
type Object interface {
	metav1.Object
	kruntime.Object
}

// Config of an Informer. Source and Scope are required, the zero value of the rest is useful.
type Config[T Object] struct {
	Source Source
	Scope  Scope

	// New makes an empty object to decode into, where T is an interface. Default: new(T).
	New func() T
	// Decode makes an object of bytes that it must not keep. It must be a pure function: in compact mode what it was
	// given once is given to it again, as JSON. Default: JSON into what New makes; unstructured objects by a decoder
	// of this package, seven times as fast as the ordinary one.
	Decode func(contentType string, data []byte) (T, error)
	// Transform may change an object before it is stored, or replace it. An error counts as one of decoding.
	//
	// Of a Scope in several namespaces, New, Decode and Transform are called by several goroutines at once.
	Transform func(T) (T, error)
	// KeepManagedFields keeps metadata.managedFields, which are dropped by default.
	KeepManagedFields bool
	// Compact keeps objects encoded, in a third to a seventh of the memory, and decodes them when they are read. What leaves the
	// store is then a fresh copy, which the reader may change. Meta, and indexes and handlers of it, decode nothing.
	Compact bool
	// Budget that the informer has a part in, until Run returns. nil: none.
	Budget *Budget

	// PageSize is the limit of a list's pages. Default 500; negative: one page.
	PageSize int64
	// NoStreaming does not try to get the initial state by a watch (sendInitialEvents), which is tried first
	// by default; servers that refuse it are listed.
	NoStreaming bool
	// WatchTimeout is asked of the server for each watch, up to twice as long at random. A stream that the
	// server does not end by then is closed 30 s later. Default: 5 minutes.
	WatchTimeout time.Duration
	// MinBackoff is the wait after a first failure, doubled with each further one up to MaxBackoff; a random
	// part of up to half is added. Progress resets it. Defaults: 200 ms and 30 s.
	MinBackoff, MaxBackoff time.Duration

	// OnError is told of each failure, which the informer then recovers from by itself: requests, watches that
	// broke, objects that could not be decoded. It must not block.
	OnError func(error)
}

// Change is what a handler is told.
type Change[T any] struct {
	Type watch.EventType // watch.Added, watch.Modified or watch.Deleted
	Old  T               // the state the handler knew; nil when Added
	New  T               // the state in the store; nil when Deleted
	// Initial: the object was there when the handler's view began (isInInitialList).
	Initial bool
	// FinalStateUnknown: a Deleted that was found by listing again, or whose object could not be decoded. Old
	// may not be the object's last state.
	FinalStateUnknown bool
}

// Object is New, or Old of an object that was deleted.
func (c Change[T]) Object() T {
	if c.Type == watch.Deleted {
		return c.Old
	}
	return c.New
}
