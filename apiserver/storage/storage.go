// Package storage is the contract between Keelson and the place where its bytes live: an ordered map from keys
// to values, every change of which has a Revision.
//
// The contract is deliberately small: six verbs, plain option structs, and guarantees that package storagetest
// turns into an executable suite. What the suite does not check is not promised. Conveniences (retry loops,
// get-or-create, decoding) are built once on top and never inside a backend.
//
// # Guarantees
//
//   - Revisions are positive, and grow by at least one with every successful write, over all keys.
//   - A read without a Revision is linearizable: it sees every write that was acknowledged before it began.
//   - A read at a Revision is repeatable: it answers the same until that revision is compacted.
//   - A write is atomic and durable once acknowledged. A write that returned ErrUnavailable, or was under way when
//     its context ended or the store was closed, may or may not have happened; it never half happened.
//   - A watch is ordered (by revision), unique (no event twice), atomic (all events of one revision in one
//     response), reliable (no event of the watched range is left out) and resumable (a new watch from the last
//     seen revision plus one continues the first without gap or overlap).
//   - A call whose context has ended fails with the context's error, and after Close with ErrClosed; these are in
//     addition to the errors that each method names.
//
// A key is any bytes, at least one; a prefix may be empty, for all keys. A value may be empty, which is another thing
// than no value.
package storage

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Revision is a point in the history of a whole store. Zero stands for "unset": the latest state in reads,
// "does not exist" in the expectation of a write.
type Revision int64

// KeyValue is one stored value. Callers must treat Value as read-only: backends may hand out shared memory.
type KeyValue struct {
	Key            string
	Value          []byte
	CreateRevision Revision // the write that made the key, since it last did not exist
	ModRevision    Revision // the write that made this value
}

// Store is an ordered, multi-version map. Implementations are safe for concurrent use.
type Store interface {
	// Get reads one key. A key that is absent is no error: GetResponse.KV is nil then.
	// Errors: ErrCompacted, ErrFutureRevision, ErrUnavailable.
	Get(ctx context.Context, key string, opts GetOptions) (GetResponse, error)

	// List reads the keys that begin with prefix, in lexical order of their bytes.
	// Errors: ErrCompacted, ErrFutureRevision, ErrUnavailable.
	List(ctx context.Context, prefix string, opts ListOptions) (ListResponse, error)

	// Put writes value at key if the key's ModRevision still is expected (zero: if the key does not exist),
	// and returns the new revision. value must not be changed by the caller afterwards.
	// Errors: *ConflictError (errors.Is ErrConflict), ErrTooLarge, ErrNoSpace, ErrUnavailable.
	Put(ctx context.Context, key string, value []byte, expected Revision, opts PutOptions) (Revision, error)

	// Delete removes key if its ModRevision still is expected, and returns the revision of the removal. A key
	// that does not exist is a conflict with a nil Current.
	// Errors: *ConflictError (errors.Is ErrConflict), ErrUnavailable.
	Delete(ctx context.Context, key string, expected Revision) (Revision, error)

	// Watch streams the changes to keys that begin with prefix, from opts.From on. The channel is closed after
	// ctx ends, or after one last response whose Err is set (ErrCompacted, ErrUnavailable, ErrClosed). A
	// consumer that reads slowly makes the backend buffer or fall behind, never lose events; one that falls
	// behind a compaction is told ErrCompacted. Whoever stops reading ends ctx, which releases the watch. Reads that
	// begin after a response has come answer with its revision or a later one: no watch is ahead of the store.
	Watch(ctx context.Context, prefix string, opts WatchOptions) <-chan WatchResponse

	// Revision is the store's current revision, linearizably: at least that of any write acknowledged before
	// the call. It costs a round trip on a remote store and nothing in process.
	Revision(ctx context.Context) (Revision, error)

	// RequestProgress asks that every open watch of this Store soon delivers a response of the current revision
	// (one without events, if there are none) unless it has delivered something newer. It does not wait for
	// that, and asking once is enough. A watch that begins later than with the next revision stays silent.
	RequestProgress(ctx context.Context) error

	// Compact forgets all history before rev: reads and watches from earlier revisions fail with ErrCompacted,
	// those from rev on do not. The newest value of every key stays.
	// Errors: ErrCompacted (rev, or more, is compacted already), ErrFutureRevision, ErrUnavailable.
	Compact(ctx context.Context, rev Revision) error

	// Close releases the store; every open watch ends with ErrClosed, which waits in its channel for a reader
	// while Close does not. Closing twice is harmless.
	Close() error
}

// GetOptions narrows Get.
type GetOptions struct {
	Revision Revision // read as of then; zero reads the latest state
}

// GetResponse answers Get.
type GetResponse struct {
	KV       *KeyValue // nil where the key does not exist
	Revision Revision  // the revision that was read: opts.Revision, or the latest
}

// ListOptions narrows List.
type ListOptions struct {
	Revision Revision // read as of then; zero reads the latest state
	Limit    int      // at most so many keys; zero: all
	Start    string   // begin at this key (inclusive) instead of at the prefix; "" begins at the prefix
}

// ListResponse answers List.
type ListResponse struct {
	KVs      []KeyValue
	Revision Revision // the revision that was read
	// Remaining is the number of keys of the range after the last one in KVs; zero when all were returned.
	Remaining int64
}

// PutOptions adds to Put.
type PutOptions struct {
	// TTL removes the key by itself this long after the write, with a granularity of about ten seconds (the
	// removal shows in watches as a delete). Zero: never. A later Put without TTL makes the key permanent.
	TTL time.Duration
}

// WatchOptions narrows Watch.
type WatchOptions struct {
	// From is the first revision to deliver. Zero begins with the first change after the call: every write
	// whose Put or Delete is called after Watch has returned is delivered.
	From Revision
}

// EventType says what a change did to its key.
type EventType uint8

// The types of events.
const (
	EventPut EventType = iota + 1
	EventDelete
)

// Event is one change of one key.
type Event struct {
	Type EventType
	// KV is the new state of the key. For EventDelete it has Key and ModRevision (of the removal) only.
	KV KeyValue
}

// Created says whether the change made the key.
func (e *Event) Created() bool { return e.Type == EventPut && e.KV.CreateRevision == e.KV.ModRevision }

// WatchResponse is one step of a watch.
type WatchResponse struct {
	// Revision: every change of the watched range up to and including it has been delivered, with this
	// response at the latest.
	Revision Revision
	// Events, in order of revision. Empty in a progress response.
	Events []Event
	// Err ends the watch; the response has no events then.
	Err error
}

// Sentinel errors of every backend; compare with errors.Is.
var (
	ErrConflict       = errors.New("the key was changed meanwhile")
	ErrCompacted      = errors.New("the requested revision has been compacted")
	ErrFutureRevision = errors.New("the requested revision is in the future")
	ErrTooLarge       = errors.New("the value is too large for the store")
	ErrNoSpace        = errors.New("the store's space quota is exceeded")
	ErrUnavailable    = errors.New("the store is unavailable")
	ErrClosed         = errors.New("the store is closed")
)

// ConflictError says that a write's expectation did not hold, and what stands at the key instead, so that the
// caller can retry without another read.
type ConflictError struct {
	Key      string
	Expected Revision
	Current  *KeyValue // nil where the key does not exist
}

func (e *ConflictError) Error() string {
	if e.Current == nil {
		return fmt.Sprintf("%s: expected revision %d, but the key does not exist", e.Key, e.Expected)
	}
	return fmt.Sprintf("%s: expected revision %d, but the key is at %d", e.Key, e.Expected, e.Current.ModRevision)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
