package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// Put implements storage.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte, expected storage.Revision, o storage.PutOptions) (storage.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.expect(ctx, key, expected)
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", key, err)
	}
	v := &version{KeyValue: storage.KeyValue{Key: key, Value: value, ModRevision: s.revision + 1, CreateRevision: s.revision + 1}}
	if old != nil {
		v.CreateRevision = old.CreateRevision
	}
	if o.TTL > 0 {
		v.expires = time.Now().Add(o.TTL)
		s.expiry.add(s, key, v.expires)
	}
	s.current.ReplaceOrInsert(v)
	s.record(v, storage.EventPut)
	return s.revision, nil
}

// Delete implements storage.Store.
func (s *Store) Delete(ctx context.Context, key string, expected storage.Revision) (storage.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.expect(ctx, key, expected)
	if err == nil && old == nil {
		err = &storage.ConflictError{Key: key, Expected: expected}
	}
	if err != nil {
		return 0, fmt.Errorf("delete %s: %w", key, err)
	}
	s.remove(old)
	return s.revision, nil
}

// The methods below require mu.

// expect returns what stands at key, or a ConflictError where that is not of the expected revision.
func (s *Store) expect(ctx context.Context, key string, expected storage.Revision) (*version, error) {
	if err := s.readable(ctx, 0); err != nil {
		return nil, err
	}
	old := s.versionAt(key, s.revision)
	switch {
	case old == nil && expected == 0, old != nil && old.ModRevision == expected:
		return old, nil
	case old == nil:
		return nil, &storage.ConflictError{Key: key, Expected: expected}
	}
	kv := old.KeyValue
	return nil, &storage.ConflictError{Key: key, Expected: expected, Current: &kv}
}

func (s *Store) remove(old *version) {
	s.current.Delete(old)
	s.record(&version{KeyValue: storage.KeyValue{Key: old.Key, ModRevision: s.revision + 1}, removed: true}, storage.EventDelete)
}

// record makes v the store's newest revision.
func (s *Store) record(v *version, t storage.EventType) {
	s.revision++
	s.versions.ReplaceOrInsert(v)
	s.log = append(s.log, storage.Event{Type: t, KV: v.KeyValue})
	if len(s.log) > s.keep+s.keep/4 {
		s.compact(s.log[len(s.log)-s.keep].KV.ModRevision)
	}
	s.awake()
}

func (s *Store) awake() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// Compact implements storage.Store.
func (s *Store) Compact(ctx context.Context, rev storage.Revision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readable(ctx, rev); err != nil {
		return fmt.Errorf("compact to %d: %w", rev, err)
	}
	if rev <= s.compacted {
		return fmt.Errorf("compact to %d: %w", rev, storage.ErrCompacted)
	}
	s.compact(rev)
	s.awake()
	return nil
}

// compact forgets the changes before rev, and the versions that no state from rev on shows.
func (s *Store) compact(rev storage.Revision) {
	drop := 0
	for _, e := range s.log {
		if e.KV.ModRevision > rev {
			break
		}
		s.forget(e.KV.Key, rev)
		if e.KV.ModRevision < rev {
			drop++
		}
	}
	s.log = append([]storage.Event(nil), s.log[drop:]...)
	s.compacted = rev
}

// forget drops the versions of a key that were superseded at rev.
func (s *Store) forget(key string, rev storage.Revision) {
	var drop []*version
	newest := true
	s.versions.DescendLessOrEqual(&version{KeyValue: storage.KeyValue{Key: key, ModRevision: rev}}, func(v *version) bool {
		if v.Key != key {
			return false
		}
		if !newest || v.removed {
			drop = append(drop, v)
		}
		newest = false
		return true
	})
	for _, v := range drop {
		s.versions.Delete(v)
	}
}
