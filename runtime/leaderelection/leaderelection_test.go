package leaderelection_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
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
	electors := map[string]*leaderelection.Elector{}
	status := func(id string) string {
		var b strings.Builder
		electors[id].WriteMetrics(&b)
		_, value, _ := strings.Cut(b.String(), "\nleader_election_master_status")
		return value
	}
	begin := func(id string) context.CancelFunc {
		e, err := leaderelection.New(leaderelection.Config{Client: c, Namespace: "default", Name: "l", Identity: id, RetryPeriod: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		electors[id] = e
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
	if a, b := status("a"), status("b"); a != "{name=\"l\"} 1\n" || b != "{name=\"l\"} 0\n" {
		t.Errorf("the status is %q and %q", a, b)
	}
	stopA()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if id := <-leads; id != "b" {
		t.Fatal(id)
	}
	if a, b := status("a"), status("b"); a != "{name=\"l\"} 0\n" || b != "{name=\"l\"} 1\n" {
		t.Errorf("the status is %q and %q", a, b)
	}
	stopB()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// link is a way to the server that can be cut.
type link struct {
	http.RoundTripper
	cut atomic.Bool
}

func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.cut.Load() {
		return nil, errors.New("the network is down")
	}
	return l.RoundTripper.RoundTrip(r)
}

// A server that is away for a moment ends nothing; one that is away for long ends the lead, and not the process.
func TestLostAndRegained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
		scheme := kruntime.NewScheme()
		_ = coordinationv1.AddToScheme(scheme)
		l := &link{RoundTripper: srv.Transport()}
		c, err := client.New(client.Config{Host: "http://server", Transport: l}, client.Options{Scheme: scheme})
		if err != nil {
			t.Fatal(err)
		}
		e, err := leaderelection.New(leaderelection.Config{Client: c, Namespace: "default", Name: "l", Identity: "a"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		leads, ended := make(chan context.Context, 2), make(chan error, 1)
		go func() {
			ended <- e.Run(ctx, func(ctx context.Context) error {
				leads <- ctx
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		first := <-leads
		l.cut.Store(true)
		time.Sleep(7 * time.Second)
		l.cut.Store(false)
		time.Sleep(time.Minute)
		if first.Err() != nil {
			t.Errorf("ended by a moment: %v", context.Cause(first))
		}
		l.cut.Store(true)
		<-first.Done()
		if cause := context.Cause(first); !errors.Is(cause, leaderelection.ErrLost) {
			t.Errorf("ended by %v", cause)
		}
		l.cut.Store(false)
		second := <-leads
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if second.Err() == nil {
			t.Error("leads on")
		}
		srv.Stop()
	})
}
