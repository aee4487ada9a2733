package embedded_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
)

// What was acknowledged is there when the directory is opened again.
func ExampleOpen() {
	ctx := context.Background()
	parent, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(parent)
	dir := filepath.Join(parent, "data")

	store, err := embedded.Open(ctx, embedded.Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	if _, err := store.Put(ctx, "/registry/greeting", []byte("hello"), 0, storage.PutOptions{}); err != nil {
		panic(err)
	}
	if err := store.Close(); err != nil {
		panic(err)
	}

	store, err = embedded.Open(ctx, embedded.Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	r, err := store.Get(ctx, "/registry/greeting", storage.GetOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", r.KV.Value)
	// Output: hello
}
