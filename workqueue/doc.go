// Package workqueue decides what to do next, for one key at a time.
//
// A Queue holds keys that want work. Producers Add keys; workers Get one, work on what it names, and say Done:
//
//	q := workqueue.New[string](workqueue.Config{})
//	q.Add("default/web", workqueue.Options{})
//	for {
//		item, err := q.Get(ctx)
//		if err != nil {
//			return // shut down, or ctx ended
//		}
//		if err := work(item.Key); err != nil {
//			q.Add(item.Key, workqueue.Options{Priority: item.Priority, RateLimited: true})
//		} else {
//			q.Forget(item.Key)
//		}
//		q.Done(item)
//	}
//
// # Guarantees
//
//   - A key is never given to two workers at once. Added while a worker has it, it runs again after Done.
//   - A key waits once, however often it is added: the earliest time and the highest priority win.
//   - Within a priority, keys are given in the order in which they became ready.
//   - Priorities age: each unit is worth Config.Aging of head start, and no more, so nothing starves.
//   - Every key added before ShutDown that was ready or is made ready by Done is given once more; keys whose
//     delay has not passed are dropped.
//
// A Queue has no goroutine of its own: a timer wakes workers when a delay passes. Memory is proportional to the
// keys that wait, are worked on, or have failures counted. Nothing is allocated in the steady state.
package workqueue
