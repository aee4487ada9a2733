package workqueue_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/workqueue"
)

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

// TestItemsAreDone has the loop of a worker end in every way: the key must be free each time.
func TestItemsAreDone(t *testing.T) {
	q := workqueue.New(workqueue.Config[int]{})
	loop := func(what string, body func(end context.CancelFunc) bool) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		defer func() {
			if p := recover(); p != nil && p != what {
				panic(p)
			}
			if s := q.Stats(); s.Working != 0 || s.Ready != 0 {
				t.Errorf("%s: %+v", what, s)
			}
		}()
		q.Add(1, workqueue.Options{})
		for item := range q.Items(ctx) {
			if s := q.Stats(); item.Key != 1 || s.Working != 1 {
				t.Errorf("%s: got %+v, %+v", what, item, s)
			}
			if !body(cancel) {
				break
			}
		}
	}
	loop("break", func(context.CancelFunc) bool { return false })
	loop("panic", func(context.CancelFunc) bool { panic("panic") })
	loop("context", func(end context.CancelFunc) bool { end(); return true })
	loop("shutdown", func(context.CancelFunc) bool { q.ShutDown(); return true })
	loop("after", func(context.CancelFunc) bool { t.Error("an item after the end"); return true })
}

// TestTimesAfterABurst has operations so quick that not each reads the clock, and a pause.
func TestTimesAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[string]{})
		for range 40 {
			q.Add("burst", workqueue.Options{Priority: 1000})
		}
		time.Sleep(time.Hour)
		q.Add("low", workqueue.Options{})
		q.Add("high", workqueue.Options{Priority: 1})
		time.Sleep(time.Second)
		for _, want := range []string{"burst", "high", "low"} {
			item, _ := q.Get(t.Context())
			wait := time.Second
			if want == "burst" {
				wait += time.Hour
			}
			if item.Key != want || item.Queued != wait || item.Waited != wait {
				t.Fatalf("got %+v", item)
			}
			q.Done(item)
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[string]{RateLimit: workqueue.RateLimit{Base: time.Minute}})
		q.Add("a", workqueue.Options{Priority: 5})
		q.Add("a", workqueue.Options{})
		q.Add("b", workqueue.Options{})
		q.Add("c", workqueue.Options{After: time.Minute})
		q.Add("d", workqueue.Options{RateLimited: true})
		time.Sleep(time.Second)
		item, _ := q.Get(t.Context())
		q.Add("a", workqueue.Options{}) // runs again
		q.Add("a", workqueue.Options{})
		time.Sleep(2 * time.Second)
		other, _ := q.Get(t.Context())
		time.Sleep(4 * time.Second)
		s := q.Stats()
		if s.Ready != 0 || s.Delayed != 2 || s.Working != 2 || s.Adds != 7 || s.Enqueued != 3 || s.Retries != 2 {
			t.Errorf("%+v", s)
		}
		if s.Unfinished != 10*time.Second || s.LongestRunning != 6*time.Second || s.Waited.Sum != 4*time.Second || s.Worked.Count != 0 {
			t.Errorf("%+v", s)
		}
		q.Done(item)
		q.Done(other)
		s = q.Stats()
		if s.Ready != 1 || s.Working != 0 || s.ReadyBy[0] != 1 || s.ReadyBy[5] != 0 || s.Unfinished+s.LongestRunning != 0 {
			t.Errorf("%+v", s)
		}
		// 4 s and 6 s: below 2^22 us and 2^23 us.
		if s.Worked.Count != 2 || s.Worked.Sum != 10*time.Second || s.Worked.Counts[22] != 1 || s.Worked.Counts[23] != 1 {
			t.Errorf("%+v", s.Worked)
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
		if err := q.Drain(t.Context()); err != nil {
			t.Fatal(err) // a second one
		}
		q.Add(5, workqueue.Options{})
		if _, err := q.Get(t.Context()); !errors.Is(err, workqueue.ErrShutDown) {
			t.Fatal(err)
		}
	})
}

func TestDrainWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[int]{})
		q.Add(1, workqueue.Options{})
		item, _ := q.Get(t.Context())
		q.Add(1, workqueue.Options{}) // to run again
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		q.Done(item)
		if item, err := q.Get(t.Context()); err != nil || item.Key != 1 {
			t.Fatal(item, err)
		} else {
			q.Done(item)
		}
		if err := q.Drain(t.Context()); err != nil {
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

// TestWorkersLeave has workers whose contexts end at any time: no wake-up may be lost with them.
func TestWorkersLeave(t *testing.T) {
	q := workqueue.New(workqueue.Config[int]{})
	const keys = 20_000
	left := make(chan struct{})
	var leaving, staying sync.WaitGroup
	for range 4 {
		leaving.Go(func() {
			for {
				select {
				case <-left:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Microsecond)
				if item, err := q.Get(ctx); err == nil {
					q.Add(item.Key, workqueue.Options{}) // for the one who stays
					q.Done(item)
				}
				cancel()
			}
		})
	}
	staying.Go(func() {
		for seen := map[int]bool{}; len(seen) < keys; {
			item, err := q.Get(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			seen[item.Key] = true
			q.Done(item)
		}
	})
	for i := range keys {
		q.Add(i, workqueue.Options{})
	}
	staying.Wait()
	close(left)
	leaving.Wait()
}

// TestShutDownLosesNoAdd has each producer shut down after its add, while others are adding.
func TestShutDownLosesNoAdd(t *testing.T) {
	for range 200 {
		q := workqueue.New(workqueue.Config[int]{})
		added := make(chan int, 1)
		var producers sync.WaitGroup
		for p := range 8 {
			producers.Go(func() {
				q.Add(p, workqueue.Options{})
				select {
				case added <- p:
					q.ShutDown()
				default:
				}
			})
		}
		producers.Wait()
		want, found := <-added, false
		for item, err := q.Get(t.Context()); err == nil; item, err = q.Get(t.Context()) {
			found = found || item.Key == want
			q.Done(item)
		}
		if !found {
			t.Fatalf("key %d was added before ShutDown and not given", want)
		}
	}
}
