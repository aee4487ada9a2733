package shards_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/shards"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func scheme(t *testing.T) *kruntime.Scheme {
	s := kruntime.NewScheme()
	ok(t, coordinationv1.AddToScheme(s))
	ok(t, corev1.AddToScheme(s))
	return s
}

// link is a replica's way to the server, which can be cut.
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

// replica is a member that runs until it is stopped.
type replica struct {
	*shards.Member
	link *link
	stop func()
}

const period, lease = time.Second, 5 * time.Second

func start(t *testing.T, srv *apiservertest.Server, identity string) *replica {
	t.Helper()
	r := &replica{link: &link{RoundTripper: srv.Transport()}}
	c, err := client.New(client.Config{Host: "http://server", Transport: r.link}, client.Options{Scheme: scheme(t)})
	ok(t, err)
	r.Member, err = shards.New(shards.Config{
		Client: c, Namespace: "default", Name: "test", Identity: identity, Shards: 8, RetryPeriod: period, LeaseDuration: lease,
	})
	ok(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = func() {
		cancel()
		ok(t, <-done)
	}
	return r
}

// inShard is a request in that shard of eight.
func inShard(m *shards.Member, shard int) runtime.Request {
	for i := 0; ; i++ {
		req := runtime.Request{NamespacedName: types.NamespacedName{Namespace: fmt.Sprint("ns", i), Name: "a"}}
		if m.Shard(req) == shard {
			return req
		}
	}
}

// pass lets time pass, and checks all the while that no shard has two owners.
func pass(t *testing.T, d time.Duration, replicas ...*replica) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(period / 4)
		synctest.Wait()
		owners := map[int]int{}
		for i, r := range replicas {
			for _, s := range r.Owned() {
				if other, twice := owners[s]; twice {
					t.Fatalf("shard %d has the owners %d and %d", s, other, i)
				}
				owners[s] = i
			}
		}
	}
}

func TestReplicasComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
		a := start(t, srv, "a")
		pass(t, period, a)
		if got := a.Owned(); len(got) != 8 {
			t.Fatalf("alone: %v", got)
		}
		b := start(t, srv, "b")
		pass(t, 3*period, a, b)
		if x, y := a.Owned(), b.Owned(); len(x) != 4 || len(y) != 4 {
			t.Fatalf("two: %v %v", x, y)
		}
		c := start(t, srv, "c")
		pass(t, 3*period, a, b, c)
		if x, y, z := a.Owned(), b.Owned(), c.Owned(); len(x)+len(y)+len(z) != 8 || min(len(x), len(y), len(z)) < 2 {
			t.Fatalf("three: %v %v %v", x, y, z)
		}
		a.stop()
		pass(t, 3*period, b, c)
		if x, y := b.Owned(), c.Owned(); len(x) != 4 || len(y) != 4 {
			t.Fatalf("the first has left: %v %v", x, y)
		}
		b.stop()
		c.stop()
		if b.Owned() != nil || c.Owned() != nil {
			t.Error("owned after the end")
		}
		srv.Stop()
	})
}

// A shard stays where it is worked on, until that has ended.
func TestWorkIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
		a := start(t, srv, "a")
		pass(t, period, a)
		var held [8]context.Context
		var release [8]func()
		for i := range held {
			var is bool
			held[i], release[i], is = a.Hold(t.Context(), inShard(a.Member, i))
			if !is || shards.Epoch(held[i]) != 1 {
				t.Fatalf("shard %d: held %v in epoch %d", i, is, shards.Epoch(held[i]))
			}
		}
		b := start(t, srv, "b")
		pass(t, 2*lease, a, b)
		if x, y := a.Owned(), b.Owned(); len(x) != 4 || len(y) != 0 {
			t.Fatalf("while all is worked on: %v %v", x, y)
		}
		for i := range held {
			if held[i].Err() != nil {
				t.Errorf("the work in shard %d was ended: %v", i, context.Cause(held[i]))
			}
			release[i]()
		}
		pass(t, 2*period, a, b)
		y := b.Owned()
		if len(y) != 4 {
			t.Fatalf("afterwards: %v %v", a.Owned(), y)
		}
		ctx, done, is := b.Hold(t.Context(), inShard(b.Member, y[0]))
		if !is || shards.Epoch(ctx) != 2 {
			t.Fatalf("held %v in epoch %d", is, shards.Epoch(ctx))
		}
		done()
		if _, _, is := a.Hold(t.Context(), inShard(a.Member, y[0])); is {
			t.Error("held by both")
		}
		a.stop()
		b.stop()
		srv.Stop()
	})
}

