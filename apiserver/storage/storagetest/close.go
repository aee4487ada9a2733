package storagetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func closing() []clause {
	return []clause{
		{"Close/Twice", closeTwice},
		{"Close/EndsWatches", closeEndsWatches},
		{"Close/EndsUnreadWatches", closeEndsUnreadWatches},
		{"Close/CallsAfter", closeCallsAfter},
		{"Close/AmidCalls", closeAmidCalls},
	}
}

// close closes the store, which must not wait for anyone.
func (t *trial) close() {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := t.store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}()
	t.eventually("Close returns", done)
}

func closeTwice(t *trial) {
	t.put("/a", "1", 0)
	concurrently(func(int) {
		if err := t.store.Close(); err != nil {
			t.Errorf("Close, by several: %v", err)
		}
	})
	t.close()
}

func closeEndsWatches(t *trial) {
	rev := t.put("/a", "1", 0)
	var open []*stream
	for _, from := range []storage.Revision{0, rev, rev + 1, rev + 1000} {
		open = append(open, t.watch("/a", from), t.watch("/quiet/", from))
	}
	open[2].until(rev)
	t.close()
	for _, w := range open {
		w.ends(storage.ErrClosed)
	}
}

// closeEndsUnreadWatches: whoever reads a watch later still learns how it ended; Close does not wait for it.
func closeEndsUnreadWatches(t *trial) {
	first := t.revision() + 1
	open := []*stream{t.watch("/a", 0), t.watch("/a", first), t.watch("", 0), t.watch("/a", 0)}
	var rev storage.Revision
	for range 300 {
		rev = t.put("/a", "1", rev)
	}
	open[3].cancel()
	t.close()
	for _, w := range open[:3] {
		w.ends(storage.ErrClosed)
	}
	// The canceled one may end in either way.
	for _, ok := open[3].next(); ok; _, ok = open[3].next() {
	}
}

func closeCallsAfter(t *trial) {
	rev := t.put("/a", "1", 0)
	t.close()
	ctx, cancel := t.soon()
	defer cancel()
	for name, call := range map[string]func() error{
		"Get":             func() error { _, err := t.store.Get(ctx, "/a", storage.GetOptions{}); return err },
		"List":            func() error { _, err := t.store.List(ctx, "/", storage.ListOptions{}); return err },
		"Put":             func() error { _, err := t.store.Put(ctx, "/a", nil, rev, storage.PutOptions{}); return err },
		"Put with TTL":    func() error { _, err := t.store.Put(ctx, "/t", nil, 0, storage.PutOptions{TTL: hour}); return err },
		"Delete":          func() error { _, err := t.store.Delete(ctx, "/a", rev); return err },
		"Delete at 0":     func() error { _, err := t.store.Delete(ctx, "/a", 0); return err },
		"Revision":        func() error { _, err := t.store.Revision(ctx); return err },
		"RequestProgress": func() error { return t.store.RequestProgress(ctx) },
		"Compact":         func() error { return t.store.Compact(ctx, rev) },
	} {
		t.wantErr(name+" after Close", call(), storage.ErrClosed)
	}
	for _, from := range []storage.Revision{0, rev, rev + 1} {
		t.watch("/a", from).ends(storage.ErrClosed)
	}
}

// closeAmidCalls: a call that overlaps with Close either succeeds or says why not, and nothing hangs.
func closeAmidCalls(t *trial) {
	var begun, ended sync.WaitGroup
	for n := range racers {
		begun.Add(1)
		ended.Go(func() {
			key := fmt.Sprint("/a/", n)
			for i := 0; ; i++ {
				err := t.someCall(key, i)
				if i == 0 {
					begun.Done()
				}
				if errors.Is(err, storage.ErrClosed) {
					return
				}
				if err != nil && !errors.Is(err, storage.ErrUnavailable) {
					t.Errorf("a call while the store is closed: %v", err)
					return
				}
			}
		})
	}
	begun.Wait()
	t.close()
	done := make(chan struct{})
	go func() { defer close(done); ended.Wait() }()
	t.eventually("calls end after Close", done)
}

// someCall makes one call, of another kind each time.
func (t *trial) someCall(key string, i int) error {
	ctx, cancel := t.soon()
	defer cancel()
	switch i % 5 {
	case 0:
		_, err := t.store.List(ctx, "/a/", storage.ListOptions{})
		return err
	case 1:
		_, err := t.store.Put(ctx, fmt.Sprint(key, "/", i), []byte("value"), 0, storage.PutOptions{})
		return err
	case 2:
		_, err := t.store.Get(ctx, key, storage.GetOptions{})
		return err
	case 3:
		return t.store.RequestProgress(ctx)
	}
	responses := t.store.Watch(ctx, "/a/", storage.WatchOptions{From: 1})
	defer func() {
		cancel()
		for range responses { // until it is closed
		}
	}()
	select {
	case r := <-responses:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}
