package shards_test

import (
	"context"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/shards"
)

// A manager that works on its share of the namespaces only. The Leases are read and written by a client without a cache.
func Example() {
	scheme := kruntime.NewScheme()
	if err := coordinationv1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	cfg := client.Config{Host: "https://10.0.0.1:6443"}
	direct, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		panic(err)
	}
	member, err := shards.New(shards.Config{Client: direct, Namespace: "default", Name: "website", Identity: "pod-0"})
	if err != nil {
		panic(err)
	}
	mgr, err := runtime.New(cfg, runtime.Options{Scheme: scheme, Shards: member})
	if err != nil {
		panic(err)
	}
	req := runtime.Request{NamespacedName: types.NamespacedName{Namespace: "team-a", Name: "site"}}
	fmt.Println("owned before it runs:", member.Owns(req))
	fmt.Println("of one shard with its namespace:", member.Shard(req) == member.Shard(runtime.Request{
		NamespacedName: types.NamespacedName{Namespace: "team-a", Name: "other"},
	}))
	_ = func(ctx context.Context) error { return mgr.Run(ctx) }
	// Output:
	// owned before it runs: false
	// of one shard with its namespace: true
}

// An epoch tells a system that checks it whose work is out of date.
func ExampleEpoch() {
	reconcile := func(ctx context.Context, _ runtime.Request) (runtime.Result, error) {
		fmt.Println("writing with the fencing token", shards.Epoch(ctx))
		return runtime.Result{}, nil
	}
	_, _ = reconcile(context.Background(), runtime.Request{})
	// Output: writing with the fencing token 0
}
