package workqueue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/workqueue"
)

func Example() {
	q := workqueue.New(workqueue.Config[string]{})
	q.Add("default/web", workqueue.Options{})
	q.Add("default/db", workqueue.Options{Priority: 10})
	q.Add("default/web", workqueue.Options{}) // waits already
	q.ShutDown()
	for {
		item, err := q.Get(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(item.Key)
		q.Done(item)
	}
	// Output:
	// default/db
	// default/web
	// workqueue: shut down
}

func TestAddedWhileWorkedOnRunsAgain(t *testing.T) {
	q := workqueue.New(workqueue.Config[int]{})
	q.Add(1, workqueue.Options{})
	item, _ := q.Get(t.Context())
	q.Add(1, workqueue.Options{})
	q.Add(1, workqueue.Options{Priority: 3})
	if q.Len() != 0 {
		t.Fatal("a key was ready while a worker had it")
	}
	q.Done(item)
	q.Done(item) // harmless
	if item, _ = q.Get(t.Context()); item.Key != 1 || item.Priority != 3 || q.Len() != 0 {
		t.Fatalf("got %+v", item)
	}
	q.Done(item)
	if s := q.Stats(); s.Ready+s.Working+s.Delayed != 0 || s.Adds != 3 {
		t.Fatalf("%+v", s)
	}
}

func TestEarlierTimeWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[string]{})
		start := time.Now()
		q.Add("a", workqueue.Options{After: time.Hour})
		q.Add("a", workqueue.Options{After: time.Minute})
		q.Add("a", workqueue.Options{After: 2 * time.Minute})
		q.Add("b", workqueue.Options{After: time.Second})
		for _, want := range []struct {
			key string
			at  time.Duration
		}{{"b", time.Second}, {"a", time.Minute}} {
			item, err := q.Get(t.Context())
			if err != nil || item.Key != want.key || time.Since(start) != want.at {
				t.Fatalf("got %q after %v: %v", item.Key, time.Since(start), err)
			}
			q.Done(item)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		if item, err := q.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %+v, %v", item, err)
		}
		q.ShutDown()
	})
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[string]{RateLimit: workqueue.RateLimit{Base: time.Second, Max: 5 * time.Second}})
		for i, want := range []time.Duration{1, 2, 4, 5, 5} {
			start := time.Now()
			q.Add("a", workqueue.Options{RateLimited: true})
			item, _ := q.Get(t.Context())
			if got := time.Since(start); got != want*time.Second || item.Failures != i+1 {
				t.Fatalf("failure %d waited %v", item.Failures, got)
			}
			q.Done(item)
		}
		if q.NumRequeues("a") != 5 {
			t.Fatal(q.NumRequeues("a"))
		}
		q.Forget("a")
		if q.NumRequeues("a") != 0 {
			t.Fatal("not forgotten")
		}
		q.ShutDown()
	})
}

func TestTokenBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[int]{RateLimit: workqueue.RateLimit{
			Base: time.Nanosecond, PerSecond: 10, Burst: 5}})
		start := time.Now()
		for i := range 25 {
			q.Add(i, workqueue.Options{RateLimited: true})
		}
		for range 25 {
			item, _ := q.Get(t.Context())
			q.Done(item)
		}
		if got := time.Since(start); got != 2*time.Second {
			t.Fatalf("20 keys beyond the burst took %v", got)
		}
		q.ShutDown()
	})
}

func TestAgingLetsNothingStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[int]{Aging: 10 * time.Millisecond})
		q.Add(-1, workqueue.Options{})
		start := time.Now()
		for i := 0; ; i++ {
			q.Add(i, workqueue.Options{Priority: 100})
			item, _ := q.Get(t.Context())
			q.Done(item)
			if item.Key == -1 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if got := time.Since(start); got < time.Second || got > 1010*time.Millisecond {
			t.Fatalf("priority 100 was worth %v", got)
		}
		q.ShutDown()
	})
}

func TestDrainWaitsForWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[int]{})
		for i := range 10 {
			q.Add(i, workqueue.Options{})
		}
		q.Add(99, workqueue.Options{After: time.Minute})
		var workers sync.WaitGroup
		for range 3 {
			workers.Go(func() {
				for {
					item, err := q.Get(t.Context())
					if err != nil {
						return
					}
					time.Sleep(time.Second)
					q.Done(item)
				}
			})
		}
		start := time.Now()
		if err := q.Drain(t.Context()); err != nil || time.Since(start) != 4*time.Second {
			t.Fatal(err, time.Since(start))
		}
		workers.Wait()
		q.Add(5, workqueue.Options{})
		if _, err := q.Get(t.Context()); !errors.Is(err, workqueue.ErrShutDown) {
			t.Fatal(err)
		}
	})
}

// TestStress has producers and workers race; no key may be worked on twice at once, and the last add of each
// key is followed by work on it.
func TestStress(t *testing.T) {
	q := workqueue.New(workqueue.Config[int]{})
	const keys = 50
	var mu sync.Mutex
	held := map[int]bool{}
	added, seen := map[int]int{}, map[int]int{}
	var workers, producers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for {
				item, err := q.Get(context.Background())
				if err != nil {
					return
				}
				mu.Lock()
				if held[item.Key] {
					t.Errorf("key %d is worked on twice", item.Key)
				}
				held[item.Key] = true
				seen[item.Key] = added[item.Key]
				mu.Unlock()
				mu.Lock()
				held[item.Key] = false
				mu.Unlock()
				q.Done(item)
			}
		})
	}
	for p := range 4 {
		producers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(p), 1))
			for range 5000 {
				k := r.IntN(keys)
				mu.Lock()
				added[k]++
				mu.Unlock()
				q.Add(k, workqueue.Options{Priority: r.IntN(3)})
			}
		})
	}
	producers.Wait()
	if err := q.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	workers.Wait()
	for k := range keys {
		if seen[k] != added[k] {
			t.Errorf("key %d: last seen at add %d of %d", k, seen[k], added[k])
		}
	}
}
