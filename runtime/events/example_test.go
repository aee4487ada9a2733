package events_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/events"
)

// A Writer without a manager. What is said twice is one Event.
func Example() {
	scheme := kruntime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	c, err := client.New(client.Config{Host: "https://10.0.0.1:6443"}, client.Options{Scheme: scheme})
	if err != nil {
		panic(err)
	}
	writer := events.New(c, events.Options{OnError: func(err error) { fmt.Println(err) }})
	_ = func(ctx context.Context) error { return writer.Run(ctx) } // writes them

	recorder := writer.Recorder("website")
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	for range 2 {
		recorder.Eventf(pod, nil, "Warning", "NoSuchImage", "Deploy", "there is no image %q", "web:1.0")
	}
	recorder.Eventf(pod, nil, "Odd", "NoSuchImage", "Deploy", "")
	fmt.Println(writer.Stats().Waiting, writer.Stats().Outcomes[events.Counted])
	// Output:
	// events: website: event "NoSuchImage": the type is "Odd", not Normal or Warning
	// 1 1
}
