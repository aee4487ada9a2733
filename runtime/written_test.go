package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// valve holds back what watches send while it is shut.
type valve struct {
	next http.RoundTripper
	mu   sync.Mutex
	open chan struct{} // closed while it is open
}

func newValve(next http.RoundTripper) *valve {
	v := &valve{next: next, open: make(chan struct{})}
	close(v.open)
	return v
}

func (v *valve) shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = make(chan struct{})
}

func (v *valve) release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.open)
}

func (v *valve) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := v.next.RoundTrip(r)
	if err == nil && r.URL.Query().Get("watch") == "true" {
		resp.Body = &held{resp.Body, r.Context(), v}
	}
	return resp, err
}

type held struct {
	io.ReadCloser
	ctx context.Context
	v   *valve
}

func (h *held) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	h.v.mu.Lock()
	open := h.v.open
	h.v.mu.Unlock()
	select {
	case <-open:
		return n, err
	case <-h.ctx.Done():
		return 0, h.ctx.Err()
	}
}

// lagging is a running manager whose watches a valve holds back; its caches of ConfigMaps are filled.
func lagging(t *testing.T, opts runtime.Options) (client.Client, *valve) {
	t.Helper()
	v := newValve(apiservertest.Start(t, apiservertest.Options{}).Transport())
	opts.Scheme = kruntime.NewScheme()
	ok(t, corev1.AddToScheme(opts.Scheme))
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: v}, opts)
	ok(t, err)
	t.Cleanup(run(t, mgr))
	c := mgr.Client()
	ok(t, c.List(t.Context(), &corev1.ConfigMapList{}, client.InNamespace("default")))
	ok(t, c.List(t.Context(), metadataList(), client.InNamespace("default")))
	return c, v
}

func metadataList() *metav1.PartialObjectMetadataList {
	return &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMapList"}}
}

// briefly is a context in which nothing can be waited for.
func briefly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestDeletedIsNotRead(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	for _, name := range []string{"a", "b"} {
		ok(t, c.Create(ctx, cm(name)))
	}
	ok(t, c.Get(ctx, client.KeyOf(cm("b")), cm("")))
	ok(t, c.List(ctx, metadataList()))
	v.shut()
	defer v.release()
	ok(t, c.Delete(ctx, cm("a"), client.DryRunAll))
	ok(t, c.Get(ctx, client.KeyOf(cm("a")), cm("")))
	ok(t, c.Delete(ctx, cm("a")))
	if err := c.Get(ctx, client.KeyOf(cm("a")), cm("")); !apierrors.IsNotFound(err) {
		t.Errorf("read after its deletion: %v", err)
	}
	for _, list := range []client.ObjectList{&corev1.ConfigMapList{}, metadataList()} {
		ok(t, c.List(ctx, list, client.InNamespace("default")))
		if names := namesOf(t, list); len(names) != 1 || names[0] != "b" {
			t.Errorf("%T of %v after a's deletion", list, names)
		}
	}
}

// What goes with its last finalizer is not read either, whatever resourceVersion the answer has.
func TestLetGoIsNotRead(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	obj := cm("a")
	obj.Finalizers = []string{"example.com/one"}
	ok(t, c.Create(ctx, obj))
	ok(t, c.Delete(ctx, obj))
	ok(t, c.Get(ctx, client.KeyOf(obj), obj))
	v.shut()
	defer v.release()
	obj.Finalizers = nil
	ok(t, c.Update(ctx, obj, client.DryRunAll))
	ok(t, c.Get(ctx, client.KeyOf(obj), cm("")))
	ok(t, c.Update(ctx, obj))
	if err := c.Get(briefly(t), client.KeyOf(obj), cm("")); !apierrors.IsNotFound(err) {
		t.Errorf("want NotFound, got %v", err)
	}
	var list corev1.ConfigMapList
	if ok(t, c.List(briefly(t), &list)); len(list.Items) > 0 {
		t.Errorf("listed: %v", list.Items)
	}
}

func TestDeletedAndMadeAgain(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	ok(t, c.Create(ctx, cm("a")))
	ok(t, c.Get(ctx, client.KeyOf(cm("a")), cm("")))
	v.shut()
	ok(t, c.Delete(ctx, cm("a")))
	again := cm("a")
	ok(t, c.Create(ctx, again))
	if err := c.Get(briefly(t), client.KeyOf(again), cm("")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait for the new one, have %v", err)
	}
	v.release()
	got := cm("")
	ok(t, c.Get(ctx, client.KeyOf(again), got))
	if got.UID != again.UID {
		t.Errorf("read %s, want %s", got.UID, again.UID)
	}
}

func TestDeletedAllOf(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	for _, obj := range []*corev1.ConfigMap{cm("a"), cm("held"), cm("other")} {
		if obj.Name != "other" {
			obj.Labels = map[string]string{"app": "web"}
		}
		if obj.Name == "held" {
			obj.Finalizers = []string{"example.com/hold"}
		}
		ok(t, c.Create(ctx, obj))
	}
	ok(t, c.Get(ctx, client.KeyOf(cm("other")), cm("")))
	v.shut()
	ok(t, c.DeleteAllOf(ctx, cm(""), client.InNamespace("default"), client.MatchingLabels{"app": "web"}))
	if err := c.List(briefly(t), &corev1.ConfigMapList{}, client.InNamespace("default")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait for the deletionTimestamp of the one that is held, have %v", err)
	}
	v.release()
	var list corev1.ConfigMapList
	ok(t, c.List(ctx, &list, client.InNamespace("default")))
	if len(list.Items) != 2 || list.Items[0].DeletionTimestamp == nil || list.Items[1].Name != "other" {
		t.Errorf("listed %v", list.Items)
	}
}

