package workqueue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keelson-project/keelson/workqueue"
)

// TestNothingIsAllocated holds the queue to its promise for the steady state, with every feature in use.
func TestNothingIsAllocated(t *testing.T) {
	keys := names(500)
	note := new(string)
	merged := workqueue.Config[name]{Merge: func(waiting, _ any) any { return waiting }}
	for what, c := range map[string]struct {
		cfg  workqueue.Config[name]
		opts func(i int) workqueue.Options
	}{
		"plain":      {},
		"priorities": {opts: func(i int) workqueue.Options { return workqueue.Options{Priority: i % 7} }},
		"groups":     {cfg: workqueue.Config[name]{Group: func(n name) string { return n.namespace }}},
		"notes":      {cfg: merged, opts: func(int) workqueue.Options { return workqueue.Options{Note: note} }},
	} {
		q := workqueue.New(c.cfg)
		for i, k := range keys[400:] {
			q.Add(k, workqueue.Options{Priority: i % 5})
		}
		i := 0
		turn := func() {
			for range 10 {
				opts := workqueue.Options{}
				if c.opts != nil {
					opts = c.opts(i)
				}
				q.Add(keys[i%400], opts)
				q.Add(keys[i%400], opts)
				item, _ := q.Get(context.Background())
				q.Done(item)
				i++
			}
		}
		for range 1000 {
			turn()
		}
		if n := testing.AllocsPerRun(1000, turn); n > 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

// TestSleepingAllocatesNothing has a worker sleep until a key is due.
func TestSleepingAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := workqueue.New(workqueue.Config[int]{})
		if n := testing.AllocsPerRun(1000, func() {
			q.Add(1, workqueue.Options{After: time.Second})
			item, _ := q.Get(context.Background())
			q.Done(item)
		}); n > 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
