package compat

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
	"github.com/keelson-project/keelson/runtime/kubeconfig"
)

// TestInformer has the informer follow the suite's server, which may be a kube-apiserver: by streaming and by pages,
// narrowed in all ways, and through a CRD that goes and returns.
func TestInformer(t *testing.T) {
	cfg, err := kubeconfig.Load(suite.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{t: t, c: c}
	for _, ns := range []string{"inf-a", "inf-b"} {
		w.create(object(corev1.SchemeGroupVersion.WithKind("Namespace"), "", ns))
	}
	w.makeCRD()
	for i := range 30 {
		w.create(w.thing(i))
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	scope := informer.Scope{GVK: followed}
	labelled, named, metadata := scope, scope, scope
	labelled.LabelSelector, named.FieldSelector, metadata.MetadataOnly = "even=yes", "metadata.name=thing-4", true
	for name, cfg := range map[string]informer.Config[client.Object]{
		"streamed": {Scope: scope}, "compact": {Scope: scope, Compact: true}, "pages": {Scope: scope, NoStreaming: true, PageSize: 7},
		"labelled": {Scope: labelled}, "named": {Scope: named}, "metadata": {Scope: metadata}, "namespaces": {Scope: scope.In("inf-b", "inf-a")},
	} {
		cfg.Source = c.Source()
		cfg.New = func() client.Object { return &unstructured.Unstructured{} }
		cfg.OnError = func(err error) { t.Logf("%s: %v", name, err) }
		inf := informer.New(cfg)
		running.Go(func() { _ = inf.Run(ctx) })
		w.informers = append(w.informers, inf)
		w.names = append(w.names, name)
	}
	w.compare()
	for i := range 30 {
		switch i % 3 {
		case 0:
			w.ok(c.Delete(ctx, w.thing(i)))
		case 1:
			o := w.thing(i)
			w.ok(c.Get(ctx, client.KeyOf(o), o))
			o.SetLabels(map[string]string{"even": "changed"})
			w.ok(c.Update(ctx, o))
		}
	}
	w.compare()
	for i, name := range w.names {
		r := w.informers[i].Report()
		if streams := name != "pages"; streams != (r.Lists == 0) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	crd := object(crdKind, "", "follows.inf.example.com")
	w.ok(c.Delete(ctx, crd))
	w.gone(crd)
	w.compare()
	w.makeCRD()
	w.create(w.thing(4))
	w.compare()
	w.ok(c.Delete(ctx, crd))
}

var (
	followed = schema.GroupVersionKind{Group: "inf.example.com", Version: "v1", Kind: "Follow"}
	crdKind  = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
)

// watched is a kind with the informers that follow it.
type watched struct {
	t         *testing.T
	c         *client.Direct
	informers []*informer.Informer[client.Object]
	names     []string
}

func (w *watched) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func object(gvk schema.GroupVersionKind, ns, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	u.SetNamespace(ns)
	u.SetName(name)
	return u
}

func (w *watched) thing(i int) *unstructured.Unstructured {
	u := object(followed, []string{"inf-a", "inf-b"}[i%2], fmt.Sprint("thing-", i))
	u.Object["spec"] = map[string]any{"n": int64(i), "text": "some \"text\"\n"}
	if i%2 == 0 {
		u.SetLabels(map[string]string{"even": "yes"})
	}
	return u
}

// create waits for what the server does not serve yet, or still deletes.
func (w *watched) create(o *unstructured.Unstructured) {
	w.t.Helper()
	w.eventually("creating "+o.GetName(), func() error {
		err := w.c.Create(w.t.Context(), o.DeepCopy())
		if apierrors.IsAlreadyExists(err) && o.GetKind() == "Namespace" {
			return nil
		}
		return err
	})
}

func (w *watched) makeCRD() {
	crd := object(crdKind, "", "follows.inf.example.com")
	crd.Object["spec"] = map[string]any{
		"group": followed.Group, "scope": "Namespaced",
		"names": map[string]any{"plural": "follows", "singular": "follow", "kind": "Follow", "listKind": "FollowList"},
		"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{
			"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}},
	}
	w.create(crd)
}

func (w *watched) gone(o *unstructured.Unstructured) {
	w.eventually(o.GetName()+" to go", func() error {
		err := w.c.Get(w.t.Context(), client.KeyOf(o), o.DeepCopy())
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there: %w", err)
	})
}

func (w *watched) eventually(what string, try func() error) {
	w.t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	w.t.Fatalf("waited for %s: %v", what, err)
}

// compare waits until each informer has what a list has.
func (w *watched) compare() {
	w.t.Helper()
	for i, inf := range w.informers {
		w.eventually(w.names[i], func() error {
			want, got := map[string]string{}, map[string]string{}
			var list unstructured.UnstructuredList
			list.SetGroupVersionKind(followed.GroupVersion().WithKind("FollowList"))
			var narrowed []client.ListOption
			switch w.names[i] {
			case "labelled":
				narrowed = append(narrowed, client.MatchingLabels{"even": "yes"})
			case "named":
				narrowed = append(narrowed, client.MatchingFields{"metadata.name": "thing-4"})
			}
			if err := w.c.List(w.t.Context(), &list, narrowed...); err != nil && !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) {
				return err
			}
			for _, o := range list.Items {
				want[o.GetName()] = o.GetResourceVersion()
			}
			for o := range inf.Snapshot().List("") {
				got[o.GetName()] = o.GetResourceVersion()
			}
			if !maps.Equal(got, want) {
				return fmt.Errorf("has %v, the server %v; %+v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)), inf.Report())
			}
			return nil
		})
	}
}