// A replica that is cut off ends its work before others take over; a short cut ends nothing.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
		a, b := start(t, srv, "a"), start(t, srv, "b")
		pass(t, 3*period, a, b)
		mine := a.Owned()
		held, release, is := a.Hold(t.Context(), inShard(a.Member, mine[0]))
		if !is {
			t.Fatal("not held")
		}
		a.link.cut.Store(true)
		pass(t, lease-2*period, a, b)
		a.link.cut.Store(false)
		pass(t, lease, a, b)
		if held.Err() != nil || !slices.Equal(a.Owned(), mine) {
			t.Fatalf("after a short cut: %v, owned %v", held.Err(), a.Owned())
		}
		a.link.cut.Store(true)
		pass(t, 2*lease, a, b)
		if !errors.Is(context.Cause(held), shards.ErrLost) || a.Owned() != nil || len(b.Owned()) != 8 {
			t.Fatalf("after a long cut: %v, owned %v and %v", context.Cause(held), a.Owned(), b.Owned())
		}
		a.link.cut.Store(false)
		pass(t, 3*period, a, b)
		if got := a.Owned(); len(got) != 3 { // one has still work of old
			t.Errorf("back again: %v", got)
		}
		release()
		pass(t, 3*period, a, b)
		if x, y := a.Owned(), b.Owned(); len(x) != 4 || len(y) != 4 {
			t.Errorf("in the end: %v %v", x, y)
		}
		a.stop()
		b.stop()
		srv.Stop()
	})
}

// Managers share the work: each object is reconciled by one, and by another when that has gone.
func TestManagers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := apiservertest.Start(t, apiservertest.Options{NoListener: true})
		cfg := client.Config{Host: "http://server", Transport: srv.Transport()}
		var got [2]chan string
		var byShard [2]atomic.Int32
		var stops [2]func()
		for i := range got {
			got[i] = make(chan string, 1000)
			direct, err := client.New(cfg, client.Options{Scheme: scheme(t)})
			ok(t, err)
			m, err := shards.New(shards.Config{Client: direct, Namespace: "default", Name: "managers", Identity: fmt.Sprint("m", i), RetryPeriod: period, LeaseDuration: lease, By: shards.ByName})
			ok(t, err)
			mgr, err := runtime.New(cfg, runtime.Options{Scheme: scheme(t), Shards: m})
			ok(t, err)
			ok(t, runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Complete(runtime.ReconcilerFunc(func(ctx context.Context, req runtime.Request) (runtime.Result, error) {
				if runtime.CausesFrom(ctx).Has(runtime.CauseShard) {
					byShard[i].Add(1)
				}
				got[i] <- req.Name
				return runtime.Result{}, nil
			})))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- mgr.Run(ctx) }()
			stops[i] = func() { cancel(); ok(t, <-done) }
			time.Sleep(3 * period)
		}
		direct, err := client.New(cfg, client.Options{Scheme: scheme(t)})
		ok(t, err)
		time.Sleep(3 * period)
		take := func(i int) (names []string) {
			for len(got[i]) > 0 {
				if name := <-got[i]; name != "kube-root-ca.crt" {
					names = append(names, name)
				}
			}
			return names
		}
		take(0)
		take(1)
		for i := range 40 {
			ok(t, direct.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("cm", i)}}))
		}
		time.Sleep(time.Second)
		first, second := take(0), take(1)
		if len(first)+len(second) != 40 || len(first) < 8 || len(second) < 8 {
			t.Errorf("reconciled %d and %d of 40", len(first), len(second))
		}
		stops[0]()
		time.Sleep(3 * period)
		gained := take(1)
		for _, name := range first {
			if !slices.Contains(gained, name) {
				t.Errorf("%s was not taken over", name)
			}
		}
		if byShard[1].Load() == 0 {
			t.Error("nobody was told that it was for a shard")
		}
		stops[1]()
		srv.Stop()
	})
}
