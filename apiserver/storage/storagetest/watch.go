package storagetest

import (
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func watches() []clause {
	return []clause{
		{"Watch/Events", watchEvents},
		{"Watch/FromZero", watchFromZero},
		{"Watch/FromZeroAmidWrites", watchFromZeroAmidWrites},
		{"Watch/FromThePast", watchFromPast},
		{"Watch/FromTheNext", watchFromNext},
		{"Watch/FromTheFuture", watchFromFuture},
		{"Watch/PrefixBoundaries", watchPrefixBoundaries},
		{"Watch/Resumable", watchResumable},
		{"Watch/WhatCameIsRead", watchedIsRead},
	}
}

func watchEvents(t *trial) {
	w := t.watch("/", 0)
	a := t.put("/a", "1", 0)
	a2 := t.put("/a", "2", a)
	gone := t.delete("/a", a2)
	again := t.put("/a", "3", 0)
	w.until(again)
	w.want(wrote("/a", "1", a, a), wrote("/a", "2", a, a2), removed("/a", gone), wrote("/a", "3", again, again))
	for i, created := range []bool{true, false, false, true} {
		if events := w.seen.Events(); i < len(events) && events[i].Created() != created {
			t.Errorf("event %d, a %s: Created() is %v", i, describe(events[i]), !created)
		}
	}
}

// watchFromZero: what is written after Watch has returned comes, what was acknowledged before it does not.
func watchFromZero(t *trial) {
	var rev storage.Revision
	for range 50 {
		rev = t.put("/a", "before", rev)
		w := t.watch("/a", 0)
		made := t.get("/a", 0).KV.CreateRevision
		rev = t.put("/a", "after", rev)
		w.until(rev)
		w.want(wrote("/a", "after", made, rev))
		w.stop()
	}
}

// watchFromZeroAmidWrites: the same while others write.
func watchFromZeroAmidWrites(t *trial) {
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		var rev storage.Revision
		var err error
		for err == nil {
			select {
			case <-stop:
				ended <- nil
				return
			default:
				rev, err = t.tryPut("/noise", "", rev)
			}
		}
		ended <- err
	}()
	for i := range 30 {
		key := fmt.Sprint("/a/", i)
		w := t.watch("/", 0)
		rev := t.put(key, "1", 0)
		found := false
		for _, e := range w.until(rev) {
			found = found || sameEvent(e, wrote(key, "1", rev, rev))
		}
		if !found {
			t.Errorf("the write of revision %d, begun after Watch had returned, did not come", rev)
		}
		w.stop()
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Errorf("the other writer: %v", err)
	}
}

// story writes a little of everything under /k/ and returns it.
func story(t *trial) History {
	var h History
	stands := map[string]storage.KeyValue{}
	for i := range 40 {
		key := fmt.Sprint("/k/", i*7%5)
		old, exists := stands[key]
		if exists && i%3 == 0 {
			h = append(h, removed(key, t.delete(key, old.ModRevision)))
			delete(stands, key)
			continue
		}
		value := fmt.Sprint("value ", i)
		rev := t.put(key, value, old.ModRevision)
		made := old.CreateRevision
		if !exists {
			made = rev
		}
		stands[key] = *kv(key, value, made, rev)
		h = append(h, wrote(key, value, made, rev))
	}
	return h
}

// watchFromPast: from each revision on, a watch tells all that happened since, and goes on from there.
func watchFromPast(t *trial) {
	h := story(t)
	var open []*stream
	for _, e := range h {
		w := t.watch("/k/", e.KV.ModRevision)
		open = append(open, w)
	}
	last := t.put("/k/live", "1", 0)
	h = append(h, wrote("/k/live", "1", last, last))
	for _, w := range open {
		w.until(last)
		w.want(h.Watch("/k/", w.seen.From, last)...)
		w.check(h)
	}
}

func watchFromNext(t *trial) {
	rev := t.put("/a", "1", 0)
	w := t.watch("/a", rev+1)
	next := t.put("/a", "2", rev)
	w.until(next)
	w.want(wrote("/a", "2", rev, next))
}

