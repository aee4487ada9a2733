package watchcache_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

func snapshot(t testing.TB, r *watchcache.Resource, f watchcache.Freshness) *watchcache.Snapshot {
	t.Helper()
	s, err := r.Snapshot(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keys(s *watchcache.Snapshot, prefix, start string) []string {
	var out []string
	for e := range s.Range(prefix, start) {
		out = append(out, e.Key)
	}
	return out
}

func TestNothingIsHeldBeforeTheFirstRead(t *testing.T) {
	w := newWorld(t)
	c, r := start(t, w, watchcache.Options{})
	w.mustSet(t, key("a", 0), "red")
	if n := len(c.Stats().Resources); n != 0 {
		t.Fatalf("%d resources in use before the first read", n)
	}
	e, rev, err := r.Get(t.Context(), key("a", 0), watchcache.Freshness{Latest: true})
	if err != nil || e == nil || e.Revision != rev || e.Projection.Name != "0" || e.Projection.Namespace != "a" {
		t.Fatal(e, rev, err)
	}
	if e, _, err := r.Get(t.Context(), key("a", 1), watchcache.Freshness{}); e != nil || err != nil {
		t.Fatal(e, err)
	}
	s := c.Stats()
	if len(s.Resources) != 1 || s.Resources[0].Entries != 1 || s.Resources[0].Bytes < int64(len(e.Data)) {
		t.Fatal(s)
	}
}

func TestSnapshotsRangeAndStayAsTheyAre(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{PageSize: 2})
	for _, ns := range []string{"b", "a", "ab"} {
		for i := range 3 {
			w.mustSet(t, key(ns, i), "red")
		}
	}
	s := snapshot(t, r, watchcache.Freshness{Latest: true})
	w.mustSet(t, key("a", 1), "")
	w.mustSet(t, key("a", 2), "green")
	now := snapshot(t, r, watchcache.Freshness{Latest: true})
	equal(t, keys(s, widgets+"a/", ""), []string{key("a", 0), key("a", 1), key("a", 2)})
	equal(t, keys(s, widgets+"a/", key("a", 1)), []string{key("a", 1), key("a", 2)})
	equal(t, keys(now, widgets+"a/", ""), []string{key("a", 0), key("a", 2)})
	equal(t, keys(s, widgets, key("b", 2)), []string{key("b", 2)})
	if s.Len() != 9 || now.Len() != 8 || s.Get(key("a", 1)) == nil || now.Get(key("a", 1)) != nil {
		t.Fatal(s.Len(), now.Len())
	}
}

func TestKeptSnapshotsAreFoundAgain(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{KeptSnapshots: 2})
	var revs []storage.Revision
	for i := range 4 {
		w.mustSet(t, key("a", i), "red")
		s := snapshot(t, r, watchcache.Freshness{Latest: true})
		s.Keep()
		revs = append(revs, s.Revision())
	}
	w.mustSet(t, key("a", 9), "red")
	newest := snapshot(t, r, watchcache.Freshness{Latest: true}).Revision()
	for i, rev := range append(revs, newest) {
		s, ok := r.SnapshotAt(rev)
		if held := i >= 2; ok != held || ok && (s.Len() != i+1 || s.Revision() != rev) {
			t.Errorf("SnapshotAt(%d): %v", rev, ok)
		}
	}
	if _, ok := r.SnapshotAt(newest + 1); ok {
		t.Error("the future was found")
	}
}

func TestConsistentReadAfterAWriteElsewhere(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{})
	snapshot(t, r, watchcache.Freshness{})
	last, err := w.Put(t.Context(), "/elsewhere", []byte("x"), 0, storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s := snapshot(t, r, watchcache.Freshness{Latest: true}); s.Revision() < last {
		t.Fatal(s.Revision(), last)
	}
}

func TestReadFromTheFutureTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, r := start(t, w, watchcache.Options{FreshTimeout: time.Second})
		began := time.Now()
		_, err := r.Snapshot(t.Context(), watchcache.Freshness{AtLeast: 1000})
		if took := time.Since(began); !errors.Is(err, watchcache.ErrTimeout) || took != time.Second {
			t.Fatal(err, took)
		}
	})
}

func TestFirstReadersShareOneListing(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.mustSet(t, key("a", i), "red")
	}
	c := watchcache.New(w.Store, watchcache.Options{Prefix: root, PageSize: 3})
	r := c.Open(config(widgets))
	given, giveUp := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for i := range 10 {
		readers.Go(func() {
			ctx := t.Context()
			if i == 0 {
				ctx = given
			}
			s, err := r.Snapshot(ctx, watchcache.Freshness{})
			if i == 0 && !errors.Is(err, context.Canceled) || i > 0 && (err != nil || s.Len() != 20) {
				t.Error(i, s, err)
			}
		})
	}
	giveUp() // one of them, before anything runs
	run(t, c)
	readers.Wait()
}

func TestUnavailableStoreFailsTheFirstReadAndNotTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f, _, r := cutOff(t, watchcache.Options{})
		synctest.Wait()
		f.setDown(storage.ErrUnavailable)
		if _, err := r.Snapshot(t.Context(), watchcache.Freshness{}); !errors.Is(err, storage.ErrUnavailable) {
			t.Fatal(err)
		}
		f.setDown(nil)
		w.mustSet(t, key("a", 0), "red")
		if s := snapshot(t, r, watchcache.Freshness{}); s.Len() != 1 {
			t.Fatal(s.Len())
		}
	})
}

func TestIdleResourcesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c, r := start(t, w, watchcache.Options{})
		from := w.mustSet(t, key("a", 0), "red")
		snapshot(t, r, watchcache.Freshness{Latest: true})
		watcher := watch(t, r, watchcache.WatchOptions{From: from})
		time.Sleep(time.Hour)
		if n := len(c.Stats().Resources); n != 1 {
			t.Fatal("a watched resource was dropped")
		}
		watcher.Stop()
		time.Sleep(9 * time.Minute)
		if n := len(c.Stats().Resources); n != 1 {
			t.Fatal("a resource was dropped too early")
		}
		time.Sleep(5 * time.Minute)
		if n := len(c.Stats().Resources); n != 0 {
			t.Fatal("an idle resource was not dropped")
		}
		last := w.mustSet(t, key("a", 1), "red")
		if s := snapshot(t, r, watchcache.Freshness{Latest: true}); s.Len() != 2 || s.Revision() != last {
			t.Fatal(s.Len(), s.Revision())
		}
		late := watch(t, r, watchcache.WatchOptions{From: from}) // from before it was dropped
		equal(t, collect(t, late, 1), []seen{{last, watchcache.Added, key("a", 1), "red"}})
	})
}

func TestUndecodableObjectsAreLeftOut(t *testing.T) {
	w := newWorld(t)
	c, r := start(t, w, watchcache.Options{})
	from := w.mustSet(t, key("a", 0), "red")
	watcher := watch(t, r, watchcache.WatchOptions{From: from})
	broken, err := w.Put(t.Context(), key("a", 0), []byte("garbage"), from, storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	latest := watchcache.Freshness{Latest: true}
	if _, _, err := r.Get(t.Context(), key("a", 0), latest); !errors.Is(err, watchcache.ErrUndecodable) {
		t.Fatal(err)
	}
	if s := snapshot(t, r, latest); s.Len() != 0 || c.Stats().Resources[0].Undecodable != 1 {
		t.Fatal(s.Len(), c.Stats())
	}
	mended := w.mustSet(t, key("a", 0), "blue")
	equal(t, collect(t, watcher, 2), []seen{
		{broken, watchcache.Deleted, key("a", 0), "red"}, {mended, watchcache.Added, key("a", 0), "blue"},
	})
	if e, _, err := r.Get(t.Context(), key("a", 0), latest); err != nil || e == nil || c.Stats().Resources[0].Undecodable != 0 {
		t.Fatal(e, err)
	}
}

func TestManyEventsDuringTheFirstListing(t *testing.T) {
	w := newWorld(t)
	c := watchcache.New(w.Store, watchcache.Options{Prefix: root, PageSize: 1})
	r := c.Open(config(widgets))
	for i := range 200 {
		w.mustSet(t, key("a", i), "red")
	}
	run(t, c)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 2000 {
			if _, err := w.set(t.Context(), key("a", i%300), []string{"red", "green", ""}[i%3]); err != nil {
				t.Error(err)
			}
		}
	})
	s := snapshot(t, r, watchcache.Freshness{})
	writer.Wait()
	for _, s := range []*watchcache.Snapshot{s, snapshot(t, r, watchcache.Freshness{Latest: true})} {
		want := w.stateAt(widgets, s.Revision())
		got := 0
		for e := range s.Range(widgets, "") {
			if got++; want[e.Key].rev != e.Revision {
				t.Errorf("%s is at %d, want %d", e.Key, e.Revision, want[e.Key].rev)
			}
		}
		if got != len(want) {
			t.Errorf("%d entries at %d, want %d", got, s.Revision(), len(want))
		}
	}
}

func TestMoreEventsDuringAListingThanHistoryHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f, _, r := cutOff(t, watchcache.Options{})
		first := w.mustSet(t, key("a", 0), "red")
		synctest.Wait()
		f.mu.Lock()
		f.hold = make(chan struct{})
		f.mu.Unlock()
		got := make(chan *watchcache.Snapshot)
		go func() { got <- snapshot(t, r, watchcache.Freshness{Latest: true}) }()
		synctest.Wait() // the list was made and is on its way
		for i := range 40_000 {
			w.mustSet(t, key("a", i%500), []string{"red", "green", "", "blue"}[i%4])
		}
		close(f.hold)
		s := <-got
		want := w.stateAt(widgets, s.Revision())
		for e := range s.Range(widgets, "") {
			if want[e.Key].rev != e.Revision {
				t.Errorf("%s is at %d, want %d", e.Key, e.Revision, want[e.Key].rev)
			}
		}
		if s.Len() != len(want) || s.Len() != 375 {
			t.Error(s.Len(), len(want))
		}
		if _, err := r.Watch(t.Context(), watchcache.WatchOptions{From: first}); !errors.Is(err, watchcache.ErrExpired) {
			t.Error("a watch over more than history may hold got", err)
		}
	})
}

func TestRunTwiceAndAfterTheStoreIsClosed(t *testing.T) {
	w := newWorld(t)
	c := watchcache.New(w.Store, watchcache.Options{Prefix: root})
	ended := make(chan error)
	go func() { ended <- c.Run(t.Context()) }()
	r := c.Open(config(widgets))
	snapshot(t, r, watchcache.Freshness{})
	if err := c.Run(t.Context()); err == nil {
		t.Error("it ran twice")
	}
	w.Close()
	if err := <-ended; !errors.Is(err, storage.ErrClosed) {
		t.Error(err)
	}
	if _, err := r.Snapshot(t.Context(), watchcache.Freshness{}); !errors.Is(err, watchcache.ErrClosed) {
		t.Error(err)
	}
	if _, err := c.Open(config(widgets)).Snapshot(t.Context(), watchcache.Freshness{}); !errors.Is(err, watchcache.ErrClosed) {
		t.Error(err)
	}
}
