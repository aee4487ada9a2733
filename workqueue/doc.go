// Package workqueue decides what to do next, for one key at a time.
//
// A Queue holds keys that want work. Producers Add keys; workers Get one, work on what it names, and say Done, which
// Items does for them:
//
//	q := workqueue.New(workqueue.Config[string]{})
//	q.Add("default/web", workqueue.Options{})
//	for item := range q.Items(ctx) { // until shut down, or ctx ends
//		if err := work(item.Key); err != nil {
//			q.Add(item.Key, workqueue.Options{Priority: item.Priority, RateLimited: true})
//		} else {
//			q.Forget(item.Key)
//		}
//	}
//
// # Guarantees
//
//   - A key is never given to two workers at once. Added while a worker has it, it runs again after Done.
//   - A key waits once, however often it is added: the earliest time and the highest priority win.
//   - Within a priority, keys are given in the order in which they became ready.
//   - Priorities age: each unit is worth Config.Aging of head start, and no more, so nothing starves.
//   - Groups of keys (Config.Group), where configured, take turns within a priority, one key each, in the order in
//     which they came to have one; within a group, keys are given in the order in which they became ready. A turn never
//     passes another priority: a group whose first key would not go before the other priorities on its own merits
//     waits until it would.
//   - A rate limited key waits for its own backoff and for its turn at the bucket that all keys share.
//   - Every key added before ShutDown that was ready or is made ready by Done is given once more; keys whose
//     delay has not passed are dropped.
//
// # Why a key runs
//
// An Item tells how many Adds it answers, how long ago the first of them was (Queued), how long the key was ready
// (Waited), its priority and its failures. What else a worker should know is a note: Add takes one in Options.Note,
// and the Item has it. The queue keeps at most one note for a key, and none but for keys that wait, so producers need
// no table of their own:
//
//   - Where a key that waits with a note is added with another, Config.Merge makes one of the two, in the order of the
//     Adds; it decides how much is kept. It runs inside the queue: it must be quick and must not use the queue.
//   - An Item answers the Adds since its key was given the last time. Adds while a worker has the key, and their
//     notes, belong to the next Item; delayed and rate limited ones too.
//   - A worker that has the key run again hands on what it wants remembered: Options{RateLimited: true, Note: item.Note}.
//   - Notes cost what the producers allocate: a pointer to what many keys share is stored as it is.
//   - Notes that are given to several keys or merged must not be changed in place, unless Merge alone does so with
//     notes that it has made.
//
// # Cost
//
// A Queue has no goroutine of its own: a timer wakes workers when a delay passes. Memory is proportional to the
// keys that wait, are worked on, or have failures counted; what a flood has taken is given back a minute after. A
// group costs memory only while it has ready keys. Nothing is allocated in the steady state.
package workqueue
