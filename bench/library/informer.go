package library

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/keelson-project/keelson/bench/load"
	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

// Informer compares informer with the shared informer of client-go, over one server that holds many unstructured
// objects: the first sync, what the objects take in memory, and how long a write takes to reach a handler. What is
// measured is this process: the server is another.
type Informer struct {
	Keelson string // the server's binary
	Objects int

	server *filled
}

// Name implements Scenario.
func (*Informer) Name() string { return "lib-informer" }

// Loads implements Scenario.
func (s *Informer) Loads() []Load {
	return []Load{
		{Keelson: s.measure("lib-informer", s.ours(false)), Peer: s.measure("lib-informer", s.clientGo)},
		{Keelson: s.measure("lib-informer-compact", s.ours(true)), Peer: s.measure("lib-informer-compact", s.clientGo)},
	}
}

// Close stops the server.
func (s *Informer) Close() error {
	f := s.server
	s.server = nil
	return f.close()
}

// start the server and store the objects, unless that is done.
func (s *Informer) start(ctx context.Context) (f *filled, err error) {
	if s.server == nil {
		s.server, err = fill(ctx, s.Keelson, s.Objects)
	}
	return s.server, err
}

// synced is an informer that runs: how many objects it has, and its end.
type synced struct {
	objects func() int
	stop    func()
}

// start of an informer whose handler is told the names and seq of objects that change. It returns when it has synced.
type startInformer func(ctx context.Context, f *filled, changed func(name string)) (synced, error)

func (s *Informer) ours(compact bool) startInformer {
	return func(ctx context.Context, f *filled, changed func(string)) (synced, error) {
		t := f.transport()
		c, err := client.New(client.Config{Host: f.running.URL, Transport: t}, client.Options{})
		if err != nil {
			return synced{}, err
		}
		inf := informer.New(informer.Config[*unstructured.Unstructured]{
			Source: c.Source(), Compact: compact,
			Scope: informer.Scope{GVK: schema.GroupVersionKind{Group: load.Group, Version: "v1", Kind: "Gadgets"}},
		})
		inf.AddHandler(func(ch informer.Change[*unstructured.Unstructured]) {
			if !ch.Initial {
				changed(ch.Object().GetName())
			}
		})
		ctx, cancel := context.WithCancel(ctx)
		var run sync.WaitGroup
		run.Go(func() { _ = inf.Run(ctx) })
		stop := func() { cancel(); run.Wait(); t.CloseIdleConnections() }
		return synced{func() int { return inf.Snapshot().Len() }, stop}, inf.WaitSynced(ctx)
	}
}

func (s *Informer) clientGo(ctx context.Context, f *filled, changed func(string)) (synced, error) {
	t := f.transport()
	c, err := dynamic.NewForConfig(&rest.Config{Host: f.running.URL, Transport: t, QPS: -1})
	if err != nil {
		return synced{}, err
	}
	gvr := schema.GroupVersionResource{Group: load.Group, Version: "v1", Resource: gadgets.Plural}
	inf := dynamicinformer.NewFilteredDynamicInformer(c, gvr, "", 0, cache.Indexers{}, nil).Informer()
	if _, err := inf.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(any, bool) {},
		UpdateFunc: func(_, now any) { changed(now.(*unstructured.Unstructured).GetName()) },
	}); err != nil {
		return synced{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var run sync.WaitGroup
	run.Go(func() { inf.RunWithContext(ctx) })
	stop := func() { cancel(); run.Wait(); t.CloseIdleConnections() }
	select {
	case <-inf.HasSyncedChecker().Done():
	case <-ctx.Done():
		return synced{stop: stop}, ctx.Err()
	}
	return synced{func() int { return len(inf.GetStore().ListKeys()) }, stop}, nil
}

// measure returns the values of one start, under id.
func (s *Informer) measure(id string, start startInformer) func(context.Context) (map[string]float64, error) {
	return func(ctx context.Context) (map[string]float64, error) {
		f, err := s.start(ctx)
		if err != nil {
			return nil, err
		}
		seen := make(chan string, 16)
		before := usage()
		begun := time.Now()
		inf, err := start(ctx, f, func(name string) { seen <- name })
		took := time.Since(begun)
		if err != nil {
			return nil, err
		}
		defer inf.stop()
		after := usage()
		if n := inf.objects(); n != s.Objects {
			return nil, fmt.Errorf("%d objects, not %d", n, s.Objects)
		}
		delays, err := s.delays(ctx, f, seen)
		if err != nil {
			return nil, err
		}
		rested := usage()
		n := float64(s.Objects)
		return map[string]float64{
			id:             took.Seconds(),
			id + "-cpu":    float64((after.cpu - before.cpu).Microseconds()) / n,
			id + "-allocs": float64(after.mallocs-before.mallocs) / n,
			id + "-memory": float64(rested.heap-before.heap) / n,
			id + "-p50":    float64(delays[len(delays)/2].Microseconds()) / 1000,
			id + "-p99":    float64(delays[len(delays)*99/100].Microseconds()) / 1000,
		}, nil
	}
}

// delays of writes, one after the other, from when the write is sent to when the handler is told, sorted.
func (s *Informer) delays(ctx context.Context, f *filled, seen <-chan string) ([]time.Duration, error) {
	const writes, pace = 500, 2 * time.Millisecond
	var all []time.Duration
	label := fmt.Sprint(time.Now().UnixNano())
	for i := range writes {
		name := gadget(i * s.Objects / writes)
		sent := time.Now()
		if err := f.label(ctx, name, label); err != nil {
			return nil, err
		}
		select {
		case got := <-seen:
			if got != name {
				return nil, fmt.Errorf("told of %s, not of %s", got, name)
			}
		case <-time.After(10 * time.Second):
			return nil, fmt.Errorf("not told of a change of %s", name)
		}
		all = append(all, time.Since(sent))
		time.Sleep(pace)
	}
	slices.Sort(all)
	return all, nil
}
