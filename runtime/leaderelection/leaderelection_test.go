package leaderelection_test

import (
	"context"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/leaderelection"
)

// The second leads when the first gives up, never before.
func TestHandover(t *testing.T) {
	srv := apiservertest.Start(t, apiservertest.Options{})
	scheme := kruntime.NewScheme()
	_ = coordinationv1.AddToScheme(scheme)
	c, err := client.New(client.Config{Host: "http://server", Transport: srv.Transport()}, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	leads, ended := make(chan string), make(chan error, 2)
	begin := func(id string) context.CancelFunc {
		e, err := leaderelection.New(leaderelection.Config{Client: c, Namespace: "default", Name: "l", Identity: id, RetryPeriod: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			ended <- e.Run(ctx, func(ctx context.Context) error {
				leads <- id
				<-ctx.Done()
				return nil
			})
		}()
		return cancel
	}
	stopA := begin("a")
	if id := <-leads; id != "a" {
		t.Fatal(id)
	}
	stopB := begin("b")
	stopA()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if id := <-leads; id != "b" {
		t.Fatal(id)
	}
	stopB()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
