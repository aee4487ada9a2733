package storagetest

import (
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
)

// All of these ask once, as the contract says that this is enough.
func progress() []clause {
	return []clause{
		{"Progress/Quiet", progressQuiet},
		{"Progress/FromTheNext", progressFromNext},
		{"Progress/FromThePast", progressFromPast},
		{"Progress/WritesElsewhere", progressWritesElsewhere},
		{"Progress/AllWatches", progressAllWatches},
		{"Progress/SlowConsumer", progressSlowConsumer},
		{"Progress/Nobody", progressNobody},
		{"Progress/NotBeforeEvents", progressNotBeforeEvents},
	}
}

func progressQuiet(t *trial) {
	w := t.watch("/quiet/", 0)
	for range 3 {
		t.requestProgress()
		for r, ok := w.next(); ok && r.Revision < t.revision(); r, ok = w.next() {
		}
	}
	w.until(t.revision())
	w.want()
}

// progressFromNext: the usual watch, after a list, on a store where nothing happens.
func progressFromNext(t *trial) {
	rev := t.put("/a", "1", 0)
	w := t.watch("/a", rev+1)
	t.requestProgress()
	w.until(rev)
	w.want()
	next := t.put("/a", "2", rev)
	w.until(next)
	w.want(wrote("/a", "2", rev, next))
}

// progressFromPast: there is history to look through first, in which the watch finds nothing, or something.
func progressFromPast(t *trial) {
	h := story(t)
	quiet, busy := t.watch("/quiet/", h[0].KV.ModRevision), t.watch("/k/1", h[0].KV.ModRevision)
	t.requestProgress()
	quiet.until(h.last())
	quiet.want()
	busy.until(h.last())
	busy.check(h)
}

func progressWritesElsewhere(t *trial) {
	w := t.watch("/quiet/", 0)
	var rev storage.Revision
	for range 20 {
		rev = t.put("/a", "1", rev)
		t.requestProgress()
		w.until(rev)
	}
	w.want()
}

// progressAllWatches: what one watch waits for is not the others' trouble.
func progressAllWatches(t *trial) {
	h := story(t)
	waits := t.watch("/k/", h.last()+1)
	early := t.watch("/k/", h.last()+1000)
	past := t.watch("/quiet/", h[0].KV.ModRevision)
	live := t.watch("/quiet/", 0)
	t.requestProgress()
	for _, w := range []*stream{live, past, waits} {
		w.until(h.last())
		w.want()
	}
	early.stop()
}

// progressSlowConsumer: progress is owed to who reads later, too, and for what was asked.
func progressSlowConsumer(t *trial) {
	w := t.watch("/a", 0)
	made := t.put("/a", "0", 0)
	rev, h := made, History{wrote("/a", "0", made, made)}
	for i := range 500 {
		value := fmt.Sprint(i)
		rev = t.put("/a", value, rev)
		h = append(h, wrote("/a", value, made, rev))
	}
	last := t.put("/elsewhere", "", 0)
	t.requestProgress()
	w.until(last)
	w.want(h...)
	w.check(append(h, wrote("/elsewhere", "", last, last)))
}

// progressNobody: there need not be a watch.
func progressNobody(t *trial) {
	t.requestProgress()
	w := t.watch("/a", 0)
	w.stop()
	t.requestProgress()
	t.put("/a", "1", 0)
}

// progressNotBeforeEvents: a response never says more than what has been delivered, however often one asks.
func progressNotBeforeEvents(t *trial) {
	var open []*stream
	for range 4 {
		open = append(open, t.watch("/k/", 0), t.watch("/k/1", t.revision()+1))
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			ctx, cancel := t.soon()
			if err := t.store.RequestProgress(ctx); err != nil {
				t.Errorf("RequestProgress: %v", err)
			}
			cancel()
		}
	}()
	var h History
	for range 5 {
		more := story(t)
		for _, kv := range t.list("/k/", storage.ListOptions{}).KVs {
			more = append(more, removed(kv.Key, t.delete(kv.Key, kv.ModRevision)))
		}
		h = append(h, more...)
	}
	close(stop)
	t.eventually("RequestProgress returns", stopped)
	t.requestProgress()
	for _, w := range open {
		w.until(h.last())
		w.check(h)
	}
}
