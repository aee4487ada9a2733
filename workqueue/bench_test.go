package workqueue_test

import (
	"context"
	"sync"
	"testing"

	"github.com/keelson-project/keelson/workqueue"
)

func BenchmarkAddGetDone(b *testing.B) {
	q := workqueue.New(workqueue.Config[int]{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.Add(i&1023, workqueue.Options{})
		item, _ := q.Get(context.Background())
		q.Done(item)
	}
}

func BenchmarkPriorityAddGetDone(b *testing.B) {
	q := workqueue.New(workqueue.Config[int]{})
	for i := range 1000 {
		q.Add(-i-1, workqueue.Options{Priority: i % 5})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.Add(i, workqueue.Options{Priority: i % 7})
		item, _ := q.Get(context.Background())
		q.Done(item)
	}
}

func BenchmarkProducers64(b *testing.B) {
	q := workqueue.New(workqueue.Config[int]{})
	b.ReportAllocs()
	var producers, consumer sync.WaitGroup
	consumer.Go(func() {
		for {
			item, err := q.Get(context.Background())
			if err != nil {
				return
			}
			q.Done(item)
		}
	})
	for p := range 64 {
		producers.Go(func() {
			for i := p; i < b.N; i += 64 {
				q.Add(i%10_000, workqueue.Options{})
			}
		})
	}
	producers.Wait()
	q.ShutDown()
	consumer.Wait()
}