func TestDeletedAllOfIsHidden(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	for _, name := range []string{"a", "b"} {
		ok(t, c.Create(ctx, cm(name)))
	}
	ok(t, c.Get(ctx, client.KeyOf(cm("b")), cm("")))
	v.shut()
	defer v.release()
	ok(t, c.DeleteAllOf(ctx, cm(""), client.InNamespace("default")))
	list := &corev1.ConfigMapList{}
	ok(t, c.List(briefly(t), list, client.InNamespace("default")))
	if len(list.Items) != 0 {
		t.Errorf("listed %v", namesOf(t, list))
	}
}

// A deletion that a finalizer holds back is a change like others.
func TestDeletionIsRead(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	obj := cm("a")
	obj.Finalizers = []string{"example.com/hold"}
	ok(t, c.Create(ctx, obj))
	ok(t, c.Get(ctx, client.KeyOf(obj), cm("")))
	v.shut()
	ok(t, c.Delete(ctx, obj))
	if err := c.Get(briefly(t), client.KeyOf(obj), cm("")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait, have %v", err)
	}
	v.release()
	got := cm("")
	ok(t, c.Get(ctx, client.KeyOf(obj), got))
	if got.DeletionTimestamp == nil {
		t.Error("read without its deletionTimestamp")
	}
}

// What was written through a subresource, in one namespace, by one view, is read by all; other namespaces do not wait.
func TestWritesAreRead(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	for _, ns := range []string{"one", "two"} {
		ok(t, c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}))
		obj := cm("a")
		obj.Namespace = ns
		ok(t, c.Create(ctx, obj))
		ok(t, c.Get(ctx, client.KeyOf(obj), cm("")))
	}
	ok(t, c.List(ctx, &corev1.NamespaceList{}))
	v.shut()
	u := &unstructured.Unstructured{}
	u.SetAPIVersion("v1")
	u.SetKind("ConfigMap")
	u.SetName("a")
	u.SetNamespace("one")
	ok(t, unstructured.SetNestedField(u.Object, "new", "data", "k"))
	ok(t, c.Apply(ctx, u, client.FieldOwner("me"), client.ForceOwnership))
	key := client.KeyOf(u)
	if err := c.Get(briefly(t), key, cm("")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait, have %v", err)
	}
	key.Namespace = "two"
	ok(t, c.Get(briefly(t), key, cm("")))
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "one"}}
	ok(t, c.Status().Patch(ctx, ns, client.RawPatch("application/merge-patch+json", []byte(`{"status":{"conditions":[{"type":"NamespaceContentRemaining","status":"True"}]}}`))))
	if err := c.Get(briefly(t), client.KeyOf(ns), &corev1.Namespace{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait for the status, have %v", err)
	}
	v.release()
	got := &unstructured.Unstructured{} // a view that begins now
	got.SetGroupVersionKind(u.GroupVersionKind())
	key.Namespace = "one"
	ok(t, c.Get(ctx, key, got))
	if v, _, _ := unstructured.NestedString(got.Object, "data", "k"); v != "new" {
		t.Errorf("read %v", got.Object)
	}
}

// Caches of some namespaces: what was written elsewhere is not waited for, and read from the server.
func TestNamespaces(t *testing.T) {
	c, v := lagging(t, runtime.Options{Namespaces: []string{"default", "kube-public"}})
	ctx := t.Context()
	v.shut()
	defer v.release()
	obj := cm("a")
	obj.Namespace = "kube-system"
	ok(t, c.Create(ctx, obj))
	ok(t, c.Get(briefly(t), client.KeyOf(obj), cm("")))
	ok(t, c.List(briefly(t), &corev1.ConfigMapList{}, client.InNamespace("default")))
	all := &corev1.ConfigMapList{}
	ok(t, c.List(ctx, all))
	if names := namesOf(t, all); len(names) != 1 || names[0] != "a" {
		t.Errorf("all namespaces have %v", names)
	}
	obj = cm("b")
	obj.Namespace = "kube-public"
	ok(t, c.Create(ctx, obj))
	if err := c.List(briefly(t), &corev1.ConfigMapList{}, client.InNamespace("kube-public")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait, have %v", err)
	}
}

// Of very many namespaces, writes are no longer told apart; each is read all the same.
func TestWritesInManyNamespaces(t *testing.T) {
	c, v := lagging(t, runtime.Options{})
	ctx := t.Context()
	in := func(i int) *corev1.ConfigMap {
		obj := cm("a")
		obj.Namespace = fmt.Sprint("ns-", i)
		return obj
	}
	for i := range 1030 {
		ok(t, c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("ns-", i)}}))
		ok(t, c.Create(ctx, in(i)))
	}
	ok(t, c.Get(ctx, client.KeyOf(in(7)), cm("")))
	v.shut()
	obj := in(3)
	obj.Data = map[string]string{"k": "v"}
	ok(t, c.Update(ctx, obj))
	if err := c.Get(briefly(t), client.KeyOf(obj), cm("")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait, have %v", err)
	}
	if err := c.List(briefly(t), &corev1.ConfigMapList{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait, have %v", err)
	}
	ok(t, c.Get(briefly(t), client.KeyOf(in(5)), cm("")))
	v.release()
	var list corev1.ConfigMapList
	ok(t, c.List(ctx, &list))
	if len(list.Items) < 1030 {
		t.Errorf("listed %d", len(list.Items))
	}
}

func namesOf(t *testing.T, list client.ObjectList) (names []string) {
	t.Helper()
	ok(t, meta.EachListItem(list, func(obj kruntime.Object) error {
		names = append(names, obj.(client.Object).GetName())
		return nil
	}))
	return names
}