// watchFromFuture: a watch may be early, and waits for its revision.
func watchFromFuture(t *trial) {
	rev := t.put("/a", "0", 0)
	made, from := rev, rev+5
	w := t.watch("/a", from)
	var h History
	for i := range 10 {
		value := fmt.Sprint(i)
		rev = t.put("/a", value, rev)
		h = append(h, wrote("/a", value, made, rev))
	}
	w.until(rev)
	w.want(h.Watch("/a", from, rev)...)
}

func watchPrefixBoundaries(t *trial) {
	keys := []string{"/a", "/a-", "/a/", "/a/1", "/a/2/3", "/a0", "/b", "0", "p\xff", "p\xff1", "q", "\xff\xff", "\xff\xff1"}
	open := map[string]*stream{}
	for _, prefix := range []string{"/a/", "/a", "/a0", "/a/1", "/b", "p\xff", "\xff", "\xff\xff", ""} {
		open[prefix] = t.watch(prefix, 0)
	}
	start := t.revision() + 1
	var h History
	for _, key := range keys {
		rev := t.put(key, "1", 0)
		h = append(h, wrote(key, "1", rev, rev), removed(key, t.delete(key, rev)))
	}
	t.requestProgress()
	for prefix, w := range open {
		past := t.watch(prefix, start)
		w.until(h.last())
		want := h.Watch(prefix, start, h.last())
		w.want(want...)
		past.until(want[len(want)-1].KV.ModRevision)
		past.want(want...)
	}
}

// watchResumable: a watch that is left after each response and begun again tells the same as one that stays.
func watchResumable(t *trial) {
	h := story(t)
	stays := t.watch("/k/", h[0].KV.ModRevision)
	last := t.put("/k/last", "1", 0)
	h = append(h, wrote("/k/last", "1", last, last))

	all := Watched{Prefix: "/k/", From: h[0].KV.ModRevision}
	for resumed := 0; all.Revision() < last; resumed++ {
		from := max(all.Revision()+1, all.From)
		w := t.watch("/k/", from)
		if _, ok := w.next(); !ok {
			t.Fatalf("the watch from %d ended", from)
		}
		w.stop()
		if err := all.CheckResumed(w.seen, h); resumed > 0 && err != nil {
			t.Fatalf("a promise was broken: %v", err)
		}
		all.Responses = append(all.Responses, w.seen.Responses...)
		if resumed < 20 { // so that it does not end with the first response that catches up with all
			last = t.put("/k/last", "1", last)
			h = append(h, wrote("/k/last", "1", h.Get("/k/last", last).CreateRevision, last))
		}
	}
	stays.until(last)
	stays.want(all.Events()...)
	stays.check(h)
}

// watchedIsRead: who was told of a write reads it, or what came after it. A controller that has heard of a change and finds
// the object unchanged would take its work for done.
func watchedIsRead(t *trial) {
	const writes = 300
	w := t.watch("/a", 0)
	ended := make(chan error, 1)
	go func() {
		var rev storage.Revision
		var err error
		for range writes {
			if rev, err = t.tryPut("/a", "", rev); err != nil {
				break
			}
		}
		ended <- err
	}()
	for seen := 0; seen < writes; {
		r, ok := w.next()
		if !ok || r.Err != nil {
			t.Fatalf("the watch ended: %v", r.Err)
		}
		seen += len(r.Events)
		if got := t.get("/a", 0); got.KV == nil || got.Revision < r.Revision || got.KV.ModRevision < r.Revision {
			t.Errorf("told of revision %d, read %s of revision %d", r.Revision, describeKV(got.KV), got.Revision)
			break
		}
		if now, err := t.store.Revision(t.Context()); err != nil || now < r.Revision {
			t.Errorf("told of revision %d, the store is at %d (%v)", r.Revision, now, err)
			break
		}
	}
	w.cancel()
	if err := <-ended; err != nil {
		t.Errorf("writing: %v", err)
	}
}
