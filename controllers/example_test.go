package controllers_test

import (
	"context"
	"fmt"

	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/runtime/client"
)

func ExampleRun() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real program runs until it is told to stop
	fmt.Println(controllers.Run(ctx, client.Config{Host: "https://127.0.0.1:6443"}, controllers.Options{}))
	// Output: <nil>
}
