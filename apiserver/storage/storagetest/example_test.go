package storagetest_test

import (
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/storagetest"
)

// A watch that left something out breaks a promise, which the error names.
func ExampleWatched_Check() {
	made := storage.Event{Type: storage.EventPut, KV: storage.KeyValue{Key: "/a", CreateRevision: 2, ModRevision: 2}}
	gone := storage.Event{Type: storage.EventDelete, KV: storage.KeyValue{Key: "/a", ModRevision: 3}}
	watched := storagetest.Watched{Prefix: "/a", From: 2, Responses: []storage.WatchResponse{{Revision: 3, Events: []storage.Event{gone}}}}
	fmt.Println(watched.Check(storagetest.History{made, gone}))
	// Output:
	// watch on "/a" from 2: reliable: no event of the watched range is left out: the put of "/a" = "" of revision 2, made at 2 did not come, though revision 3 did
}
