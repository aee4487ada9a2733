package workqueue_test

import (
	"context"
	"fmt"
	"strings"
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

// Items is the loop of a worker: the key is done when the body is through with it.
func ExampleQueue_Items() {
	q := workqueue.New(workqueue.Config[string]{})
	q.Add("default/web", workqueue.Options{})
	for item := range q.Items(context.Background()) {
		if item.Failures == 0 {
			fmt.Println(item.Key, "failed")
			q.Add(item.Key, workqueue.Options{RateLimited: true})
			continue
		}
		fmt.Println(item.Key, "went well after", item.Failures, "failure")
		q.Forget(item.Key)
		q.ShutDown()
	}
	// Output:
	// default/web failed
	// default/web went well after 1 failure
}

// The earliest time wins, and so does the highest priority.
func ExampleOptions() {
	q := workqueue.New(workqueue.Config[string]{})
	defer q.ShutDown()
	q.Add("default/web", workqueue.Options{After: time.Hour, Priority: 10})
	q.Add("default/web", workqueue.Options{After: time.Millisecond})
	item, _ := q.Get(context.Background())
	fmt.Println(item.Key, item.Priority, item.Adds, item.Queued >= time.Millisecond, item.Queued < time.Hour)
	q.Done(item)
	// Output:
	// default/web 10 2 true true
}

// A key that fails waits longer each time. The bucket bounds how often all keys together are tried again.
func ExampleRateLimit() {
	q := workqueue.New(workqueue.Config[string]{
		RateLimit: workqueue.RateLimit{Base: time.Millisecond, Max: time.Minute, PerSecond: 10, Burst: 100},
	})
	defer q.ShutDown()
	for range 3 {
		q.Add("default/web", workqueue.Options{RateLimited: true})
		item, _ := q.Get(context.Background())
		fmt.Println(item.Key, "failed", item.Failures, "times and waited its milliseconds:", item.Queued >= time.Millisecond<<(item.Failures-1))
		q.Done(item)
	}
	q.Forget("default/web")
	fmt.Println(q.NumRequeues("default/web"))
	// Output:
	// default/web failed 1 times and waited its milliseconds: true
	// default/web failed 2 times and waited its milliseconds: true
	// default/web failed 3 times and waited its milliseconds: true
	// 0
}

// One namespace may add as many keys as it likes: the others have their turns.
func ExampleConfig_group() {
	q := workqueue.New(workqueue.Config[string]{
		Group: func(key string) string {
			namespace, _, _ := strings.Cut(key, "/")
			return namespace
		},
	})
	for _, key := range []string{"noisy/1", "noisy/2", "noisy/3", "quiet/1", "other/1"} {
		q.Add(key, workqueue.Options{})
	}
	q.ShutDown()
	for item, err := q.Get(context.Background()); err == nil; item, err = q.Get(context.Background()) {
		fmt.Println(item.Key)
		q.Done(item)
	}
	// Output:
	// noisy/1
	// quiet/1
	// other/1
	// noisy/2
	// noisy/3
}

// A unit of priority is a head start of Config.Aging, so that nothing waits forever.
func ExampleConfig_aging() {
	q := workqueue.New(workqueue.Config[string]{Aging: time.Microsecond})
	q.Add("resync", workqueue.Options{Priority: -20})
	time.Sleep(time.Millisecond)
	q.Add("event", workqueue.Options{})
	q.ShutDown()
	for item, err := q.Get(context.Background()); err == nil; item, err = q.Get(context.Background()) {
		fmt.Println(item.Key)
		q.Done(item)
	}
	// Output:
	// resync
	// event
}

func ExampleQueue_Drain() {
	q := workqueue.New(workqueue.Config[string]{})
	q.Add("default/web", workqueue.Options{})
	q.Add("default/later", workqueue.Options{After: time.Hour})
	go func() {
		for item, err := q.Get(context.Background()); err == nil; item, err = q.Get(context.Background()) {
			fmt.Println("worked on", item.Key)
			q.Done(item)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println("drained:", q.Drain(ctx))
	// Output:
	// worked on default/web
	// drained: <nil>
}

func ExampleQueue_Stats() {
	q := workqueue.New(workqueue.Config[string]{})
	q.Add("default/web", workqueue.Options{Priority: 5})
	q.Add("default/web", workqueue.Options{})
	q.Add("default/db", workqueue.Options{})
	item, _ := q.Get(context.Background())
	s := q.Stats()
	fmt.Println(s.Ready, s.ReadyBy, s.Working, s.Adds, s.Enqueued)
	q.Done(item)
	fmt.Println(q.Stats().Worked.Count)
	// Output:
	// 1 map[0:1 5:0] 1 3 2
	// 1
}

// Causes of a run travel with the key; Merge bounds what is kept of them.
func ExampleConfig_merge() {
	q := workqueue.New(workqueue.Config[string]{
		Merge: func(waiting, added any) any {
			all := append(waiting.([]string), added.([]string)...)
			return all[max(0, len(all)-3):]
		},
	})
	q.Add("default/web", workqueue.Options{Note: []string{"Website default/web created"}})
	q.Add("default/web", workqueue.Options{Priority: 5, Note: []string{"ConfigMap default/web-page deleted"}})
	item, _ := q.Get(context.Background())
	q.Add("default/web", workqueue.Options{Note: []string{"Website default/web changed"}}) // while it runs
	fmt.Println(item.Key, item.Priority, item.Adds, item.Note)
	q.Done(item)

	item, _ = q.Get(context.Background())
	fmt.Println(item.Key, item.Priority, item.Adds, item.Note)
	q.Done(item)
	// Output:
	// default/web 5 2 [Website default/web created ConfigMap default/web-page deleted]
	// default/web 0 1 [Website default/web changed]
}
