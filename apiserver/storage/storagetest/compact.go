package storagetest

import (
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func compaction() []clause {
	return []clause{
		{"Compact/ForgetsEarlierReads", compactReads},
		{"Compact/KeepsTheNewest", compactKeepsNewest},
		{"Compact/Twice", compactTwice},
		{"Compact/FutureRevision", compactFuture},
		{"Compact/WatchFromBefore", compactWatchBefore},
		{"Compact/WatchFromItsRevision", compactWatchAt},
		{"Compact/OpenWatches", compactOpenWatches},
	}
}

func compactReads(t *trial) {
	first := t.put("/a", "1", 0)
	second := t.put("/a", "2", first)
	third := t.put("/a", "3", second)
	fourth := t.put("/a", "4", third)
	t.compact(third)
	ctx, cancel := t.soon()
	defer cancel()
	for _, rev := range []storage.Revision{first, second} {
		_, err := t.store.Get(ctx, "/a", storage.GetOptions{Revision: rev})
		t.wantErr(fmt.Sprintf("Get at %d, after Compact(%d)", rev, third), err, storage.ErrCompacted)
		_, err = t.store.Get(ctx, "/absent", storage.GetOptions{Revision: rev})
		t.wantErr(fmt.Sprintf("Get of an absent key at %d, after Compact(%d)", rev, third), err, storage.ErrCompacted)
		_, err = t.store.List(ctx, "/", storage.ListOptions{Revision: rev})
		t.wantErr(fmt.Sprintf("List at %d, after Compact(%d)", rev, third), err, storage.ErrCompacted)
	}
	t.wantKV("at the compacted revision", t.get("/a", third).KV, kv("/a", "3", first, third))
	t.wantKV("after the compacted revision", t.get("/a", fourth).KV, kv("/a", "4", first, fourth))
	t.wantKV("the latest", t.get("/a", 0).KV, kv("/a", "4", first, fourth))
}

// compactKeepsNewest: the state at the compacted revision stays whole, however old its parts are.
func compactKeepsNewest(t *trial) {
	old := t.put("/k/old", "1", 0)
	gone := t.put("/k/gone", "1", 0)
	back := t.put("/k/back", "1", 0)
	removed := t.delete("/k/gone", gone)
	lost := t.delete("/k/back", back)
	again := t.put("/k/back", "2", 0)
	for range 10 {
		again = t.put("/k/back", "more", again)
	}
	for _, rev := range []storage.Revision{removed, lost, t.revision()} {
		t.compact(rev)
		t.wantKeys(fmt.Sprintf("after Compact(%d)", rev), t.list("/k/", storage.ListOptions{}).KVs, "/k/back", "/k/old")
		t.wantKV("an old key", t.get("/k/old", 0).KV, kv("/k/old", "1", old, old))
		t.wantKV("an old key, as of then", t.get("/k/old", rev).KV, kv("/k/old", "1", old, old))
		t.wantKV("a deleted key", t.get("/k/gone", 0).KV, nil)
		t.wantKV("a deleted key, as of then", t.get("/k/gone", rev).KV, nil)
	}
	t.put("/k/old", "2", old)
	t.put("/k/gone", "2", 0)
	t.delete("/k/back", again)
	t.wantKeys("written since", t.list("/k/", storage.ListOptions{}).KVs, "/k/gone", "/k/old")
}

func compactTwice(t *trial) {
	first := t.put("/a", "1", 0)
	second := t.put("/a", "2", first)
	third := t.put("/a", "3", second)
	t.compact(second)
	t.wantErr("the same revision again", t.tryCompact(second), storage.ErrCompacted)
	t.wantErr("an earlier revision", t.tryCompact(first), storage.ErrCompacted)
	t.compact(third)
	t.wantErr("the next revision again", t.tryCompact(third), storage.ErrCompacted)
	t.wantKV("afterwards", t.get("/a", 0).KV, kv("/a", "3", first, third))
}

func compactFuture(t *trial) {
	rev := t.put("/a", "1", 0)
	t.wantErr("Compact", t.tryCompact(rev+1000), storage.ErrFutureRevision)
	t.wantKV("afterwards", t.get("/a", rev).KV, kv("/a", "1", rev, rev))
}

// compactWatchBefore: a watch from what is forgotten says so, whether its keys changed or not.
func compactWatchBefore(t *trial) {
	first := t.put("/a", "1", 0)
	second := t.put("/a", "2", first)
	third := t.put("/a", "3", second)
	t.compact(third)
	for _, from := range []storage.Revision{first, second} {
		t.watch("/a", from).ends(storage.ErrCompacted)
		t.watch("/absent/", from).ends(storage.ErrCompacted)
	}
}

// compactWatchAt: the change of the compacted revision itself is not before it, be it a put or a delete.
func compactWatchAt(t *trial) {
	first := t.put("/a", "1", 0)
	second := t.put("/a", "2", first)
	gone := t.delete("/a", second)
	b := t.put("/b", "1", 0)
	t.compact(second)
	w := t.watch("/", second)
	w.until(b)
	w.want(wrote("/a", "2", first, second), removed("/a", gone), wrote("/b", "1", b, b))
	t.compact(gone)
	w = t.watch("/", gone)
	w.until(b)
	w.want(removed("/a", gone), wrote("/b", "1", b, b))
	t.compact(b)
	w = t.watch("/", b)
	w.until(b)
	w.want(wrote("/b", "1", b, b))
	t.watch("/", gone).ends(storage.ErrCompacted)
}

// compactOpenWatches: who has seen what is forgotten does not miss it.
func compactOpenWatches(t *trial) {
	w, quiet := t.watch("/a", 0), t.watch("/quiet/", 0)
	made := t.put("/a", "0", 0)
	rev := made
	all := History{wrote("/a", "0", made, made)}
	for round := range 5 {
		for i := range 10 {
			value := fmt.Sprint(round, i)
			rev = t.put("/a", value, rev)
			all = append(all, wrote("/a", value, made, rev))
		}
		t.requestProgress()
		w.until(rev)
		quiet.until(rev)
		t.compact(rev)
	}
	last := t.put("/quiet/a", "1", 0)
	quiet.until(last)
	quiet.want(wrote("/quiet/a", "1", last, last))
	w.check(all)
}
