package memory_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/apiserver/storage/storagetest"
)

func TestMain(m *testing.M) { os.Exit(storagetest.Main(m)) }

func TestContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New(memory.Options{}) })
}

// TestKeepRevisions: history is bounded by itself, the newest values are not.
func TestKeepRevisions(t *testing.T) {
	const keep, writes = 20, 200
	s := memory.New(memory.Options{KeepRevisions: keep})
	defer s.Close()
	unread := s.Watch(t.Context(), "/", storage.WatchOptions{})
	revs := make([]storage.Revision, writes)
	for i := range revs {
		var err error
		if revs[i], err = s.Put(t.Context(), fmt.Sprintf("/%03d", i), nil, 0, storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for i, rev := range revs {
		r, err := s.List(t.Context(), "/", storage.ListOptions{Revision: rev})
		switch {
		case err == nil && len(r.KVs) != i+1:
			t.Errorf("at revision %d: %d keys, want %d", rev, len(r.KVs), i+1)
		case err != nil && !errors.Is(err, storage.ErrCompacted):
			t.Errorf("at revision %d: got error %v, want %q", rev, err, storage.ErrCompacted)
		case err != nil && i >= writes-keep:
			t.Errorf("at revision %d, of the newest %d: %v", rev, keep, err)
		case err == nil && i < writes-2*keep:
			t.Errorf("revision %d can be read, %d revisions later", rev, writes-i)
		}
	}
	var last error
	for r := range unread {
		last = r.Err
	}
	if !errors.Is(last, storage.ErrCompacted) {
		t.Errorf("a watch that fell behind ended with error %v, want %q", last, storage.ErrCompacted)
	}
}

// TestExpiry: to the moment, whatever the order of the writes, on a clock of its own.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(memory.Options{})
		defer s.Close()
		begun := time.Now()
		watch := s.Watch(t.Context(), "/", storage.WatchOptions{})
		ttls := []time.Duration{3 * time.Hour, time.Millisecond, 2 * time.Hour, time.Hour}
		for _, ttl := range ttls {
			if _, err := s.Put(t.Context(), "/"+ttl.String(), nil, 0, storage.PutOptions{TTL: ttl}); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(ttls)
		for r := range watch {
			for _, e := range r.Events {
				if e.Type == storage.EventPut {
					continue
				}
				if lived := time.Since(begun); lived != ttls[0] || e.KV.Key != "/"+ttls[0].String() {
					t.Errorf("%s was removed after %v, want %v next", e.KV.Key, lived, ttls[0])
				}
				if ttls = ttls[1:]; len(ttls) == 0 {
					return
				}
			}
		}
	})
}
