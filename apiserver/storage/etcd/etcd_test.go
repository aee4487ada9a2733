package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd"
	"github.com/keelson-project/keelson/apiserver/storage/storagetest"
)

func TestMain(m *testing.M) { os.Exit(storagetest.Main(m)) }

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		return dial(t, etcd.Config{Endpoints: startEtcd(t, nil)})
	})
}

func dial(t *testing.T, c etcd.Config) *etcd.Store {
	t.Helper()
	s, err := etcd.Dial(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestSharedCluster: what one server was told is written, another one reads and watches.
func TestSharedCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	endpoints := startEtcd(t, nil)
	one, other := dial(t, etcd.Config{Endpoints: endpoints}), dial(t, etcd.Config{Endpoints: endpoints})
	watch := other.Watch(ctx, "/", storage.WatchOptions{})
	var history storagetest.History
	for i := range 50 {
		key, value := fmt.Sprint("/a/", i), fmt.Sprint("value ", i)
		rev, err := one.Put(ctx, key, []byte(value), 0, storage.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := other.Get(ctx, key, storage.GetOptions{})
		if err != nil || r.KV == nil || r.KV.ModRevision != rev {
			t.Fatalf("wrote revision %d, the other then saw %v (%v)", rev, r.KV, err)
		}
		_, err = other.Put(ctx, key, nil, 0, storage.PutOptions{})
		if !errors.Is(err, storage.ErrConflict) {
			t.Errorf("created by both: got error %v, want %q", err, storage.ErrConflict)
		}
		history = append(history, storage.Event{Type: storage.EventPut, KV: *r.KV})
	}
	last := history[len(history)-1].KV.ModRevision
	w := storagetest.Watched{Prefix: "/", From: history[0].KV.ModRevision}
	for w.Revision() < last {
		r, ok := <-watch
		if !ok || r.Err != nil {
			t.Fatalf("the watch ended: %v", r.Err)
		}
		w.Responses = append(w.Responses, r)
	}
	if err := w.Check(history); err != nil {
		t.Error(err)
	}
}

// TestCompactorsTakeTurns: history is forgotten by itself, however many servers do it.
func TestCompactorsTakeTurns(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := etcd.Config{Endpoints: startEtcd(t, nil), Options: etcd.Options{CompactEvery: 20 * time.Millisecond}}
	s, _ := dial(t, c), dial(t, c)
	first, err := s.Put(ctx, "/a", nil, 0, storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for rev := first; ; {
		_, err := s.Get(ctx, "/a", storage.GetOptions{Revision: first})
		if errors.Is(err, storage.ErrCompacted) {
			break
		}
		if err == nil {
			rev, err = s.Put(ctx, "/a", nil, rev, storage.PutOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if r, err := s.Get(ctx, "/a", storage.GetOptions{}); err != nil || r.KV == nil || r.KV.CreateRevision != first {
		t.Errorf("after compaction: got %v (%v)", r.KV, err)
	}
}

// TestNew: the caller's client outlives the store.
func TestNew(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client, err := clientv3.New(clientv3.Config{Endpoints: startEtcd(t, nil), Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s := etcd.New(client, etcd.Options{})
	if _, err := s.Put(ctx, "/a", []byte("1"), 0, storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	watch := s.Watch(ctx, "/", storage.WatchOptions{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var last error
	for r := range watch {
		last = r.Err
	}
	if !errors.Is(last, storage.ErrClosed) {
		t.Errorf("the watch ended with error %v, want %q", last, storage.ErrClosed)
	}
	if _, err := s.Get(ctx, "/a", storage.GetOptions{}); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("the closed store: got error %v, want %q", err, storage.ErrClosed)
	}
	if r, err := client.Get(ctx, "/a"); err != nil || len(r.Kvs) != 1 {
		t.Errorf("the client of a closed store: got %v (%v)", r, err)
	}
}

func TestDialFails(t *testing.T) {
	nobody := etcd.Config{Endpoints: []string{"http://127.0.0.1:1"}, DialTimeout: 300 * time.Millisecond}
	if s, err := etcd.Dial(t.Context(), nobody); err == nil {
		t.Error("nobody listens: no error")
		_ = s.Close()
	}
}
