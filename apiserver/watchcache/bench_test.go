package watchcache_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// sized is an object of about 1.6 KB, as the benchmarks of the whole server use.
func sized(namespace string, n int) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"creationTimestamp":"2026-11-24T08:00:00Z",`+
		`"generation":1,"labels":{"app":"bench","tier":"t%d"},"name":"widget-%d","namespace":%q,`+
		`"uid":"0b3f2b54-5b9e-4bb4-8a53-%012d"},"spec":{"text":%q}}`, n%10, n, namespace, n, strings.Repeat("x", 1350))
}

// filled returns a cache over a store with n objects of 1.6 KB.
func filled(b *testing.B, n int, o watchcache.Options) (*logStore, *watchcache.Cache, *watchcache.Resource) {
	store := newLogStore()
	for i := range n {
		k := fmt.Sprintf("%sns-%d/widget-%d", widgets, i%10, i)
		if _, err := store.Put(b.Context(), k, sized(fmt.Sprintf("ns-%d", i%10), i), 0, storage.PutOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	o.Prefix = root
	o.PageSize = 1 << 20 // logStore reads its whole log for each page
	c := watchcache.New(store, o)
	run(b, c)
	return store, c, c.Open(config(widgets))
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// One operation is one write, delivered to every watcher; cpu-ns/event is for each delivery, the store's and
// the writer's work included.
func BenchmarkWriteToDelivery(b *testing.B) {
	for _, watchers := range []int{0, 1, 100} {
		b.Run(fmt.Sprintf("watchers=%d", watchers), func(b *testing.B) {
			store, _, r := filled(b, 100, watchcache.Options{HistoryEvents: 1 << 20, HistoryBytes: 1 << 32})
			snap := snapshot(b, r, watchcache.Freshness{Latest: true})
			last := snap.Revision() + storage.Revision(b.N)
			var readers sync.WaitGroup
			for range watchers {
				w := watch(b, r, watchcache.WatchOptions{From: snap.Revision()})
				readers.Go(func() {
					buf := make([]watchcache.Event, 0, 128)
					for {
						_, upTo, err := w.Next(b.Context(), buf)
						if err != nil {
							b.Error(err)
						}
						if err != nil || upTo >= last {
							return
						}
					}
				})
			}
			value := sized("ns-1", 1)
			k := fmt.Sprintf("%sns-1/widget-1", widgets)
			rev := snap.Get(k).Revision
			b.ReportAllocs()
			b.ResetTimer()
			began := cpuTime()
			for range b.N {
				rev, _ = store.Put(b.Context(), k, value, rev, storage.PutOptions{})
			}
			readers.Wait()
			if _, err := r.Snapshot(b.Context(), watchcache.Freshness{AtLeast: last}); err != nil {
				b.Error(err)
			}
			b.ReportMetric(float64(cpuTime()-began)/float64(b.N*max(watchers, 1)), "cpu-ns/event")
		})
	}
}

// The same where each write waits for its delivery: the latency.
func BenchmarkDeliveryLatency(b *testing.B) {
	store, _, r := filled(b, 100, watchcache.Options{})
	snap := snapshot(b, r, watchcache.Freshness{Latest: true})
	w := watch(b, r, watchcache.WatchOptions{From: snap.Revision()})
	value := sized("ns-1", 1)
	k := fmt.Sprintf("%sns-1/widget-1", widgets)
	rev := snap.Get(k).Revision
	b.ReportAllocs()
	for b.Loop() {
		rev, _ = store.Put(b.Context(), k, value, rev, storage.PutOptions{})
		for upTo := storage.Revision(0); upTo < rev; {
			_, upTo, _ = w.Next(b.Context(), nil)
		}
	}
}

func BenchmarkSnapshotAndRange(b *testing.B) {
	_, _, r := filled(b, 10_000, watchcache.Options{})
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for e := range snapshot(b, r, watchcache.Freshness{}).Range(widgets, "") {
			n += len(e.Data)
		}
		if n < 10_000_000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	_, _, r := filled(b, 10_000, watchcache.Options{})
	k := fmt.Sprintf("%sns-1/widget-1", widgets)
	b.ReportAllocs()
	for b.Loop() {
		if e, _, err := r.Get(b.Context(), k, watchcache.Freshness{Latest: true}); e == nil || err != nil {
			b.Fatal(e, err)
		}
	}
}

// What a write costs when every write finds a snapshot taken, so that it copies its path in the tree.
func BenchmarkWriteAfterSnapshot(b *testing.B) {
	store, _, r := filled(b, 10_000, watchcache.Options{})
	k := fmt.Sprintf("%sns-1/widget-1", widgets)
	rev := snapshot(b, r, watchcache.Freshness{}).Get(k).Revision
	value := sized("ns-1", 1)
	b.ReportAllocs()
	for b.Loop() {
		rev, _ = store.Put(b.Context(), k, value, rev, storage.PutOptions{})
		snapshot(b, r, watchcache.Freshness{Latest: true})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// B/entry is all memory that the cache takes for an entry of 1.6 KB, overhead-B/entry what is not its Data.
func BenchmarkMemoryPerEntry(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		_, c, r := filled(b, n, watchcache.Options{})
		before := heap()
		s := snapshot(b, r, watchcache.Freshness{})
		data := 0
		for e := range s.Range(widgets, "") {
			data += len(e.Data)
		}
		used := heap() - before
		b.ReportMetric(float64(used)/n, "B/entry")
		b.ReportMetric(float64(used-int64(data))/n, "overhead-B/entry")
		runtime.KeepAlive(c)
		runtime.KeepAlive(s)
	}
}

func BenchmarkOpenResources(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		c := watchcache.New(newLogStore(), watchcache.Options{Prefix: root})
		configs := make([]*watchcache.Config, n)
		for i := range configs {
			configs[i] = config(fmt.Sprintf("%sgroup-%d.example.com/things/", root, i))
		}
		before := heap()
		for _, cfg := range configs {
			c.Open(cfg)
		}
		b.ReportMetric(float64(heap()-before)/n, "B/resource")
		runtime.KeepAlive(c)
	}
}
