package storage_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// A writer says which revision it has seen. If that is not the newest, the conflict shows what is, so that the writer
// can try again without reading.
func ExampleStore_Put() {
	ctx := context.Background()
	var store storage.Store = memory.New(memory.Options{})
	defer store.Close()

	seen, err := store.Put(ctx, "/counter", []byte("1"), 0, storage.PutOptions{})
	if err != nil {
		panic(err)
	}
	if _, err := store.Put(ctx, "/counter", []byte("2"), seen, storage.PutOptions{}); err != nil { // somebody else
		panic(err)
	}
	_, err = store.Put(ctx, "/counter", []byte("2"), seen, storage.PutOptions{})
	var conflict *storage.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println(conflict)
		_, err = store.Put(ctx, "/counter", []byte("3"), conflict.Current.ModRevision, storage.PutOptions{})
	}
	fmt.Println(err)
	// Output:
	// /counter: expected revision 2, but the key is at 3
	// <nil>
}

// A list says which revision it shows; a watch from the next one tells what has changed since, and misses nothing.
func ExampleStore_Watch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var store storage.Store = memory.New(memory.Options{})
	defer store.Close()

	made, err := store.Put(ctx, "/pods/a", []byte("new"), 0, storage.PutOptions{})
	if err != nil {
		panic(err)
	}
	list, err := store.List(ctx, "/pods/", storage.ListOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d pod at revision %d\n", len(list.KVs), list.Revision)

	if _, err := store.Delete(ctx, "/pods/a", made); err != nil {
		panic(err)
	}
	response := <-store.Watch(ctx, "/pods/", storage.WatchOptions{From: list.Revision + 1})
	for _, e := range response.Events {
		fmt.Printf("%s deleted: %v, at revision %d\n", e.KV.Key, e.Type == storage.EventDelete, e.KV.ModRevision)
	}
	// Output:
	// 1 pod at revision 2
	// /pods/a deleted: true, at revision 3
}
