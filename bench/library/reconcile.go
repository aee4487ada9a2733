package library

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/keelson-project/keelson/bench/load"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// Reconcile compares runtime with controller-runtime: how long an event takes from when it has been read off the
// connection to the call of Reconcile, and what it costs. Both have a manager with one controller of unstructured
// objects, over one server, which is another process; Reconcile reads its object from the cache.
type Reconcile struct {
	Keelson string // the server's binary

	server *filled
}

const (
	reconciled = 1000 // objects
	events     = 2000 // changes, one after the other
	eventPace  = time.Millisecond
)

// Name implements Scenario.
func (*Reconcile) Name() string { return "lib-reconcile" }

// Loads implements Scenario.
func (s *Reconcile) Loads() []Load {
	return []Load{{Keelson: s.measure(ourManager), Peer: s.measure(peerManager)}}
}

// Close stops the server.
func (s *Reconcile) Close() error {
	f := s.server
	s.server = nil
	return f.close()
}

// startManager makes a manager that calls told at the beginning of each Reconcile, and returns what runs it.
type startManager func(url string, t http.RoundTripper, told func(name string)) (run func(context.Context) error, err error)

var gadgetKind = schema.GroupVersionKind{Group: load.Group, Version: "v1", Kind: "Gadgets"}

func newGadget() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gadgetKind)
	return u
}

func ourManager(url string, t http.RoundTripper, told func(string)) (func(context.Context) error, error) {
	mgr, err := runtime.New(client.Config{Host: url, Transport: t}, runtime.Options{GracefulShutdownTimeout: -1})
	if err != nil {
		return nil, err
	}
	err = runtime.NewControllerManagedBy(mgr).For(newGadget()).Complete(
		runtime.ReconcilerFunc(func(ctx context.Context, r runtime.Request) (runtime.Result, error) {
			told(r.Name)
			return runtime.Result{}, mgr.Client().Get(ctx, r.NamespacedName, newGadget())
		}))
	return mgr.Run, err
}

func peerManager(url string, t http.RoundTripper, told func(string)) (func(context.Context) error, error) {
	ctrl.SetLogger(logr.Discard()) // or it tells, with a stack, that there is none
	none := time.Duration(0)
	mgr, err := ctrl.NewManager(&rest.Config{Host: url, Transport: t, QPS: -1}, ctrl.Options{
		Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"}, GracefulShutdownTimeout: &none,
	})
	if err != nil {
		return nil, err
	}
	again := true // in the next round a controller has the same name
	err = ctrl.NewControllerManagedBy(mgr).For(newGadget()).WithOptions(controller.Options{SkipNameValidation: &again}).Complete(
		reconcile.Func(func(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
			told(r.Name)
			return ctrl.Result{}, mgr.GetClient().Get(ctx, r.NamespacedName, newGadget())
		}))
	return mgr.Start, err
}

// told is one call of Reconcile.
type told struct {
	name string
	at   time.Time
}

func (s *Reconcile) measure(start startManager) func(context.Context) (map[string]float64, error) {
	return func(ctx context.Context) (values map[string]float64, err error) {
		if s.server == nil {
			if s.server, err = fill(ctx, s.Keelson, reconciled); err != nil {
				return nil, err
			}
		}
		f := s.server
		alone, err := f.events(ctx, nil, nil) // what the writes themselves cost this process
		if err != nil {
			return nil, err
		}
		t := f.transport()
		defer t.CloseIdleConnections()
		arrived, calls := &arrivals{next: t}, make(chan told, reconciled)
		run, err := start(f.running.URL, arrived, func(name string) { calls <- told{name, time.Now()} })
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		var ended error
		before, begun := cpu(), time.Now()
		running.Go(func() { ended = run(ctx) })
		defer func() { cancel(); running.Wait(); err = errors.Join(err, ended) }()
		for range reconciled {
			if _, err := next(ctx, calls); err != nil {
				return nil, err
			}
		}
		took, used := time.Since(begun), cpu()-before
		with, err := f.events(ctx, arrived, calls)
		if err != nil {
			return nil, err
		}
		return map[string]float64{
			"lib-reconcile-p50":       micros(with.event, 50),
			"lib-reconcile-p99":       micros(with.event, 99),
			"lib-reconcile-cpu":       float64((with.cpu - alone.cpu).Microseconds()) / events,
			"lib-reconcile-write-p50": micros(with.write, 50),
			"lib-reconcile-write-p99": micros(with.write, 99),
			"lib-reconcile-start":     float64(took.Microseconds()) / 1000,
			"lib-reconcile-start-cpu": float64(used.Microseconds()) / 1000,
		}, nil
	}
}

// micros is a percentile of sorted durations.
func micros(sorted []time.Duration, percent int) float64 {
	return float64(sorted[len(sorted)*percent/100].Nanoseconds()) / 1000
}

// delays until Reconcile is called, from when the event had been read and from when the write was sent; sorted. And what
// all of that cost.
type delays struct {
	event, write []time.Duration
	cpu          time.Duration
}

// events changes gadgets, one after the other, and waits for the call of Reconcile, where calls is not nil.
func (f *filled) events(ctx context.Context, arrived *arrivals, calls <-chan told) (d delays, err error) {
	before := cpu()
	for i := range events {
		name, sent := gadget(i%reconciled), time.Now()
		if err := f.label(ctx, name, strconv.FormatInt(sent.UnixNano(), 10)); err != nil {
			return d, err
		}
		if calls != nil {
			call, err := next(ctx, calls)
			if err == nil && call.name != name {
				err = fmt.Errorf("Reconcile was called for %s, not for %s", call.name, name)
			}
			if err != nil {
				return d, err
			}
			d.event = append(d.event, call.at.Sub(arrived.latest()))
			d.write = append(d.write, call.at.Sub(sent))
		}
		time.Sleep(eventPace)
	}
	d.cpu = cpu() - before
	slices.Sort(d.event)
	slices.Sort(d.write)
	return d, nil
}

func next(ctx context.Context, calls <-chan told) (told, error) {
	select {
	case call := <-calls:
		return call, nil
	case <-ctx.Done():
		return told{}, ctx.Err()
	case <-time.After(10 * time.Second):
		return told{}, errors.New("Reconcile was not called")
	}
}

// arrivals notes when something of a watch was read last.
type arrivals struct {
	next http.RoundTripper
	last atomic.Pointer[time.Time]
}

func (a *arrivals) latest() time.Time { return *a.last.Load() }

// RoundTrip implements http.RoundTripper.
func (a *arrivals) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := a.next.RoundTrip(r)
	if err == nil && r.URL.Query().Has("watch") {
		res.Body = &noted{res.Body, a}
	}
	return res, err
}

type noted struct {
	io.ReadCloser
	into *arrivals
}

func (n *noted) Read(p []byte) (int, error) {
	got, err := n.ReadCloser.Read(p)
	if got > 0 {
		now := time.Now()
		n.into.last.Store(&now)
	}
	return got, err
}
