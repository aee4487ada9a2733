package storagetest

import (
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func expiry() []clause {
	return []clause{{"TTL", expires}}
}

const (
	ttl  = time.Second
	hour = time.Hour
)

// putTTL writes a key that expires, expecting success.
func (t *trial) putTTL(key string, expected storage.Revision, ttl time.Duration) storage.Revision {
	t.Helper()
	ctx, cancel := t.soon()
	defer cancel()
	rev, err := t.store.Put(ctx, key, []byte("1"), expected, storage.PutOptions{TTL: ttl})
	if err != nil {
		t.Fatalf("Put(%q) with TTL: %v", key, err)
	}
	return rev
}

// expires: keys go when their time is over and not before; they show as deleted; and only the last write of a key
// says when. The keys that stay are written first, so that they would have gone when the others have.
func expires(t *trial) {
	if testing.Short() {
		t.Skip("keys take their time to expire")
	}
	w := t.watch("/", 0)
	begun := time.Now()
	stays := map[string]*storage.KeyValue{}
	stay := func(key string, created, modified storage.Revision) {
		stays[key] = kv(key, "1", created, modified)
	}
	rev := t.putTTL("/stays/permanent", 0, ttl)
	stay("/stays/permanent", rev, t.put("/stays/permanent", "1", rev))
	rev = t.putTTL("/stays/prolonged", 0, ttl)
	stay("/stays/prolonged", rev, t.putTTL("/stays/prolonged", rev, hour))
	t.delete("/stays/anew", t.putTTL("/stays/anew", 0, ttl))
	rev = t.put("/stays/anew", "1", 0)
	stay("/stays/anew", rev, rev)
	rev = t.putTTL("/stays/long", 0, hour)
	stay("/stays/long", rev, rev)

	t.putTTL("/goes/first", 0, ttl)
	t.putTTL("/goes/limited", t.put("/goes/limited", "1", 0), ttl)
	t.putTTL("/goes/shortened", t.putTTL("/goes/shortened", 0, hour), ttl)
	last := t.putTTL("/goes/touched", t.putTTL("/goes/touched", 0, ttl), ttl)
	t.wantKeys("before", t.list("/goes/", storage.ListOptions{}).KVs, "/goes/first", "/goes/limited", "/goes/shortened", "/goes/touched")

	w.until(last)
	gone := map[string]storage.Revision{}
	for len(gone) < 4 {
		r, ok := w.next()
		if !ok || r.Err != nil {
			t.Fatalf("the watch ended: %v", r.Err)
		}
		for _, e := range r.Events {
			if lived := time.Since(begun); lived < ttl {
				t.Errorf("the %s came after %v, the key should have lived for %v", describe(e), lived, ttl)
			}
			if !sameEvent(e, removed(e.KV.Key, e.KV.ModRevision)) || stays[e.KV.Key] != nil {
				t.Errorf("waiting for keys to expire: a %s", describe(e))
			}
			gone[e.KV.Key] = e.KV.ModRevision
		}
	}
	t.wantKeys("afterwards", t.list("/goes/", storage.ListOptions{}).KVs)
	for key, want := range stays {
		t.wantKV("afterwards", t.get(key, 0).KV, want)
	}
	expired(t, gone)
}

// expired: an expired key is like a deleted one.
func expired(t *trial, gone map[string]storage.Revision) {
	for key, rev := range gone {
		t.wantKV("at the revision of its removal", t.get(key, rev).KV, nil)
		if before := t.get(key, rev-1).KV; before == nil {
			t.Errorf("%s had gone before revision %d, which shows its removal", key, rev)
		}
		_, err := t.tryDelete(key, rev)
		t.wantConflict("deleting what has expired", err, key, rev, nil)
		again := t.put(key, "2", 0)
		t.wantKV("created again", t.get(key, 0).KV, kv(key, "2", again, again))
	}
}
