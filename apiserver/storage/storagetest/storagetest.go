// Package storagetest is the contract of package storage as a suite of tests. A backend's own test is one call:
//
//	func TestContract(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.Store { return memory.New(memory.Options{}) })
//	}
//
// What every watch promises is also there as errors with names, whose text is the promise, and as Watched.Check,
// which says which of them a recorded watch broke. History is the dumb model that the suite compares stores with.
// Both can be used where a store is tested in other ways, as embedded's crash test does.
package storagetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Run checks all that package storage promises, as parallel subtests. newStore returns an empty store that nobody
// else uses; it is called once for each of them, also concurrently, and reports its own failures. The suite closes
// the stores, before what newStore registered with t.Cleanup runs.
//
// It takes a few seconds on a store that writes a thousand keys a second; the expiry of keys takes as long as the
// contract allows for it (up to half a minute) and is left out of `go test -short`.
func Run(t *testing.T, newStore func(t *testing.T) storage.Store) {
	t.Helper()
	for _, c := range contract() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			c.holds(&trial{T: t, store: s})
		})
	}
}

// clause is one part of the contract; holds fails the trial where it does not.
type clause struct {
	name  string
	holds func(*trial)
}

func contract() []clause {
	// What waits longest comes first, so that the others run meanwhile.
	return slices.Concat(expiry(), random(), reads(), lists(), writes(), races(), compaction(), watches(), delivery(), progress(), closing())
}

// trial is a test of one clause, and the store that it has for itself. Its methods fail the test where a call fails,
// and must be called by the test's goroutine.
type trial struct {
	*testing.T
	store storage.Store
}

// patience is how long any one call or response may take before the store counts as hanging: longer than a busy
// machine or a lease of etcd needs, and short enough to be reported before the test's own deadline.
func (t *trial) patience() time.Duration {
	const longest, share = 20 * time.Second, 10
	if deadline, ok := t.Deadline(); ok {
		return min(longest, time.Until(deadline)/share)
	}
	return longest
}

// soon returns a context for what must not take long.
func (t *trial) soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), t.patience())
}

// put writes, expecting success.
func (t *trial) put(key, value string, expected storage.Revision) storage.Revision {
	t.Helper()
	rev, err := t.tryPut(key, value, expected)
	if err != nil {
		t.Fatalf("Put(%q, expected %d): %v", key, expected, err)
	}
	return rev
}

func (t *trial) tryPut(key, value string, expected storage.Revision) (storage.Revision, error) {
	ctx, cancel := t.soon()
	defer cancel()
	return t.store.Put(ctx, key, []byte(value), expected, storage.PutOptions{})
}

// delete removes, expecting success.
func (t *trial) delete(key string, expected storage.Revision) storage.Revision {
	t.Helper()
	rev, err := t.tryDelete(key, expected)
	if err != nil {
		t.Fatalf("Delete(%q, expected %d): %v", key, expected, err)
	}
	return rev
}

func (t *trial) tryDelete(key string, expected storage.Revision) (storage.Revision, error) {
	ctx, cancel := t.soon()
	defer cancel()
	return t.store.Delete(ctx, key, expected)
}

// get reads a key as of a revision, zero for the latest state.
func (t *trial) get(key string, at storage.Revision) storage.GetResponse {
	t.Helper()
	ctx, cancel := t.soon()
	defer cancel()
	r, err := t.store.Get(ctx, key, storage.GetOptions{Revision: at})
	if err != nil {
		t.Fatalf("Get(%q) at %d: %v", key, at, err)
	}
	return r
}

func (t *trial) list(prefix string, o storage.ListOptions) storage.ListResponse {
	t.Helper()
	ctx, cancel := t.soon()
	defer cancel()
	r, err := t.store.List(ctx, prefix, o)
	if err != nil {
		t.Fatalf("List(%q, %+v): %v", prefix, o, err)
	}
	return r
}

func (t *trial) revision() storage.Revision {
	t.Helper()
	ctx, cancel := t.soon()
	defer cancel()
	rev, err := t.store.Revision(ctx)
	if err != nil {
		t.Fatalf("Revision: %v", err)
	}
	return rev
}

func (t *trial) compact(rev storage.Revision) {
	t.Helper()
	if err := t.tryCompact(rev); err != nil {
		t.Fatalf("Compact(%d): %v", rev, err)
	}
}

func (t *trial) tryCompact(rev storage.Revision) error {
	ctx, cancel := t.soon()
	defer cancel()
	return t.store.Compact(ctx, rev)
}

func (t *trial) requestProgress() {
	t.Helper()
	ctx, cancel := t.soon()
	defer cancel()
	if err := t.store.RequestProgress(ctx); err != nil {
		t.Fatalf("RequestProgress: %v", err)
	}
}

// wantKV compares what was read of one key; nil: nothing stands there.
func (t *trial) wantKV(what string, got, want *storage.KeyValue) {
	t.Helper()
	if !sameKV(got, want) {
		t.Errorf("%s: got %s, want %s", what, describeKV(got), describeKV(want))
	}
}

// wantErr compares an error with a sentinel.
func (t *trial) wantErr(what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %q", what, got, want)
	}
}

// wantConflict checks all that a ConflictError says.
func (t *trial) wantConflict(what string, err error, key string, expected storage.Revision, current *storage.KeyValue) {
	t.Helper()
	var conflict *storage.ConflictError
	if !errors.Is(err, storage.ErrConflict) || !errors.As(err, &conflict) {
		t.Errorf("%s: got error %v, want a *ConflictError", what, err)
		return
	}
	if conflict.Key != key || conflict.Expected != expected {
		t.Errorf("%s: the conflict is about %q at %d, want %q at %d", what, conflict.Key, conflict.Expected, key, expected)
	}
	t.wantKV(what+": the conflict's Current", conflict.Current, current)
}

// wantKeys compares the keys of a list, in order.
func (t *trial) wantKeys(what string, got []storage.KeyValue, want ...string) {
	t.Helper()
	keys := make([]string, len(got))
	for i := range got {
		keys[i] = got[i].Key
	}
	if !slices.Equal(keys, want) {
		t.Errorf("%s: got keys %q, want %q", what, keys, want)
	}
}

// kv is a stored value, to compare with.
func kv(key, value string, created, modified storage.Revision) *storage.KeyValue {
	return &storage.KeyValue{Key: key, Value: []byte(value), CreateRevision: created, ModRevision: modified}
}
