package library

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	clientqueue "k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	"github.com/keelson-project/keelson/workqueue"
)

// Workqueue compares workqueue with client-go's typed queue, and its priorities with controller-runtime's priority
// queue. Keys are namespaced names, as in any controller. The peers have no name and so no metrics, which makes them
// faster than they are in a controller; ours always counts and times.
type Workqueue struct{}

// Name implements Scenario.
func (Workqueue) Name() string { return "lib-workqueue" }

// Loads implements Scenario.
func (Workqueue) Loads() []Load {
	return []Load{
		against("lib-queue", 1, clientGo, cycle),
		against("lib-queue-loop", 1, clientGo, loop),
		against("lib-queue-fresh", 1, clientGo, fresh),
		against("lib-queue-producers", distinct, clientGo, producers),
		against("lib-queue-flood", 1, clientGo, flood),
		against("lib-queue-priority", 1, controllerRuntime, priorities),
		{Keelson: benchmark("lib-queue-groups", 1, func(b *testing.B) {
			priorities(b, ours(workqueue.Config[key]{Group: func(k key) string { return k.Namespace }}))
		})},
	}
}

func against(id string, n int64, peer func() queue, load func(*testing.B, queue)) Load {
	return Load{
		Keelson: benchmark(id, n, func(b *testing.B) { load(b, ours(workqueue.Config[key]{})) }),
		Peer:    benchmark(id, n, func(b *testing.B) { load(b, peer()) }),
	}
}

type key = types.NamespacedName

// keys returns n names in 16 namespaces.
func keys(n int) []key {
	all := make([]key, n)
	for i := range all {
		all[i] = key{Namespace: fmt.Sprintf("namespace-%02d", i%16), Name: fmt.Sprintf("object-%06d", i)}
	}
	return all
}

// queue is what the loads use of a queue.
type queue struct {
	add      func(k key, priority int)
	cycle    func() bool            // gets a key and is done with it; false: shut down
	loop     func(body func() bool) // that until shut down, calling body between the two, or until body returns false
	shutDown func()
}

func ours(cfg workqueue.Config[key]) queue {
	q := workqueue.New(cfg)
	return queue{
		add: func(k key, priority int) { q.Add(k, workqueue.Options{Priority: priority}) },
		cycle: func() bool {
			item, err := q.Get(context.Background())
			if err != nil {
				return false
			}
			q.Done(item)
			return true
		},
		loop: func(body func() bool) {
			for range q.Items(context.Background()) {
				if !body() {
					return
				}
			}
		},
		shutDown: q.ShutDown,
	}
}

func clientGo() queue {
	q := clientqueue.NewTyped[key]()
	return queue{
		add: func(k key, _ int) { q.Add(k) },
		cycle: func() bool {
			k, down := q.Get()
			if down {
				return false
			}
			q.Done(k)
			return true
		},
		loop: func(body func() bool) {
			for more := true; more; {
				k, down := q.Get()
				more = !down && body()
				q.Done(k)
			}
		},
		shutDown: q.ShutDown,
	}
}

func controllerRuntime() queue {
	q := priorityqueue.New[key]("")
	return queue{
		add: func(k key, priority int) { q.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, k) },
		cycle: func() bool {
			k, _, down := q.GetWithPriority()
			if down {
				return false
			}
			q.Done(k)
			return true
		},
		shutDown: q.ShutDown,
	}
}

// cycle adds, gets and is done with one of 256 keys after the other, as in a controller whose objects change often.
func cycle(b *testing.B, q queue) {
	defer q.shutDown()
	all := keys(256)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.add(all[i%len(all)], 0)
		q.cycle()
	}
}

// loop is cycle with the loop of a worker: Items, or what one writes in its place.
func loop(b *testing.B, q queue) {
	defer q.shutDown()
	all := keys(256)
	b.ReportAllocs()
	i := 0
	q.add(all[0], 0)
	q.loop(func() bool {
		i++
		q.add(all[i%len(all)], 0)
		return b.Loop()
	})
}

// fresh is cycle with 100,000 keys, so that none has been seen lately.
func fresh(b *testing.B, q queue) {
	defer q.shutDown()
	all := keys(100_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.add(all[i%len(all)], 0)
		q.cycle()
	}
}

// priorities is cycle with seven priorities, while 1,000 other keys wait.
func priorities(b *testing.B, q queue) {
	defer q.shutDown()
	all := keys(2000)
	for i, k := range all[1000:] {
		q.add(k, i%5)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.add(all[i%1000], i%7)
		q.cycle()
	}
}

// distinct is how many adds an iteration of producers makes.
const distinct = 64 * 100

// producers has 64 goroutines add 100 keys each, all different, while one consumer gets them, until all are done.
func producers(b *testing.B, q queue) {
	defer q.shutDown()
	all := keys(distinct)
	b.ReportAllocs()
	for b.Loop() {
		var running sync.WaitGroup
		running.Go(func() {
			left := len(all)
			q.loop(func() bool { left--; return left > 0 })
		})
		for part := range slices.Chunk(all, len(all)/64) {
			running.Go(func() {
				for _, k := range part {
					q.add(k, 0)
				}
			})
		}
		running.Wait()
	}
}

// flood has 64 goroutines add 10,000 keys over and over while one consumer gets them: most of the keys wait already.
func flood(b *testing.B, q queue) {
	all := keys(10_000)
	b.ReportAllocs()
	b.ResetTimer()
	var adding, working sync.WaitGroup
	working.Go(func() { q.loop(func() bool { return true }) })
	for p := range 64 {
		adding.Go(func() {
			for i := p; i < b.N; i += 64 {
				q.add(all[i%len(all)], 0)
			}
		})
	}
	adding.Wait()
	q.shutDown()
	working.Wait()
}
