package runtime

import (
	"context"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/client"
)

// cachedClient reads from informers and writes to the server.
type cachedClient struct {
	*client.Direct
	cache    *cache
	uncached map[schema.GroupVersionKind]bool
}

var _ client.Client = (*cachedClient)(nil)

func (c *cachedClient) Get(ctx context.Context, key client.ObjectKey, obj client.Object) error {
	gvk, err := c.GVKFor(obj)
	if err != nil {
		return err
	}
	if c.uncached[gvk] || (c.cache.namespace != "" && key.Namespace != "" && key.Namespace != c.cache.namespace) {
		return c.Direct.Get(ctx, key, obj)
	}
	return c.cache.get(ctx, key, obj)
}

func (c *cachedClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	gvk, err := c.GVKFor(list)
	if err != nil {
		return err
	}
	namespace, o := client.ListOptionsOf(opts...)
	if o.Limit > 0 || o.Continue != "" || o.ResourceVersion != "" || c.uncached[gvk] || !cachedFields(o.FieldSelector) ||
		(c.cache.namespace != "" && namespace != c.cache.namespace) {
		return c.Direct.List(ctx, list, opts...)
	}
	return c.cache.list(ctx, list, namespace, o)
}

// cachedFields reports whether every field of a selector is one that the cache can select by.
func cachedFields(selector string) bool {
	s, err := fields.ParseSelector(selector)
	if err != nil {
		return false
	}
	for _, r := range s.Requirements() {
		if r.Field != "metadata.name" && r.Field != "metadata.namespace" {
			return false
		}
	}
	return true
}

func (c *cachedClient) noting(obj client.Object, err error) error {
	if err == nil {
		c.cache.wrote(obj)
	}
	return err
}

func (c *cachedClient) Create(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return c.noting(obj, c.Direct.Create(ctx, obj, opts...))
}

func (c *cachedClient) Update(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return c.noting(obj, c.Direct.Update(ctx, obj, opts...))
}

func (c *cachedClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.WriteOption) error {
	return c.noting(obj, c.Direct.Patch(ctx, obj, patch, opts...))
}

func (c *cachedClient) Apply(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return c.noting(obj, c.Direct.Apply(ctx, obj, opts...))
}

func (c *cachedClient) Status() client.SubResourceClient { return c.SubResource("status") }

func (c *cachedClient) SubResource(name string) client.SubResourceClient {
	s := c.Direct.SubResource(name)
	if name != "status" {
		return s // answers with objects of other kinds
	}
	return notingStatus{s, c}
}

type notingStatus struct {
	client.SubResourceClient
	c *cachedClient
}

func (s notingStatus) Update(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return s.c.noting(obj, s.SubResourceClient.Update(ctx, obj, opts...))
}

func (s notingStatus) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.WriteOption) error {
	return s.c.noting(obj, s.SubResourceClient.Patch(ctx, obj, patch, opts...))
}

func (s notingStatus) Apply(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return s.c.noting(obj, s.SubResourceClient.Apply(ctx, obj, opts...))
}
