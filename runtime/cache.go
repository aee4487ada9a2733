package runtime

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

// form is how an object is represented: the same kind may be read in several.
type form int

const (
	typed form = iota
	untyped
	metadata
)

func formOf(obj kruntime.Object) form {
	switch obj.(type) {
	case kruntime.Unstructured:
		return untyped
	case *metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList:
		return metadata
	}
	return typed
}

type cacheKey struct {
	gvk schema.GroupVersionKind
	form
}

type objectInformer = informer.Informer[client.Object]

// cache has an informer for each kind that was asked for, from then on.
type cache struct {
	direct    *client.Direct
	namespace string
	shared    [3]*informer.Shared // by form: their informers have one Go type
	onError   func(error)

	mu        sync.Mutex
	informers map[cacheKey]*objectInformer
	written   map[schema.GroupVersionKind]uint64 // newest resourceVersion that a write of ours was answered with
}

func newCache(d *client.Direct, namespace string, onError func(error)) *cache {
	c := &cache{direct: d, namespace: namespace, onError: onError, informers: map[cacheKey]*objectInformer{}, written: map[schema.GroupVersionKind]uint64{}}
	for i := range c.shared {
		c.shared[i] = informer.NewShared(d.Source())
	}
	return c
}

func (c *cache) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range c.shared {
		group.Go(func() error { return s.Run(ctx) })
	}
	return group.Wait()
}

// informerFor is the informer of the kind and form of obj, an object or list.
func (c *cache) informerFor(ctx context.Context, obj kruntime.Object) (*objectInformer, schema.GroupVersionKind, error) {
	gvk, err := c.direct.GVKFor(obj)
	if err != nil {
		return nil, gvk, err
	}
	key := cacheKey{gvk, formOf(obj)}
	c.mu.Lock()
	inf, ok := c.informers[key]
	c.mu.Unlock()
	if ok {
		return inf, gvk, nil
	}
	mapping, err := c.direct.MappingFor(ctx, gvk)
	if err != nil {
		return nil, gvk, err
	}
	scope := informer.Scope{GVK: gvk, MetadataOnly: key.form == metadata}
	if mapping.Namespaced {
		scope.Namespace = c.namespace
	}
	empty, err := c.empty(key)
	if err != nil {
		return nil, gvk, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if inf, ok = c.informers[key]; !ok {
		inf, _ = informer.Acquire(c.shared[key.form], informer.Config[client.Object]{Scope: scope, New: empty, OnError: c.onError})
		c.informers[key] = inf
	}
	return inf, gvk, nil
}

// empty says how to make an object for an informer to decode into.
func (c *cache) empty(key cacheKey) (func() client.Object, error) {
	switch key.form {
	case untyped:
		return func() client.Object { return &unstructured.Unstructured{} }, nil
	case metadata:
		return func() client.Object { return &metav1.PartialObjectMetadata{} }, nil
	}
	sample, err := c.direct.Scheme().New(key.gvk)
	if err != nil {
		return nil, err
	}
	if _, ok := sample.(client.Object); !ok {
		return nil, fmt.Errorf("runtime: %T has no metadata", sample)
	}
	kind := reflect.TypeOf(sample).Elem()
	return func() client.Object { return reflect.New(kind).Interface().(client.Object) }, nil
}

// wrote notes the answer to a write, for fresh to wait for.
func (c *cache) wrote(obj client.Object) {
	gvk, err := c.direct.GVKFor(obj)
	rv, parseErr := strconv.ParseUint(obj.GetResourceVersion(), 10, 64)
	if errors.Join(err, parseErr) != nil || (c.namespace != "" && obj.GetNamespace() != "" && obj.GetNamespace() != c.namespace) {
		return // of a server whose revisions are no numbers, or out of the cache's sight
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[gvk] = max(c.written[gvk], rv)
}

// fresh waits until inf shows all that was written.
func (c *cache) fresh(ctx context.Context, inf *objectInformer, gvk schema.GroupVersionKind) error {
	if err := inf.WaitSynced(ctx); err != nil {
		return fmt.Errorf("runtime: waiting for the cache of %s: %w", gvk.Kind, err)
	}
	c.mu.Lock()
	rv := c.written[gvk]
	c.mu.Unlock()
	if rv == 0 {
		return nil
	}
	if err := inf.WaitForRevision(ctx, strconv.FormatUint(rv, 10)); err != nil {
		return fmt.Errorf("runtime: waiting for the cache of %s to show a write: %w", gvk.Kind, err)
	}
	return nil
}

func (c *cache) get(ctx context.Context, key client.ObjectKey, obj client.Object) error {
	inf, gvk, err := c.informerFor(ctx, obj)
	if err != nil {
		return err
	}
	if err := c.fresh(ctx, inf, gvk); err != nil {
		return err
	}
	found, ok := inf.Get(key.Namespace, key.Name)
	if !ok {
		m, err := c.direct.MappingFor(ctx, gvk)
		if err != nil {
			return err
		}
		return apierrors.NewNotFound(m.Resource.GroupResource(), key.Name)
	}
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(found.DeepCopyObject()).Elem())
	return nil
}

func (c *cache) list(ctx context.Context, list client.ObjectList, namespace string, o metav1.ListOptions) error {
	byLabels, err := labels.Parse(o.LabelSelector)
	if err != nil {
		return err
	}
	byFields, err := fields.ParseSelector(o.FieldSelector)
	if err != nil {
		return err
	}
	inf, gvk, err := c.informerFor(ctx, list)
	if err != nil {
		return err
	}
	if err := c.fresh(ctx, inf, gvk); err != nil {
		return err
	}
	snapshot := inf.Snapshot()
	items := []kruntime.Object{}
	for obj := range snapshot.List(namespace) {
		if byLabels.Matches(labels.Set(obj.GetLabels())) &&
			byFields.Matches(fields.Set{"metadata.name": obj.GetName(), "metadata.namespace": obj.GetNamespace()}) {
			items = append(items, obj.DeepCopyObject())
		}
	}
	if err := meta.SetList(list, items); err != nil {
		return err
	}
	list.SetResourceVersion(snapshot.ResourceVersion())
	list.GetObjectKind().SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	return nil
}
