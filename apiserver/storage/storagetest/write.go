package storagetest

import (
	"errors"
	"strings"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func writes() []clause {
	return []clause{
		{"Put/Create", putCreate},
		{"Put/Update", putUpdate},
		{"Put/AfterDelete", putAfterDelete},
		{"Put/TooLarge", putTooLarge},
		{"Put/LargeNames", putLargeNames},
		{"Delete/Existing", deleteExisting},
		{"Delete/Absent", deleteAbsent},
		{"Conflict/LeavesNoTrace", conflictLeavesNoTrace},
	}
}

func putCreate(t *trial) {
	rev := t.put("/a", "1", 0)
	stands := kv("/a", "1", rev, rev)
	_, err := t.tryPut("/a", "2", 0)
	t.wantConflict("creating what exists", err, "/a", 0, stands)
	t.wantKV("after the conflict", t.get("/a", 0).KV, stands)
}

func putUpdate(t *trial) {
	first := t.put("/a", "1", 0)
	other := t.put("/b", "1", 0)
	second := t.put("/a", "2", first)
	stands := kv("/a", "2", first, second)
	for what, expected := range map[string]storage.Revision{
		"a stale revision": first, "another key's revision": other, "a revision to come": second + 1, "a revision far away": 1 << 40,
	} {
		_, err := t.tryPut("/a", "3", expected)
		t.wantConflict(what, err, "/a", expected, stands)
	}
	t.wantKV("after the conflicts", t.get("/a", 0).KV, stands)
	_, err := t.tryPut("/absent", "1", first)
	t.wantConflict("updating what never existed", err, "/absent", first, nil)
	t.wantKV("after the conflict", t.get("/absent", 0).KV, nil)
}

func putAfterDelete(t *trial) {
	first := t.put("/a", "1", 0)
	gone := t.delete("/a", first)
	for _, expected := range []storage.Revision{first, gone} {
		_, err := t.tryPut("/a", "2", expected)
		t.wantConflict("updating what was deleted", err, "/a", expected, nil)
	}
	again := t.put("/a", "2", 0)
	t.wantKV("created again", t.get("/a", 0).KV, kv("/a", "2", again, again))
	_, err := t.tryPut("/a", "3", first)
	t.wantConflict("the revision of an earlier life", err, "/a", first, kv("/a", "2", again, again))
}

// putTooLarge: a value of any size is either stored or refused by name, and nothing is in between. The sizes are
// around the limits of etcd: for a request, for a message to a server, and for one from a client.
func putTooLarge(t *trial) {
	rev := t.put("/a", "small", 0)
	want := kv("/a", "small", rev, rev)
	for _, size := range []int{1 << 20, 1800 << 10, 4 << 20, 17 << 20} {
		value := strings.Repeat("x", size)
		got, err := t.tryPut("/a", value, want.ModRevision)
		switch {
		case err == nil:
			want = kv("/a", value, rev, got)
		case size <= 1<<20:
			t.Fatalf("%d bytes were refused: %v", size, err)
		case !errors.Is(err, storage.ErrTooLarge):
			t.Errorf("%d bytes: got error %v, want none or %q", size, err, storage.ErrTooLarge)
		}
		t.wantKV("afterwards", t.get("/a", 0).KV, want)
	}
	last := t.put("/a", "small again", want.ModRevision)
	t.wantKV("small again", t.get("/a", 0).KV, kv("/a", "small again", rev, last))
}

// putLargeNames: keys as long as Kubernetes' longest, a group and a namespace and a name of 253 bytes each.
func putLargeNames(t *trial) {
	prefix := "/registry/" + strings.Repeat("g", 253) + "/" + strings.Repeat("r", 253) + "/" + strings.Repeat("n", 63) + "/"
	key := prefix + strings.Repeat("o", 253)
	rev := t.put(key, "1", 0)
	t.wantKV("a long key", t.get(key, 0).KV, kv(key, "1", rev, rev))
	t.wantKeys("a long prefix", t.list(prefix, storage.ListOptions{}).KVs, key)
	t.delete(key, rev)
	t.wantKV("a long key deleted", t.get(key, 0).KV, nil)
}

func deleteExisting(t *trial) {
	first := t.put("/a", "1", 0)
	second := t.put("/a", "2", first)
	for what, expected := range map[string]storage.Revision{"a stale revision": first, "no revision": 0, "a revision to come": second + 1} {
		_, err := t.tryDelete("/a", expected)
		t.wantConflict(what, err, "/a", expected, kv("/a", "2", first, second))
	}
	t.wantKV("after the conflicts", t.get("/a", 0).KV, kv("/a", "2", first, second))
	neighbour := t.put("/a/b", "1", 0)
	if gone := t.delete("/a", second); gone <= neighbour {
		t.Errorf("the removal is of revision %d, after %d", gone, neighbour)
	}
	t.wantKV("deleted", t.get("/a", 0).KV, nil)
	t.wantKV("another key that begins like it", t.get("/a/b", 0).KV, kv("/a/b", "1", neighbour, neighbour))
}

func deleteAbsent(t *trial) {
	other := t.put("/other", "", 0)
	for _, expected := range []storage.Revision{0, other, other + 1} {
		_, err := t.tryDelete("/a", expected)
		t.wantConflict("deleting what never existed", err, "/a", expected, nil)
	}
	first := t.put("/a", "1", 0)
	gone := t.delete("/a", first)
	for _, expected := range []storage.Revision{0, first, gone} {
		_, err := t.tryDelete("/a", expected)
		t.wantConflict("deleting twice", err, "/a", expected, nil)
	}
}

// conflictLeavesNoTrace: what failed shows in no watch and in no history.
func conflictLeavesNoTrace(t *trial) {
	w := t.watch("/", 0)
	first := t.put("/a", "1", 0)
	for range 10 {
		_, err := t.tryPut("/a", "2", 0)
		t.wantErr("creating what exists", err, storage.ErrConflict)
		_, err = t.tryDelete("/a", first+1000)
		t.wantErr("deleting at a wrong revision", err, storage.ErrConflict)
		_, err = t.tryPut("/b", "2", first)
		t.wantErr("updating what is absent", err, storage.ErrConflict)
	}
	last := t.put("/a", "3", first)
	w.until(last)
	w.want(wrote("/a", "1", first, first), wrote("/a", "3", first, last))
	for rev := first; rev < last; rev++ {
		t.wantKV("in between", t.get("/a", rev).KV, kv("/a", "1", first, first))
	}
}
