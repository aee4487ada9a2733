package garbagecollector_test

import (
	"context"
	"fmt"

	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// A manager of one's own runs the controller beside others.
func ExampleSetup() {
	mgr, err := runtime.New(client.Config{Host: "https://127.0.0.1:6443"}, runtime.Options{})
	if err != nil {
		panic(err)
	}
	if err := garbagecollector.Setup(mgr, garbagecollector.Options{}); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real program runs until it is told to stop
	fmt.Println(mgr.Run(ctx))
	// Output: <nil>
}
