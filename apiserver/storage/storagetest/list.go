package storagetest

import (
	"fmt"
	"slices"

	"github.com/keelson-project/keelson/apiserver/storage"
)

func lists() []clause {
	return []clause{
		{"List/Empty", listEmpty},
		{"List/ByteOrder", listByteOrder},
		{"List/PrefixBoundaries", listPrefixBoundaries},
		{"List/LimitAndRemaining", listLimitAndRemaining},
		{"List/Start", listStart},
		{"List/PagesOfOneRevision", listPages},
		{"List/Repeatable", listRepeatable},
	}
}

func listEmpty(t *trial) {
	rev := t.put("/b/x", "1", 0)
	for _, prefix := range []string{"/a/", "/c/", "/b/x/", "\xff"} {
		r := t.list(prefix, storage.ListOptions{})
		t.wantKeys("prefix "+prefix, r.KVs)
		if r.Revision != rev || r.Remaining != 0 {
			t.Errorf("prefix %q: revision %d with %d remaining, want %d with 0", prefix, r.Revision, r.Remaining, rev)
		}
	}
}

func listByteOrder(t *trial) {
	keys := []string{"/k/b", "/k/a", "/k/B", "/k/é", "/k/a/b", "/k/a0", "/k/a-b", "/k/", "/k/\xff", "/k/\x00", "/k/10", "/k/9", "/k/a b"}
	for _, key := range keys {
		t.put(key, "value of "+key, 0)
	}
	slices.Sort(keys)
	r := t.list("/k/", storage.ListOptions{})
	t.wantKeys("in the order of bytes", r.KVs, keys...)
	for _, kv := range r.KVs {
		t.wantKV("listed", &kv, t.get(kv.Key, 0).KV)
	}
}

// listPrefixBoundaries: what begins with the prefix is in, its neighbours are not.
func listPrefixBoundaries(t *trial) {
	for _, key := range []string{"/a", "/a-", "/a.", "/a/", "/a/1", "/a/2/3", "/a0", "/a00", "/b", "/b/", "/b/1", "/", "0", "p\xff", "p\xff\xff", "p\xff1", "q", "\xff\xff", "\xff\xff1"} {
		t.put(key, "", 0)
	}
	for prefix, want := range map[string][]string{
		"/a/":      {"/a/", "/a/1", "/a/2/3"},
		"/a":       {"/a", "/a-", "/a.", "/a/", "/a/1", "/a/2/3", "/a0", "/a00"},
		"/a0":      {"/a0", "/a00"},
		"/a/1":     {"/a/1"},
		"/b/":      {"/b/", "/b/1"},
		"p\xff":    {"p\xff", "p\xff1", "p\xff\xff"},
		"\xff\xff": {"\xff\xff", "\xff\xff1"},
		"": {
			"/", "/a", "/a-", "/a.", "/a/", "/a/1", "/a/2/3", "/a0", "/a00", "/b", "/b/", "/b/1", "0", "p\xff", "p\xff1", "p\xff\xff", "q",
			"\xff\xff", "\xff\xff1",
		},
	} {
		t.wantKeys(fmt.Sprintf("prefix %q", prefix), t.list(prefix, storage.ListOptions{}).KVs, want...)
	}
}

func listLimitAndRemaining(t *trial) {
	var keys []string
	for i := range 10 {
		keys = append(keys, fmt.Sprintf("/a/%d", i))
		t.put(keys[i], "", 0)
	}
	t.put("/b/0", "not of the range", 0)
	for limit := range 12 {
		want := keys[:min(limit, 10)]
		if limit == 0 {
			want = keys
		}
		r := t.list("/a/", storage.ListOptions{Limit: limit})
		t.wantKeys(fmt.Sprint("limit ", limit), r.KVs, want...)
		if rest := int64(10 - len(want)); r.Remaining != rest {
			t.Errorf("limit %d: %d remaining, want %d", limit, r.Remaining, rest)
		}
	}
}

