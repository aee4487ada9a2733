// Package clustertest tells stories of controllers: a server in the test's process, objects in YAML, and waiting for what
// becomes of them.
package clustertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime/client"
)

// Object is what the stories are about.
type Object = unstructured.Unstructured

// Websites is the CRD of a kind whose objects hold nothing.
const Websites = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: websites.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: websites, kind: Website}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`

// Cluster is a server with controllers.
type Cluster struct {
	*client.Direct

	t testing.TB
}

// patience is how long what must happen may take on a busy machine.
const patience = time.Minute

// Start starts a server with controllers, and stops them when the test ends, which fails if that leaves a goroutine.
func Start(t testing.TB, o apiservertest.Options) *Cluster {
	t.Helper()
	noGoroutineLeft(t)
	srv := apiservertest.Start(t, o)
	c, err := client.New(client.Config{Host: "http://server", Transport: srv.Transport()}, client.Options{FieldOwner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{c, t}
}

func noGoroutineLeft(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
			time.Sleep(time.Millisecond) // connections that were closed end in their own time
		}
		if n := runtime.NumGoroutine(); n > before && !t.Failed() {
			stacks := make([]byte, 1<<20)
			t.Errorf("%d goroutines before, %d after:\n%s", before, n, stacks[:runtime.Stack(stacks, true)])
		}
	})
}

// Create makes the objects of some YAML documents and returns the last. The namespace is "default" unless it is said, or
// the kind has none.
func (c *Cluster) Create(docs string) (last *Object) {
	c.t.Helper()
	for doc := range strings.SplitSeq(docs, "\n---\n") {
		last = &Object{}
		if err := yaml.Unmarshal([]byte(doc), &last.Object); err != nil {
			c.t.Fatalf("%v in\n%s", err, doc)
		}
		m, err := c.MappingFor(c.t.Context(), last.GroupVersionKind())
		if err == nil {
			if m.Namespaced && last.GetNamespace() == "" {
				last.SetNamespace("default")
			}
			err = c.Direct.Create(c.t.Context(), last)
		}
		if err != nil {
			c.t.Fatalf("%v from\n%s", err, doc)
		}
	}
	return last
}

// Now is what has become of obj; nil where it is gone, or another has its name.
func (c *Cluster) Now(obj *Object) *Object {
	c.t.Helper()
	now := obj.DeepCopy()
	err := c.Get(c.t.Context(), client.KeyOf(obj), now)
	switch {
	case apierrors.IsNotFound(err), err == nil && now.GetUID() != obj.GetUID():
		return nil
	case err != nil:
		c.t.Fatal(err)
	}
	return now
}

// Remove asks for the end of obj; propagation may be "".
func (c *Cluster) Remove(obj *Object, propagation metav1.DeletionPropagation) {
	c.t.Helper()
	opts := []client.DeleteOption{}
	if propagation != "" {
		opts = append(opts, client.PropagationPolicy(propagation))
	}
	c.Must(c.Delete(c.t.Context(), obj, opts...))
}

// Release takes the finalizers of obj away.
func (c *Cluster) Release(obj *Object) {
	c.t.Helper()
	c.Must(c.Patch(c.t.Context(), obj.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))))
}

// Must ends the test where there is an error.
func (c *Cluster) Must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// Gone waits until objects are gone.
func (c *Cluster) Gone(objs ...*Object) {
	c.t.Helper()
	for _, obj := range objs {
		c.Until(obj, "is gone", func(now *Object) bool { return now == nil })
	}
}

// There fails the test where one of the objects is gone or being deleted.
func (c *Cluster) There(objs ...*Object) {
	c.t.Helper()
	for _, obj := range objs {
		if now := c.Now(obj); now == nil || now.GetDeletionTimestamp() != nil {
			c.t.Errorf("%s %s should have been left alone, and is %v", obj.GetKind(), obj.GetName(), now)
		}
	}
}

// Until waits until an object is as asked, nil when it is gone, and returns it.
func (c *Cluster) Until(obj *Object, what string, reached func(now *Object) bool) *Object {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	now := c.Now(obj)
	for !reached(now) {
		if now == nil {
			c.t.Fatalf("%s %s is gone before it %s", obj.GetKind(), obj.GetName(), what)
		}
		var err error
		if now, err = c.next(ctx, now); err != nil {
			c.t.Fatalf("waiting until %s %s %s: %v; it is %v", obj.GetKind(), obj.GetName(), what, err, c.Now(obj))
		}
	}
	return now
}

// next is the next state of an object.
func (c *Cluster) next(ctx context.Context, obj *Object) (*Object, error) {
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(obj.GetAPIVersion())
	list.SetKind(obj.GetKind() + "List")
	w, err := c.Watch(ctx, list, client.InNamespace(obj.GetNamespace()),
		client.MatchingFields{"metadata.name": obj.GetName()}, client.ResourceVersion(obj.GetResourceVersion()))
	if err != nil {
		return nil, err
	}
	defer w.Close()
	for {
		kind, changed, err := w.Next(ctx)
		if errors.Is(err, io.EOF) { // the kind itself went
			return c.Now(obj), nil
		}
		if err != nil {
			return nil, err
		}
		switch now, _ := changed.(*Object); {
		case kind == watch.Bookmark:
		case kind == watch.Deleted:
			return nil, nil
		case now.GetUID() != obj.GetUID():
			return nil, fmt.Errorf("another object has the name: %s", now.GetUID())
		default:
			return now, nil
		}
	}
}
