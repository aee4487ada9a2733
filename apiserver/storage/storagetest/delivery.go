package storagetest

import (
	"context"
	"fmt"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func delivery() []clause {
	return []clause{
		{"Watch/SlowConsumer", watchSlowConsumer},
		{"Watch/ManyConsumers", watchManyConsumers},
		{"Watch/CancelIdle", watchCancelIdle},
		{"Watch/CancelUnread", watchCancelUnread},
		{"Watch/CanceledBefore", watchCanceledBefore},
	}
}

// watchSlowConsumer: who does not read holds up no writer, and has lost nothing when it does read.
func watchSlowConsumer(t *trial) {
	const each = 200
	slow, late := t.watch("/a/", 0), t.watch("/a/", t.revision()+1)
	lists := make([]History, racers)
	concurrently(func(n int) {
		key := fmt.Sprint("/a/", n)
		var rev, made storage.Revision
		for i := range each {
			value := fmt.Sprint("value ", i)
			var err error
			if rev, err = t.tryPut(key, value, rev); err != nil {
				t.Errorf("writing while nobody reads: %v", err)
				return
			}
			if i == 0 {
				made = rev
			}
			lists[n] = append(lists[n], wrote(key, value, made, rev))
		}
	})
	h := merge(lists...)
	slow.until(h.last())
	slow.want(h...)
	late.until(h.last())
	late.want(h...)
	slow.check(h)
	late.check(h)
}

func watchManyConsumers(t *trial) {
	const n = 60
	first := t.revision() + 1
	var open []*stream
	for i := range n {
		prefix, from := "/k/", storage.Revision(0)
		switch i % 3 {
		case 1:
			from = first
		case 2:
			prefix = fmt.Sprintf("/k/%d", i%5)
		}
		open = append(open, t.watch(prefix, from))
	}
	h := story(t)
	t.requestProgress()
	for _, w := range open {
		w.until(h.last())
		w.want(h.Watch(w.seen.Prefix, first, h.last())...)
		w.check(h)
	}
}

func watchCancelIdle(t *trial) {
	for _, from := range []storage.Revision{0, 1, t.revision() + 1, t.revision() + 1000} {
		t.watch("/a/", from).stop()
	}
	t.watch("", 0).stop()
}

// watchCancelUnread: a watch ends also when nobody takes what it has.
func watchCancelUnread(t *trial) {
	open := []*stream{t.watch("/a", 0), t.watch("", 0)}
	var rev storage.Revision
	for range 300 {
		rev = t.put("/a", "1", rev)
	}
	open = append(open, t.watch("/a", t.get("/a", 0).KV.CreateRevision))
	for _, w := range open {
		w.next()
	}
	for _, w := range open {
		w.cancel()
	}
	for _, w := range open {
		w.stop()
	}
	t.put("/a", "2", rev)
}

func watchCanceledBefore(t *trial) {
	rev := t.put("/a", "1", 0)
	for _, from := range []storage.Revision{0, rev, rev + 1} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := &stream{
			t: t, responses: t.store.Watch(ctx, "/a", storage.WatchOptions{From: from}), cancel: cancel,
			follower: follower{prefix: "/a", from: from}, seen: Watched{Prefix: "/a", From: from},
		}
		s.stop()
	}
}

// merge orders what several writers wrote.
func merge(lists ...History) History {
	var h History
	for _, l := range lists {
		h = append(h, l...)
	}
	h.sort()
	return h
}

// eventually waits for a channel to be closed.
func (t *trial) eventually(what string, done <-chan struct{}) {
	t.Helper()
	patience := t.patience()
	hung := time.NewTimer(patience)
	defer hung.Stop()
	select {
	case <-done:
	case <-hung.C:
		t.Fatalf("%s: still not after %v", what, patience)
	}
}
