package watchcache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

const widgets = root + "widgets/"

func key(namespace string, n int) string { return fmt.Sprintf("%s%s/%d", widgets, namespace, n) }

// start runs a cache over the world's store, with one resource.
func start(t testing.TB, w *world, o watchcache.Options) (*watchcache.Cache, *watchcache.Resource) {
	t.Helper()
	o.Prefix = root
	c := watchcache.New(w.Store, o)
	run(t, c)
	return c, c.Open(config(widgets))
}

// collect reads until n events have come.
func collect(t testing.TB, w *watchcache.Watcher, n int) []seen {
	t.Helper()
	var got []seen
	for len(got) < n {
		events, _, err := w.Next(t.Context(), nil)
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		for _, e := range events {
			if err := truthful(e.Entry); err != nil {
				t.Error(err)
			}
			got = append(got, record(e))
		}
	}
	return got
}

func watch(t testing.TB, r *watchcache.Resource, o watchcache.WatchOptions) *watchcache.Watcher {
	t.Helper()
	w, err := r.Watch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func equal[T comparable](t testing.TB, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("\n got %v\nwant %v", got, want)
	}
}

// A watch that begins before the cache does, with nothing in between to read from the store, waits for what comes.
func TestWatchFromBeforeTheFirstRead(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{})
	from := w.mustSet(t, key("a", 0), "red")
	w.mustSet(t, root+"gadgets/a/0", "red")
	one := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 0)})
	reading := make(chan []watchcache.Event, 1)
	go func() {
		events, _, _ := one.Next(t.Context(), nil)
		reading <- events
	}()
	select { // it is asleep when the change comes
	case events := <-reading:
		t.Fatalf("nothing happened, and came as %v", events)
	case <-time.After(20 * time.Millisecond):
	}
	w.mustSet(t, key("a", 0), "")
	select {
	case events := <-reading:
		if len(events) != 1 {
			t.Errorf("a deletion came as %v", events)
		}
	case <-time.After(10 * time.Second):
		t.Error("a deletion did not come")
	}
}

func TestWatchSeesChangesThroughItsSelector(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{})
	from := w.mustSet(t, key("a", 0), "red")
	red := watch(t, r, watchcache.WatchOptions{From: from, Match: ofColor("red")})
	w.mustSet(t, key("a", 1), "green")
	w.mustSet(t, key("a", 1), "red")
	w.mustSet(t, key("a", 1), "red")
	w.mustSet(t, key("a", 1), "blue")
	w.mustSet(t, key("a", 0), "")
	w.mustSet(t, key("a", 1), "")
	last := w.mustSet(t, key("a", 2), "red")
	want := w.expected(widgets, "", "red", from, last)
	equal(t, collect(t, red, len(want)), want)
}

func TestDeletedEntriesAreSharedByWatchers(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{})
	from := w.mustSet(t, key("a", 0), "red")
	one := watch(t, r, watchcache.WatchOptions{From: from})
	two := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 0)})
	w.mustSet(t, key("a", 0), "")
	e1, _, err1 := one.Next(t.Context(), nil)
	e2, _, err2 := two.Next(t.Context(), nil)
	if err1 != nil || err2 != nil || len(e1) != 1 || e1[0] != e2[0] || e1[0].Type != watchcache.Deleted {
		t.Fatal(e1, err1, e2, err2)
	}
}

func TestNarrowWatchersAreNotOutrunByOthers(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{HistoryEvents: 8})
	from := w.mustSet(t, key("a", 0), "red")
	all := watch(t, r, watchcache.WatchOptions{From: from})
	one := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 0)})
	ns := watch(t, r, watchcache.WatchOptions{From: from, Prefix: widgets + "a/"})
	for i := range 100 {
		w.mustSet(t, key("b", i), "red")
	}
	last := w.mustSet(t, key("a", 0), "green")
	snapshot(t, r, watchcache.Freshness{Latest: true})
	want := []seen{{last, watchcache.Modified, key("a", 0), "green"}}
	equal(t, collect(t, one, 1), want)
	equal(t, collect(t, ns, 1), want)
	if _, _, err := all.Next(t.Context(), nil); !errors.Is(err, watchcache.ErrExpired) {
		t.Fatalf("a watcher that was outrun got %v", err)
	}
	// A new watcher from then on finds the topic's history, though the resource's is gone.
	late := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 0)})
	equal(t, collect(t, late, 1), want)
}

