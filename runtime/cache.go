package runtime

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

// CacheOptions say how the objects of a kind are cached. The zero value is the usual way.
type CacheOptions struct {
	// Uncached: reads go to the server; watches keep objects all the same.
	Uncached bool
	// Namespaces in place of Options.Namespaces.
	Namespaces []string
	// LabelSelector and FieldSelector narrow the cache; what they leave out is not found.
	LabelSelector, FieldSelector string
	// Compact keeps the objects encoded, in a fraction of the memory, and decodes them for each read and event.
	Compact bool
	// Transform may drop what nobody needs from an object before it is kept.
	Transform func(client.Object) (client.Object, error)
	// KeepManagedFields keeps metadata.managedFields, which are dropped by default.
	KeepManagedFields bool
}

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

// cache has an informer for each kind and form that is watched, or was read lately.
type cache struct {
	direct     *client.Direct
	namespaces []string
	kinds      map[schema.GroupKind]CacheOptions
	budget     *informer.Budget
	shared     [3]*informer.Shared // by form: their informers have one Go type
	onError    func(error)
	written    *written
	indexes    *fieldIndexes

	mu        sync.Mutex
	informers map[cacheKey]*cached
}

// cached is an informer in use.
type cached struct {
	*objectInformer
	cacheKey
	compact bool // what is read is the reader's own
	release func()
	users   int       // watches; guarded by cache.mu
	read    time.Time // last; guarded by cache.mu

	indexing sync.Mutex
	indexed  map[string]bool // by name
}

// A kind that nobody watches and that was not read for keepUnread is dropped at the next look.
const (
	keepUnread = 10 * time.Minute
	lookUnread = time.Minute
)

func newCache(d *client.Direct, o *Options, indexes *fieldIndexes, onError func(error)) *cache {
	c := &cache{
		direct: d, namespaces: o.Namespaces, kinds: o.Kinds, budget: o.Budget, onError: onError,
		written: newWritten(), indexes: indexes, informers: map[cacheKey]*cached{},
	}
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
	group.Go(func() error {
		tick := time.NewTicker(lookUnread)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case now := <-tick.C:
				c.dropUnread(now)
			}
		}
	})
	return group.Wait()
}

func (c *cache) dropUnread(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.informers {
		if e.users == 0 && now.Sub(e.read) > keepUnread {
			e.release()
			delete(c.informers, key)
		}
	}
}

// reading is the informer of a kind and form.
func (c *cache) reading(ctx context.Context, key cacheKey) (*cached, error) {
	return c.find(ctx, key, func(e *cached) { e.read = time.Now() })
}

// watching is reading for a watch, which keeps the informer until it is released.
func (c *cache) watching(ctx context.Context, obj kruntime.Object) (e *cached, release func(), err error) {
	gvk, err := c.direct.GVKFor(obj)
	if err != nil {
		return nil, nil, err
	}
	key := cacheKey{gvk, formOf(obj)}
	if e, err = c.find(ctx, key, func(e *cached) { e.users++ }); err != nil {
		return nil, nil, err
	}
	return e, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		e.users--
		if e.users == 0 && time.Since(e.read) > keepUnread {
			e.release()
			delete(c.informers, key)
		}
	}), nil
}

// find calls use, under mu, with the informer, which is made where there is none.
func (c *cache) find(ctx context.Context, key cacheKey, use func(*cached)) (*cached, error) {
	c.mu.Lock()
	e := c.informers[key]
	if e != nil {
		use(e)
	}
	c.mu.Unlock()
	if e != nil {
		return e, nil
	}
	cfg, err := c.config(ctx, key)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.informers[key]; e == nil {
		e = &cached{cacheKey: key, compact: cfg.Compact}
		e.objectInformer, e.release = informer.Acquire(c.shared[key.form], *cfg)
		c.informers[key] = e
	}
	use(e)
	return e, nil
}

// config of an informer. Error: the server does not have the kind, or its objects are none.
func (c *cache) config(ctx context.Context, key cacheKey) (*informer.Config[client.Object], error) {
	mapping, err := c.direct.MappingFor(ctx, key.gvk)
	if err != nil {
		return nil, err
	}
	o := c.kinds[key.gvk.GroupKind()]
	scope := informer.Scope{
		GVK: key.gvk, MetadataOnly: key.form == metadata, LabelSelector: o.LabelSelector, FieldSelector: o.FieldSelector,
	}
	if mapping.Namespaced {
		scope = scope.In(c.namespacesOf(key.gvk)...)
	}
	empty, err := c.empty(key)
	if err != nil {
		return nil, err
	}
	return &informer.Config[client.Object]{
		Scope: scope, New: empty, OnError: c.onError, Compact: o.Compact, Transform: o.Transform,
		KeepManagedFields: o.KeepManagedFields, Budget: c.budget,
	}, nil
}

// namespacesOf are those that a namespaced kind is cached of, none for all.
func (c *cache) namespacesOf(gvk schema.GroupVersionKind) []string {
	if own := c.kinds[gvk.GroupKind()].Namespaces; len(own) > 0 {
		return own
	}
	return c.namespaces
}

// sees says whether the cache of a kind has the objects of a namespace; "" is that of kinds without, or all.
func (c *cache) sees(gvk schema.GroupVersionKind, namespace string) bool {
	of := c.namespacesOf(gvk)
	return namespace == "" || len(of) == 0 || slices.Contains(of, namespace)
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

// wrote notes the answer to a write of an object of gvk.
func (c *cache) wrote(gvk schema.GroupVersionKind, obj client.Object) {
	if !c.sees(gvk, obj.GetNamespace()) {
		return
	}
	if s := c.kinds[gvk.GroupKind()].LabelSelector; s != "" {
		if selector, err := labels.Parse(s); err == nil && !selector.Matches(labels.Set(obj.GetLabels())) {
			return // nobody will tell the cache of it
		}
	}
	c.written.wrote(gvk.GroupKind(), obj.GetNamespace(), obj.GetResourceVersion())
}
