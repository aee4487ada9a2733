package namespace_test

import (
	"context"
	"fmt"

	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/controllers/namespace"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// A manager of one's own runs the controller beside others.
func ExampleSetup() {
	scheme := kruntime.NewScheme()
	if err := namespace.AddToScheme(scheme); err != nil {
		panic(err)
	}
	mgr, err := runtime.New(client.Config{Host: "https://127.0.0.1:6443"}, runtime.Options{Scheme: scheme})
	if err != nil {
		panic(err)
	}
	if err := namespace.Setup(mgr, namespace.Options{}); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real program runs until it is told to stop
	fmt.Println(mgr.Run(ctx))
	// Output: <nil>
}