func TestNarrowWatchersAreOutrunByTheirOwn(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{HistoryEvents: 8})
	from := w.mustSet(t, key("a", 0), "red")
	one := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 0)})
	ns := watch(t, r, watchcache.WatchOptions{From: from, Prefix: widgets + "a/"})
	for range 20 {
		w.mustSet(t, key("a", 0), "green")
	}
	snapshot(t, r, watchcache.Freshness{Latest: true})
	for _, watcher := range []*watchcache.Watcher{one, ns} {
		if events, _, err := watcher.Next(t.Context(), nil); !errors.Is(err, watchcache.ErrExpired) {
			t.Error(events, err)
		}
	}
}

func TestQuietWatchReportsProgress(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{})
	from := w.mustSet(t, key("a", 0), "red")
	one := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 0)})
	last := w.mustSet(t, key("b", 0), "red")
	if _, err := r.Snapshot(t.Context(), watchcache.Freshness{AtLeast: last}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	events, upTo, err := one.Next(ctx, nil)
	if len(events) > 0 || upTo < last || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(events, upTo, err)
	}
}

func TestWatchContinuesAfterARestart(t *testing.T) {
	for _, color := range []string{"", "red"} {
		for _, only := range []string{"", key("a", 1)} {
			t.Run(color+only, func(t *testing.T) {
				w := newWorld(t)
				w.mustSet(t, key("a", 0), "red")
				w.mustSet(t, key("a", 1), "green")
				from := w.mustSet(t, key("a", 2), "red")
				w.mustSet(t, key("a", 0), "green")
				w.mustSet(t, key("a", 1), "red")
				w.mustSet(t, key("a", 1), "")
				w.mustSet(t, key("a", 1), "red")
				w.mustSet(t, key("a", 2), "")
				_, r := start(t, w, watchcache.Options{})
				o := watchcache.WatchOptions{From: from, Key: only}
				if color != "" {
					o.Match = ofColor(color)
				}
				watcher := watch(t, r, o)
				last := w.mustSet(t, key("a", 1), "blue")
				want := w.expected(widgets, only, color, from, last)
				equal(t, collect(t, watcher, len(want)), want)
			})
		}
	}
}

func TestWatchFromCompactedHistoryIsExpired(t *testing.T) {
	w := newWorld(t)
	from := w.mustSet(t, key("a", 0), "red")
	w.mustSet(t, key("a", 0), "green")
	if err := w.Compact(t.Context(), w.mustSet(t, key("a", 0), "blue")); err != nil {
		t.Fatal(err)
	}
	_, r := start(t, w, watchcache.Options{})
	if _, err := r.Watch(t.Context(), watchcache.WatchOptions{From: from}); !errors.Is(err, watchcache.ErrExpired) {
		t.Fatal(err)
	}
}

func TestWatchFromTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, r := start(t, w, watchcache.Options{})
		last := w.mustSet(t, key("a", 0), "red")
		began := time.Now()
		_, err := r.Watch(t.Context(), watchcache.WatchOptions{From: last + 5})
		if took := time.Since(began); !errors.Is(err, watchcache.ErrTimeout) || took != 3*time.Second {
			t.Fatal(err, took)
		}
		go func() {
			for range 6 {
				w.mustSet(t, key("a", 0), "green")
			}
		}()
		watcher := watch(t, r, watchcache.WatchOptions{From: last + 5})
		equal(t, collect(t, watcher, 1), []seen{{last + 6, watchcache.Modified, key("a", 0), "green"}})
	})
}

