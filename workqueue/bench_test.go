package workqueue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/keelson-project/keelson/workqueue"
)

type name struct{ namespace, name string }

func names(n int) []name {
	all := make([]name, n)
	for i := range all {
		all[i] = name{fmt.Sprintf("namespace-%02d", i%16), fmt.Sprintf("object-%06d", i)}
	}
	return all
}

func cycle[K comparable](q *workqueue.Queue[K], k K, opts workqueue.Options) {
	q.Add(k, opts)
	item, _ := q.Get(context.Background())
	q.Done(item)
}

func BenchmarkCycle(b *testing.B) {
	for _, n := range []int{256, 100_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			q := workqueue.New(workqueue.Config[name]{})
			keys := names(n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				cycle(q, keys[i%n], workqueue.Options{})
			}
		})
	}
}

func BenchmarkLoop(b *testing.B) {
	q := workqueue.New(workqueue.Config[name]{})
	keys := names(256)
	b.ReportAllocs()
	i := 0
	q.Add(keys[0], workqueue.Options{})
	for range q.Items(context.Background()) {
		if !b.Loop() {
			break
		}
		i++
		q.Add(keys[i%len(keys)], workqueue.Options{})
	}
}

func BenchmarkPriorityCycle(b *testing.B) {
	q := workqueue.New(workqueue.Config[name]{})
	keys := names(2000)
	for i, k := range keys[1000:] {
		q.Add(k, workqueue.Options{Priority: i % 5})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		cycle(q, keys[i%1000], workqueue.Options{Priority: i % 7})
	}
}

func BenchmarkProducers64(b *testing.B) {
	q := workqueue.New(workqueue.Config[name]{})
	keys := names(6_400)
	b.ReportAllocs()
	for b.Loop() {
		var running sync.WaitGroup
		running.Go(func() {
			left := len(keys)
			for range q.Items(context.Background()) {
				if left--; left == 0 {
					break
				}
			}
		})
		for part := range slices.Chunk(keys, 100) {
			running.Go(func() {
				for _, k := range part {
					q.Add(k, workqueue.Options{})
				}
			})
		}
		running.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(keys)), "ns/add")
}
