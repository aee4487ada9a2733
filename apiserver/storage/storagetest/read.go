package storagetest

import (
	"context"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func reads() []clause {
	return []clause{
		{"Get/AbsentKey", getAbsentKey},
		{"Get/WhatWasPut", getWhatWasPut},
		{"Get/ExactKey", getExactKey},
		{"Get/AnyBytes", getAnyBytes},
		{"Get/EmptyValue", getEmptyValue},
		{"Get/Repeatable", getRepeatable},
		{"Get/FutureRevision", getFutureRevision},
		{"Get/Linearizable", getLinearizable},
		{"Get/EndedContext", endedContext},
		{"Revision/Grows", revisionGrows},
	}
}

func getAbsentKey(t *trial) {
	rev := t.put("/a", "1", 0)
	r := t.get("/b", 0)
	t.wantKV("a key that was never written", r.KV, nil)
	if r.Revision != rev {
		t.Errorf("the response is of revision %d, want %d", r.Revision, rev)
	}
	gone := t.delete("/a", rev)
	r = t.get("/a", 0)
	t.wantKV("a key that was deleted", r.KV, nil)
	if r.Revision != gone {
		t.Errorf("the response is of revision %d, want that of the removal, %d", r.Revision, gone)
	}
}

func getWhatWasPut(t *trial) {
	first := t.put("/a", "1", 0)
	t.wantKV("created", t.get("/a", 0).KV, kv("/a", "1", first, first))
	second := t.put("/a", "2", first)
	t.wantKV("updated", t.get("/a", 0).KV, kv("/a", "2", first, second))
	t.put("/b", "other", 0)
	t.wantKV("another key written", t.get("/a", 0).KV, kv("/a", "2", first, second))
	t.delete("/a", second)
	third := t.put("/a", "3", 0)
	t.wantKV("created again", t.get("/a", 0).KV, kv("/a", "3", third, third))
}

// getExactKey: the keys around one are not it.
func getExactKey(t *trial) {
	for _, key := range []string{"/a/b", "/a/bc", "/a/b/", "/a/b/c", "/a/b\x00", "/a/c"} {
		t.put(key, "value of "+key, 0)
	}
	if got := t.get("/a/b", 0).KV; got == nil || string(got.Value) != "value of /a/b" {
		t.Errorf("got %s", describeKV(got))
	}
	t.wantKV("a prefix of keys", t.get("/a/", 0).KV, nil)
	t.wantKV("a prefix of keys", t.get("/a", 0).KV, nil)
}

func getAnyBytes(t *trial) {
	var value []byte
	for b := range 256 {
		value = append(value, byte(b))
	}
	for _, key := range []string{"/ascii", "/\x00\x01", "/ünïcødé/日本", "/\xff\xfe not UTF-8", "no slash", "\xff"} {
		rev := t.put(key, string(value), 0)
		t.wantKV("any bytes", t.get(key, 0).KV, kv(key, string(value), rev, rev))
	}
}

// getEmptyValue: a key whose value is empty exists.
func getEmptyValue(t *trial) {
	w := t.watch("/", 0)
	for key, value := range map[string][]byte{"/nil": nil, "/empty": {}} {
		ctx, cancel := t.soon()
		rev, err := t.store.Put(ctx, key, value, 0, storage.PutOptions{})
		cancel()
		if err != nil {
			t.Fatalf("Put(%q): %v", key, err)
		}
		t.wantKV("an empty value", t.get(key, 0).KV, kv(key, "", rev, rev))
		w.until(rev)
	}
	t.wantKeys("with empty values", t.list("/", storage.ListOptions{}).KVs, "/empty", "/nil")
	for _, e := range w.seen.Events() {
		if e.Type != storage.EventPut || !e.Created() {
			t.Errorf("a put of an empty value shows as a %s", describe(e))
		}
	}
}

func getRepeatable(t *trial) {
	before := t.put("/other", "", 0)
	first := t.put("/a", "1", 0)
	second := t.put("/a", "2", first)
	gone := t.delete("/a", second)
	again := t.put("/a", "3", 0)
	check := func(when string) {
		t.Helper()
		for rev, want := range map[storage.Revision]*storage.KeyValue{
			before: nil, first: kv("/a", "1", first, first), second: kv("/a", "2", first, second), gone: nil, again: kv("/a", "3", again, again),
		} {
			r := t.get("/a", rev)
			t.wantKV(when, r.KV, want)
			if r.Revision != rev {
				t.Errorf("%s: asked for revision %d, the response is of %d", when, rev, r.Revision)
			}
		}
	}
	check("at once")
	newest := again
	for range 20 {
		newest = t.put("/a", "later", newest)
	}
	check("after more writes")
	t.delete("/a", newest)
	check("after a delete")
}

func getFutureRevision(t *trial) {
	future := t.put("/a", "1", 0) + 1000
	ctx, cancel := t.soon()
	defer cancel()
	_, err := t.store.Get(ctx, "/a", storage.GetOptions{Revision: future})
	t.wantErr("Get", err, storage.ErrFutureRevision)
	_, err = t.store.List(ctx, "/", storage.ListOptions{Revision: future})
	t.wantErr("List", err, storage.ErrFutureRevision)
}

// getLinearizable: whoever begins to read after a write was acknowledged sees it, whatever they read by.
func getLinearizable(t *trial) {
	var rev storage.Revision
	for range 100 {
		rev = t.put("/a", "x", rev)
		if r := t.get("/a", 0); r.Revision < rev || r.KV == nil || r.KV.ModRevision != rev {
			t.Fatalf("wrote revision %d, Get then saw %s at %d", rev, describeKV(r.KV), r.Revision)
		}
		if r := t.list("/", storage.ListOptions{}); r.Revision < rev || len(r.KVs) != 1 || r.KVs[0].ModRevision != rev {
			t.Fatalf("wrote revision %d, List then saw %v at %d", rev, r.KVs, r.Revision)
		}
		if now := t.revision(); now < rev {
			t.Fatalf("wrote revision %d, Revision then was %d", rev, now)
		}
		if r := t.get("/a", rev); r.KV == nil || r.KV.ModRevision != rev {
			t.Fatalf("wrote revision %d, Get at it saw %s", rev, describeKV(r.KV))
		}
	}
}

// endedContext: who gave up is told so, and the store goes on.
func endedContext(t *trial) {
	rev := t.put("/a", "1", 0)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]func() error{
		"Get":      func() error { _, err := t.store.Get(ended, "/a", storage.GetOptions{}); return err },
		"List":     func() error { _, err := t.store.List(ended, "/", storage.ListOptions{}); return err },
		"Put":      func() error { _, err := t.store.Put(ended, "/b", nil, 0, storage.PutOptions{}); return err },
		"Delete":   func() error { _, err := t.store.Delete(ended, "/c", rev); return err },
		"Revision": func() error { _, err := t.store.Revision(ended); return err },
	}
	for name, call := range calls {
		t.wantErr(name+" with an ended context", call(), context.Canceled)
	}
	t.put("/a", "2", rev)
}

func revisionGrows(t *trial) {
	last := t.revision()
	if last <= 0 {
		t.Errorf("an empty store is at revision %d, want a positive one", last)
	}
	grown := func(what string, rev storage.Revision) {
		t.Helper()
		if now := t.revision(); rev <= last || now < rev {
			t.Errorf("%s is of revision %d, after %d; the store is at %d then", what, rev, last, now)
		}
		last = rev
	}
	for _, key := range []string{"/b", "/a", "/c"} {
		rev := t.put(key, "1", 0)
		grown("a create", rev)
		rev = t.put(key, "1", rev) // the same value, a write nevertheless
		grown("an update", rev)
		grown("a delete", t.delete(key, rev))
	}
}