func TestWatchOfWhatIsNoNamespaceIsRefused(t *testing.T) {
	w := newWorld(t)
	_, r := start(t, w, watchcache.Options{})
	for _, o := range []watchcache.WatchOptions{
		{Prefix: root}, {Prefix: widgets + "a"}, {Prefix: widgets + "a/b/"}, {Key: root + "others/a/0"},
	} {
		if _, err := r.Watch(t.Context(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestWatchersEndWithTheirReason(t *testing.T) {
	w := newWorld(t)
	c := watchcache.New(w.Store, watchcache.Options{Prefix: root})
	stop := run(t, c)
	first := config(widgets)
	for _, tc := range []struct {
		name string
		end  func(*watchcache.Watcher)
		want error
	}{
		{"Stop", (*watchcache.Watcher).Stop, watchcache.ErrClosed},
		{"Open with another Config", func(*watchcache.Watcher) { c.Open(config(widgets)) }, watchcache.ErrReplaced},
		{"Close", func(*watchcache.Watcher) { c.Close(widgets) }, watchcache.ErrReplaced},
		{"Run ends", func(*watchcache.Watcher) { stop() }, watchcache.ErrClosed},
	} {
		r := c.Open(first)
		watcher := watch(t, r, watchcache.WatchOptions{From: w.mustSet(t, key("a", 0), "red")})
		got := make(chan error)
		go func() {
			_, _, err := watcher.Next(t.Context(), nil)
			got <- err
		}()
		tc.end(watcher)
		if err := <-got; !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
		_, err := r.Snapshot(t.Context(), watchcache.Freshness{})
		if tc.name != "Stop" && !errors.Is(err, tc.want) {
			t.Errorf("%s: reads get %v", tc.name, err)
		}
	}
}

// cutOff returns a world whose cache's watch can be cut.
func cutOff(t *testing.T, o watchcache.Options) (*world, *faulty, *watchcache.Cache, *watchcache.Resource) {
	w := newWorld(t)
	f := newFaulty(w.Store)
	o.Prefix = root
	c := watchcache.New(f, o)
	run(t, c)
	return w, f, c, c.Open(config(widgets))
}

func TestWatchOutlivesAnUnavailableStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f, _, r := cutOff(t, watchcache.Options{})
		from := w.mustSet(t, key("a", 0), "red")
		watcher := watch(t, r, watchcache.WatchOptions{From: from})
		f.setDown(storage.ErrUnavailable)
		f.cutWatches(storage.ErrUnavailable)
		last := w.mustSet(t, key("a", 0), "green")
		if _, err := r.Snapshot(t.Context(), watchcache.Freshness{Latest: true}); !errors.Is(err, storage.ErrUnavailable) {
			t.Error("a consistent read of an unavailable store got", err)
		}
		if s, err := r.Snapshot(t.Context(), watchcache.Freshness{}); err != nil || s.Revision() != from {
			t.Error("any other read got", s, err)
		}
		time.AfterFunc(time.Minute, func() { f.setDown(nil) })
		equal(t, collect(t, watcher, 1), []seen{{last, watchcache.Modified, key("a", 0), "green"}})
	})
}

func TestAfterAGapOnlyTheCertainGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f, c, r := cutOff(t, watchcache.Options{})
		w.mustSet(t, key("a", 0), "red")
		from := w.mustSet(t, key("a", 1), "red")
		all := watch(t, r, watchcache.WatchOptions{From: from})
		ns := watch(t, r, watchcache.WatchOptions{From: from, Prefix: widgets + "a/"})
		unchanged := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 0)})
		changed := watch(t, r, watchcache.WatchOptions{From: from, Key: key("a", 1)})
		f.setDown(storage.ErrUnavailable)
		f.cutWatches(storage.ErrCompacted)
		w.mustSet(t, key("a", 1), "green")
		w.mustSet(t, key("a", 2), "blue")
		f.setDown(nil)
		for _, watcher := range []*watchcache.Watcher{all, ns, changed} {
			if events, _, err := watcher.Next(t.Context(), nil); !errors.Is(err, watchcache.ErrExpired) {
				t.Error(events, err)
			}
		}
		last := w.mustSet(t, key("a", 0), "green")
		equal(t, collect(t, unchanged, 1), []seen{{last, watchcache.Modified, key("a", 0), "green"}})
		snap, err := r.Snapshot(t.Context(), watchcache.Freshness{Latest: true})
		if err != nil || snap.Len() != 3 || c.Stats().Gaps != 1 {
			t.Fatal(err, snap, c.Stats())
		}
	})
}
