package watchcache_test

import (
	"context"
	"fmt"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	store := newLogStore() // any storage.Store
	cache := watchcache.New(store, watchcache.Options{Prefix: "/registry/"})
	defer cancel()
	ended := make(chan error)
	go func() { ended <- cache.Run(ctx) }()

	pods := cache.Open(config("/registry/pods/"))
	key := "/registry/pods/default/web"
	if _, err := store.Put(ctx, key, object(key, "red"), 0, storage.PutOptions{}); err != nil {
		fmt.Println(err)
	}

	// A consistent list, and a watch that continues it.
	list, err := pods.Snapshot(ctx, watchcache.Freshness{Latest: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e := range list.Range("/registry/pods/default/", "") {
		fmt.Println("listed", e.Projection.Name)
	}
	w, err := pods.Watch(ctx, watchcache.WatchOptions{From: list.Revision(), Match: ofColor("red")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Stop()
	if _, err := store.Delete(ctx, key, list.Get(key).Revision); err != nil {
		fmt.Println(err)
	}
	events, _, err := w.Next(ctx, nil)
	fmt.Println("deleted", events[0].Type == watchcache.Deleted, events[0].Entry.Projection.Name, err)

	cancel()
	fmt.Println("ended", <-ended)
	// Output:
	// listed web
	// deleted true web <nil>
	// ended <nil>
}
