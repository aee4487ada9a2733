package storagetest_test

import (
	"errors"
	"testing"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/storagetest"
)

func put(key, value string, created, modified storage.Revision) storage.Event {
	return storage.Event{Type: storage.EventPut, KV: storage.KeyValue{Key: key, Value: []byte(value), CreateRevision: created, ModRevision: modified}}
}

func remove(key string, rev storage.Revision) storage.Event {
	return storage.Event{Type: storage.EventDelete, KV: storage.KeyValue{Key: key, ModRevision: rev}}
}

func response(rev storage.Revision, events ...storage.Event) storage.WatchResponse {
	return storage.WatchResponse{Revision: rev, Events: events}
}

// happened has a revision with two changes, as leases that end make them.
var happened = storagetest.History{put("/a/1", "x", 2, 2), put("/b/1", "x", 3, 3), put("/a/1", "y", 2, 4), put("/a/2", "x", 5, 5), remove("/a/1", 6), remove("/a/2", 6)}

func TestWatchedCheck(t *testing.T) {
	h := happened
	ended := storage.WatchResponse{Err: storage.ErrClosed}
	endedWithEvents := storage.WatchResponse{Err: storage.ErrClosed, Revision: 4, Events: []storage.Event{h[2]}}
	for name, c := range map[string]struct {
		responses []storage.WatchResponse
		want      error
	}{
		"nothing":          {nil, nil},
		"one by one":       {[]storage.WatchResponse{response(2, h[0]), response(4, h[2]), response(5, h[3]), response(6, h[4], h[5])}, nil},
		"all at once":      {[]storage.WatchResponse{response(6, h[0], h[2], h[3], h[4], h[5]), response(6), ended}, nil},
		"with progress":    {[]storage.WatchResponse{response(1), response(3, h[0]), response(3), response(6, h[2], h[3], h[4], h[5])}, nil},
		"part":             {[]storage.WatchResponse{response(2, h[0]), response(4, h[2])}, nil},
		"out of order":     {[]storage.WatchResponse{response(4, h[2], h[0])}, storagetest.ErrOrdered},
		"late":             {[]storage.WatchResponse{response(4, h[2]), response(4, h[0])}, storagetest.ErrOrdered},
		"twice":            {[]storage.WatchResponse{response(2, h[0]), response(4, h[0], h[2])}, storagetest.ErrUnique},
		"twice at once":    {[]storage.WatchResponse{response(2, h[0], h[0])}, storagetest.ErrUnique},
		"split":            {[]storage.WatchResponse{response(5, h[0], h[2], h[3]), response(6, h[4]), response(6, h[5])}, storagetest.ErrAtomic},
		"left out":         {[]storage.WatchResponse{response(2, h[0]), response(5, h[3])}, storagetest.ErrReliable},
		"first left out":   {[]storage.WatchResponse{response(4, h[2])}, storagetest.ErrReliable},
		"last left out":    {[]storage.WatchResponse{response(4, h[0])}, storagetest.ErrReliable},
		"half left out":    {[]storage.WatchResponse{response(6, h[0], h[2], h[3], h[4])}, storagetest.ErrReliable},
		"all left out":     {[]storage.WatchResponse{response(6)}, storagetest.ErrReliable},
		"progress too far": {[]storage.WatchResponse{response(3), response(4, h[0])}, storagetest.ErrProgress},
		"progress back":    {[]storage.WatchResponse{response(3, h[0]), response(2)}, storagetest.ErrProgress},
		"revision too low": {[]storage.WatchResponse{response(3, h[0], h[2])}, storagetest.ErrProgress},
		"another prefix":   {[]storage.WatchResponse{response(3, h[0], h[1])}, storagetest.ErrInRange},
		"another value":    {[]storage.WatchResponse{response(2, put("/a/1", "other", 2, 2))}, storagetest.ErrFaithful},
		"another creation": {[]storage.WatchResponse{response(2, h[0]), response(4, put("/a/1", "y", 4, 4))}, storagetest.ErrFaithful},
		"another type":     {[]storage.WatchResponse{response(2, remove("/a/1", 2))}, storagetest.ErrFaithful},
		"never written":    {[]storage.WatchResponse{response(3, h[0], put("/a/1", "z", 2, 3))}, storagetest.ErrFaithful},
		"after the end":    {[]storage.WatchResponse{ended, response(2, h[0])}, storagetest.ErrFinal},
		"ended twice":      {[]storage.WatchResponse{ended, ended}, storagetest.ErrFinal},
		"end with events":  {[]storage.WatchResponse{response(2, h[0]), endedWithEvents}, storagetest.ErrFinal},
	} {
		err := storagetest.Watched{Prefix: "/a/", From: 2, Responses: c.responses}.Check(h)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	early := storagetest.Watched{Prefix: "/a/", From: 3, Responses: []storage.WatchResponse{response(2, h[0])}}
	if err := early.Check(h); !errors.Is(err, storagetest.ErrInRange) {
		t.Errorf("an event from before the watch: got %v, want %v", err, storagetest.ErrInRange)
	}
}

func TestCheckResumed(t *testing.T) {
	h := happened
	first := storagetest.Watched{Prefix: "/a/", From: 2, Responses: []storage.WatchResponse{response(3, h[0])}}
	for name, c := range map[string]struct {
		from      storage.Revision
		responses []storage.WatchResponse
		want      error
	}{
		"continued":  {4, []storage.WatchResponse{response(5, h[2], h[3]), response(6, h[4], h[5])}, nil},
		"quiet":      {4, nil, nil},
		"gap":        {4, []storage.WatchResponse{response(5, h[3])}, storagetest.ErrResumable},
		"overlap":    {4, []storage.WatchResponse{response(4, h[0], h[2])}, storagetest.ErrResumable},
		"from later": {5, []storage.WatchResponse{response(5, h[3])}, storagetest.ErrResumable},
	} {
		next := storagetest.Watched{Prefix: "/a/", From: c.from, Responses: c.responses}
		if err := first.CheckResumed(next, h); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestHistory(t *testing.T) {
	for at, want := range map[storage.Revision]string{1: "", 2: "/a/1=x ", 3: "/a/1=x /b/1=x ", 4: "/a/1=y /b/1=x ", 5: "/a/1=y /a/2=x /b/1=x ", 6: "/b/1=x ", 9: "/b/1=x "} {
		var got string
		for _, kv := range happened.List("/", at) {
			got += kv.Key + "=" + string(kv.Value) + " "
			if one := happened.Get(kv.Key, at); one == nil || string(one.Value) != string(kv.Value) {
				t.Errorf("at %d: Get(%q) is %v, List has %v", at, kv.Key, one, kv)
			}
		}
		if got != want {
			t.Errorf("at %d: got %q, want %q", at, got, want)
		}
	}
}