// listStart: Start narrows the prefix's range, and never widens it.
func listStart(t *trial) {
	for _, key := range []string{"/a", "/a/1", "/a/3", "/a/5", "/a0", "/b"} {
		t.put(key, "", 0)
	}
	for start, want := range map[string][]string{
		"":          {"/a/1", "/a/3", "/a/5"},
		"/":         {"/a/1", "/a/3", "/a/5"},
		"/a/":       {"/a/1", "/a/3", "/a/5"},
		"/a/1":      {"/a/1", "/a/3", "/a/5"},
		"/a/1\x00":  {"/a/3", "/a/5"},
		"/a/2":      {"/a/3", "/a/5"},
		"/a/5":      {"/a/5"},
		"/a/5\x00":  nil,
		"/a/\xff":   nil,
		"/a0":       nil,
		"/b":        nil,
		"\xff\xffz": nil,
	} {
		what := fmt.Sprintf("start %q", start)
		r := t.list("/a/", storage.ListOptions{Start: start})
		t.wantKeys(what, r.KVs, want...)
		if r.Remaining != 0 {
			t.Errorf("%s: %d remaining, want 0", what, r.Remaining)
		}
		r = t.list("/a/", storage.ListOptions{Start: start, Limit: 1})
		t.wantKeys(what+" with limit 1", r.KVs, want[:min(1, len(want))]...)
		if rest := int64(max(0, len(want)-1)); r.Remaining != rest {
			t.Errorf("%s with limit 1: %d remaining, want %d", what, r.Remaining, rest)
		}
	}
}

// listPages: pages of one revision make up the list of that revision, whatever is written in between.
func listPages(t *trial) {
	var keys []string
	revs := map[string]storage.Revision{}
	for i := range 23 {
		keys = append(keys, fmt.Sprintf("/a/%02d", i))
		revs[keys[i]] = t.put(keys[i], "", 0)
	}
	at, start := t.revision(), ""
	var got []storage.KeyValue
	for page := 0; ; page++ {
		r := t.list("/a/", storage.ListOptions{Revision: at, Limit: 5, Start: start})
		got = append(got, r.KVs...)
		if r.Revision != at || r.Remaining != int64(len(keys)-len(got)) {
			t.Fatalf("page %d is of revision %d with %d remaining, want %d with %d", page, r.Revision, r.Remaining, at, len(keys)-len(got))
		}
		if r.Remaining == 0 {
			break
		}
		start = r.KVs[len(r.KVs)-1].Key + "\x00"
		// Changes before, at and after the next page's first key.
		t.delete(keys[page], revs[keys[page]])
		t.put(fmt.Sprintf("/a/%02d-new", 5*page+6), "", 0)
		t.delete(keys[22-page], revs[keys[22-page]])
	}
	t.wantKeys("all pages", got, keys...)
}

func listRepeatable(t *trial) {
	a := t.put("/k/a", "1", 0)
	b := t.put("/k/b", "1", 0)
	a2 := t.put("/k/a", "2", a)
	c := t.put("/k/c", "1", 0)
	gone := t.delete("/k/b", b)
	b2 := t.put("/k/b", "2", 0)
	history := History{wrote("/k/a", "1", a, a), wrote("/k/b", "1", b, b), wrote("/k/a", "2", a, a2), wrote("/k/c", "1", c, c), removed("/k/b", gone), wrote("/k/b", "2", b2, b2)}
	check := func(when string) {
		t.Helper()
		for _, e := range history {
			at := e.KV.ModRevision
			r := t.list("/k/", storage.ListOptions{Revision: at})
			want := history.List("/k/", at)
			if r.Revision != at || !slices.EqualFunc(r.KVs, want, sameValue) {
				t.Errorf("%s: at revision %d (answered as %d): got %v, want %v", when, at, r.Revision, r.KVs, want)
			}
			r = t.list("/k/", storage.ListOptions{Revision: at, Limit: 1})
			if len(r.KVs) != 1 || r.Remaining != int64(len(want)-1) {
				t.Errorf("%s: at revision %d with limit 1: got %v with %d remaining, want %v of %v", when, at, r.KVs, r.Remaining, want[0], len(want))
			}
		}
	}
	check("at once")
	for range 20 {
		a2 = t.put("/k/a", "later", a2)
		c = t.put("/k/c", "later", c)
	}
	check("after more writes")
	t.delete("/k/a", a2)
	t.delete("/k/c", c)
	check("after deletes")
}

func sameValue(a, b storage.KeyValue) bool { return sameKV(&a, &b) }
