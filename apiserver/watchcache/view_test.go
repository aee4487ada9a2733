package watchcache_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/keelson-project/keelson/apiserver/watchcache"
)

func TestViewIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &watchcache.Entry{}
		key := watchcache.ViewKey{SchemaRevision: 1, Version: "v2"}
		var made atomic.Int32
		release := make(chan struct{})
		makeIt := func(context.Context, *watchcache.Entry) ([]byte, error) {
			made.Add(1)
			<-release
			return []byte("v2"), nil
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if data, err := e.View(t.Context(), key, makeIt); string(data) != "v2" || err != nil {
					t.Errorf("got %s %v", data, err)
				}
			})
		}
		synctest.Wait()
		if e.HasView(key) {
			t.Error("there before it is made")
		}
		close(release)
		wg.Wait()
		if !e.HasView(key) || made.Load() != 1 {
			t.Errorf("made %d times", made.Load())
		}
		newer := watchcache.ViewKey{SchemaRevision: 2, Version: "v2"}
		e.SetView(newer, []byte("newer"))
		if e.HasView(key) || !e.HasView(newer) {
			t.Error("the same version of another schema revision takes the place")
		}
	})
}

func TestViewFailureIsForgotten(t *testing.T) {
	e := &watchcache.Entry{}
	key := watchcache.ViewKey{Version: "v2"}
	down := errors.New("down")
	if _, err := e.View(t.Context(), key, func(context.Context, *watchcache.Entry) ([]byte, error) { return nil, down }); !errors.Is(err, down) {
		t.Fatal(err)
	}
	if data, err := e.View(t.Context(), key, func(context.Context, *watchcache.Entry) ([]byte, error) { return []byte("up"), nil }); string(data) != "up" {
		t.Fatal(string(data), err)
	}
}

// Who made the view may have gone before it was made; whoever waited for it makes it then.
func TestViewOutlivesItsMaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &watchcache.Entry{}
		key := watchcache.ViewKey{Version: "v2"}
		first, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = e.View(first, key, func(ctx context.Context, _ *watchcache.Entry) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
		}()
		synctest.Wait()
		var got string
		go func() {
			data, _ := e.View(t.Context(), key, func(context.Context, *watchcache.Entry) ([]byte, error) { return []byte("second"), nil })
			got = string(data)
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if got != "second" {
			t.Fatalf("got %q", got)
		}
	})
}
