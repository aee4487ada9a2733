package memory_test

import (
	"context"
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
)

// Reads at an earlier revision show the store as it was then, until that is compacted.
func ExampleNew() {
	ctx := context.Background()
	store := memory.New(memory.Options{})
	defer store.Close()

	before, err := store.Put(ctx, "/fruits/apple", []byte("green"), 0, storage.PutOptions{})
	if err != nil {
		panic(err)
	}
	if _, err := store.Put(ctx, "/fruits/apple", []byte("red"), before, storage.PutOptions{}); err != nil {
		panic(err)
	}
	for _, at := range []storage.Revision{before, 0} {
		r, err := store.Get(ctx, "/fruits/apple", storage.GetOptions{Revision: at})
		if err != nil {
			panic(err)
		}
		fmt.Printf("at revision %d: %s\n", r.Revision, r.KV.Value)
	}
	// Output:
	// at revision 2: green
	// at revision 3: red
}
