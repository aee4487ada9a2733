package runtime_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

func benchManager(b *testing.B, opts runtime.Options) *runtime.Manager {
	b.Helper()
	srv := apiservertest.Start(b, apiservertest.Options{})
	opts.Scheme = kruntime.NewScheme()
	if err := corev1.AddToScheme(opts.Scheme); err != nil {
		b.Fatal(err)
	}
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: srv.Transport()}, opts)
	if err != nil {
		b.Fatal(err)
	}
	return mgr
}

func runBench(b *testing.B, mgr *runtime.Manager) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- mgr.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

// BenchmarkEventToReconcile writes one object after the other, and tells how long it takes from before the write is sent
// to Reconcile: the in-process server's part, which is to store and to tell, included.
func BenchmarkEventToReconcile(b *testing.B) {
	mgr := benchManager(b, runtime.Options{})
	called := make(chan string, 1)
	err := runtime.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}).Complete(runtime.ReconcilerFunc(func(_ context.Context, req runtime.Request) (runtime.Result, error) {
		if req.Namespace == "default" && req.Name != "kube-root-ca.crt" {
			called <- req.Name
		}
		return runtime.Result{}, nil
	}))
	if err != nil {
		b.Fatal(err)
	}
	runBench(b, mgr)
	obj := cm("one")
	if err := mgr.Direct().Create(b.Context(), obj); err != nil {
		b.Fatal(err)
	}
	<-called
	var took []time.Duration
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		obj.Data = map[string]string{"i": strconv.Itoa(i)}
		began := time.Now()
		if err := mgr.Direct().Update(b.Context(), obj); err != nil {
			b.Fatal(err)
		}
		<-called
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "us-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "us-p99")
}

// BenchmarkCachedGet reads an object from the cache: when nothing was written, when something was and is known, and with
// deletions that are remembered.
func BenchmarkCachedGet(b *testing.B) {
	mgr := benchManager(b, runtime.Options{})
	runBench(b, mgr)
	c, ctx := mgr.Client(), b.Context()
	if err := mgr.Direct().Create(ctx, cm("one")); err != nil {
		b.Fatal(err)
	}
	get := func(b *testing.B) {
		b.ReportAllocs()
		var into corev1.ConfigMap
		for b.Loop() {
			if err := c.Get(ctx, client.KeyOf(cm("one")), &into); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := c.Create(ctx, cm("two")); err != nil { // so that the cache is certain to have the first
		b.Fatal(err)
	}
	b.Run("written", get)
	for i := range 500 {
		ns := &corev1.Namespace{}
		ns.Name = "ns-" + strconv.Itoa(i)
		if err := c.Create(ctx, ns); err != nil {
			b.Fatal(err)
		}
		obj := cm("one")
		obj.Namespace = ns.Name
		if err := c.Create(ctx, obj); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("written in 500 namespaces", get)
	if err := c.Delete(ctx, cm("two")); err != nil {
		b.Fatal(err)
	}
	b.Run("deleted", get)
}

// BenchmarkList finds 10 of 10,000 objects in the cache, by a label and by an index.
func BenchmarkList(b *testing.B) {
	mgr := benchManager(b, runtime.Options{})
	err := runtime.IndexField(mgr, "group", func(obj *corev1.ConfigMap) []string { return []string{obj.Labels["group"]} })
	if err != nil {
		b.Fatal(err)
	}
	for i := range 10_000 {
		obj := cm("cm-" + strconv.Itoa(i))
		obj.Labels = map[string]string{"group": strconv.Itoa(i % 1000)}
		if err := mgr.Direct().Create(b.Context(), obj); err != nil {
			b.Fatal(err)
		}
	}
	runBench(b, mgr)
	for name, by := range map[string]client.ListOption{"label": client.MatchingLabels{"group": "7"}, "index": client.MatchingFields{"group": "7"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var list corev1.ConfigMapList
				if err := mgr.Client().List(b.Context(), &list, client.InNamespace("default"), by); err != nil || len(list.Items) != 10 {
					b.Fatal(err, len(list.Items))
				}
			}
		})
	}
}

// BenchmarkApply applies the same ConfigMap again: by a client that reads from the cache, which does not send it, and by one
// that does.
func BenchmarkApply(b *testing.B) {
	mgr := benchManager(b, runtime.Options{FieldOwner: "me"})
	runBench(b, mgr)
	obj := func() *corev1.ConfigMap {
		obj := cm("one")
		obj.Data = map[string]string{"a": "1"}
		return obj
	}
	if err := mgr.Client().Apply(b.Context(), obj()); err != nil {
		b.Fatal(err)
	}
	if err := mgr.Client().Get(b.Context(), client.KeyOf(cm("one")), cm("")); err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]client.Client{"cached": mgr.Client(), "direct": mgr.Direct()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Apply(b.Context(), obj()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
