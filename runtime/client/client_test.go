package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

func scheme() *kruntime.Scheme {
	s := kruntime.NewScheme()
	_ = corev1.AddToScheme(s)
	return s
}

func start(t *testing.T) *client.Direct {
	t.Helper()
	srv := apiservertest.Start(t, apiservertest.Options{})
	c, err := client.New(client.Config{Host: "http://server", Transport: srv.Transport()}, client.Options{Scheme: scheme(), FieldOwner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}}, Data: map[string]string{"a": "1"}}
}

func TestLifeOfAnObject(t *testing.T) {
	c, ctx := start(t), t.Context()
	cm := configMap("one")
	ok(t, c.Create(ctx, cm, client.DryRunAll))
	cm = configMap("one")
	ok(t, c.Create(ctx, cm))
	if cm.UID == "" || cm.Kind != "ConfigMap" {
		t.Fatalf("answer not decoded: %+v", cm)
	}
	if err := c.Create(ctx, configMap("one")); !apierrors.IsAlreadyExists(err) {
		t.Fatalf("want AlreadyExists, got %v", err)
	}
	old := cm.DeepCopy()
	cm.Data = map[string]string{"b": "2"}
	ok(t, c.Patch(ctx, cm, client.MergeFrom(old)))
	if _, there := cm.Data["a"]; there || cm.Data["b"] != "2" {
		t.Fatalf("patched to %v", cm.Data)
	}
	if err := c.Update(ctx, old); !apierrors.IsConflict(err) {
		t.Fatalf("want Conflict, got %v", err)
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	ok(t, c.Get(ctx, client.KeyOf(cm), u))
	if data, _, _ := unstructured.NestedStringMap(u.Object, "data"); data["b"] != "2" {
		t.Fatalf("unstructured %v", data)
	}
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(u.GroupVersionKind())
	ok(t, c.Get(ctx, client.KeyOf(cm), m))
	if m.Kind != "ConfigMap" || m.UID != cm.UID {
		t.Fatalf("metadata: %+v", m)
	}
	wrong := m.UID + "x"
	if err := c.Delete(ctx, cm, client.Preconditions{UID: &wrong}); !apierrors.IsConflict(err) {
		t.Fatalf("want Conflict, got %v", err)
	}
	ok(t, c.Delete(ctx, m, client.PropagationPolicy(metav1.DeletePropagationBackground)))
	if err := c.Get(ctx, client.KeyOf(cm), cm); !apierrors.IsNotFound(err) {
		t.Fatalf("want NotFound, got %v", err)
	}
}

func TestApply(t *testing.T) {
	c, ctx := start(t), t.Context()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "applied"}, Data: map[string]string{"c": "3"}}
	err := c.Apply(ctx, cm, client.ForceOwnership)
	if apierrors.IsUnsupportedMediaType(err) {
		t.Skip("this server has no server-side apply yet")
	}
	ok(t, err)
	if cm.UID == "" || cm.Data["c"] != "3" {
		t.Fatalf("applied to %+v", cm)
	}
}

func TestListPagesAndWatch(t *testing.T) {
	c, ctx := start(t), t.Context()
	var all corev1.ConfigMapList
	ok(t, c.List(ctx, &all, client.InNamespace("default")))
	w, err := c.Watch(ctx, &all, client.InNamespace("default"), client.ResourceVersion(all.ResourceVersion))
	ok(t, err)
	defer w.Close()
	for i := range 5 {
		ok(t, c.Create(ctx, configMap(fmt.Sprint("cm-", i))))
		kind, obj, err := w.Next(ctx)
		ok(t, err)
		if kind != watch.Added || obj.(*corev1.ConfigMap).Name != fmt.Sprint("cm-", i) {
			t.Fatalf("%s %v", kind, obj)
		}
	}
	seen, token := 0, ""
	for {
		var page corev1.ConfigMapList
		ok(t, c.List(ctx, &page, client.InNamespace("default"), client.MatchingLabels{"app": "web"}, client.Limit(2), client.Continue(token)))
		seen += len(page.Items)
		if page.Items[0].Kind != "ConfigMap" {
			t.Fatal("items without kind")
		}
		if token = page.Continue; token == "" {
			break
		}
	}
	if seen != 5 {
		t.Fatalf("saw %d", seen)
	}
	ok(t, c.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace("default"), client.MatchingFields{"metadata.name": "cm-3"}))
	kind, _, err := w.Next(ctx)
	if err != nil || kind != watch.Deleted {
		t.Fatal(kind, err)
	}
	short, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := w.Next(short); !errors.Is(err, context.Canceled) {
		t.Fatalf("want Canceled, got %v", err)
	}
}

func TestInformer(t *testing.T) {
	c := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	inf := informer.New(informer.Config[*corev1.ConfigMap]{Source: c.Source(), Scope: informer.Scope{GVK: corev1.SchemeGroupVersion.WithKind("ConfigMap")}})
	done := make(chan error)
	go func() { done <- inf.Run(ctx) }()
	cm := configMap("seen")
	ok(t, c.Create(ctx, cm))
	ok(t, inf.WaitSynced(ctx))
	ok(t, inf.WaitForRevision(ctx, cm.ResourceVersion))
	if _, found := inf.Get("default", "seen"); !found {
		t.Fatal("not in the store")
	}
	cancel()
	ok(t, <-done)
}

func TestUnknownKind(t *testing.T) {
	c := start(t)
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "none.example", Version: "v1", Kind: "Nothing"})
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "a", Name: "b"}, u); !meta.IsNoMatchError(err) {
		t.Fatalf("want NoMatch, got %v", err)
	}
}

func TestVersionsOf(t *testing.T) {
	c := start(t)
	for resource, want := range map[schema.GroupResource]string{
		{Resource: "configmaps"}:                 "[{/v1, Kind=ConfigMap {/v1, Resource=configmaps true}",
		{Group: "apps", Resource: "deployments"}: "[{apps/v1, Kind=Deployment {apps/v1, Resource=deployments true}",
		{Resource: "namespaces"}:                 "[{/v1, Kind=Namespace {/v1, Resource=namespaces false}",
		{Group: "apps", Resource: "nothing"}:     "[]",
		{Group: "none.example", Resource: "x"}:   "[]",
	} {
		got, err := c.VersionsOf(t.Context(), resource)
		ok(t, err)
		if s := fmt.Sprint(got); !strings.HasPrefix(s, want) || len(got) > 0 && !slices.Contains(got[0].Verbs, "patch") {
			t.Errorf("%v: got %s, want %s", resource, s, want)
		}
	}
}

func TestPatience(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1":
			fmt.Fprint(w, `{"resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true}]}`)
		default:
			if asked++; asked < 3 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			fmt.Fprint(w, `{"metadata":{"name":"x","namespace":"y"},"data":{"k":"v"}}`)
		}
	}))
	defer srv.Close()
	c, err := client.New(client.Config{Host: srv.URL, Timeout: time.Minute}, client.Options{Scheme: scheme()})
	ok(t, err)
	var cm corev1.ConfigMap
	ok(t, c.Get(t.Context(), client.ObjectKey{Namespace: "y", Name: "x"}, &cm))
	if asked != 3 || cm.Data["k"] != "v" {
		t.Fatal(asked, cm)
	}
}
