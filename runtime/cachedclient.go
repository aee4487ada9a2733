package runtime

import (
	"context"
	"iter"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

// cachedClient reads from informers and writes to the server. What it has written, it reads.
type cachedClient struct {
	*client.Direct
	cache   *cache
	applied client.Applied
}

var _ client.Client = (*cachedClient)(nil)

// Get implements client.Reader.
func (c *cachedClient) Get(ctx context.Context, key client.ObjectKey, obj client.Object) error {
	gvk, err := c.GVKFor(obj)
	if err != nil {
		return err
	}
	if c.cache.kinds[gvk.GroupKind()].Uncached || !c.cache.sees(gvk, key.Namespace) {
		return c.Direct.Get(ctx, key, obj)
	}
	return c.cache.get(ctx, cacheKey{gvk, formOf(obj)}, key, obj)
}

// List implements client.Reader.
func (c *cachedClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	gvk, err := c.GVKFor(list)
	if err != nil {
		return err
	}
	sel, fromCache := c.selects(ctx, gvk, opts)
	if !fromCache {
		return sel.explain(c.Direct.List(ctx, list, opts...))
	}
	return c.cache.list(ctx, cacheKey{gvk, formOf(list)}, list, sel)
}

// Each is what client.EachOf calls: what List reads from the cache comes from there, one at a time. A Limit means nothing
// then: there are no pages.
func (c *cachedClient) Each(ctx context.Context, list client.ObjectList, opts ...client.ListOption) iter.Seq2[client.Object, error] {
	return func(yield func(client.Object, error) bool) {
		gvk, err := c.GVKFor(list)
		if err != nil {
			yield(nil, err)
			return
		}
		sel, fromCache := c.selects(ctx, gvk, append(slices.Clip(opts), client.Limit(0)))
		if !fromCache {
			for obj, err := range client.EachOf(ctx, c.Direct, list, opts...) {
				if !yield(obj, sel.explain(err)) {
					return
				}
			}
			return
		}
		objects, _, err := c.cache.each(ctx, cacheKey{gvk, formOf(list)}, sel)
		if err != nil {
			yield(nil, err)
			return
		}
		for obj := range objects {
			if !yield(obj, nil) {
				return
			}
		}
	}
}

// selects is what a list of opts selects, and whether the cache can answer it.
func (c *cachedClient) selects(ctx context.Context, gvk schema.GroupVersionKind, opts []client.ListOption) (sel *selection, fromCache bool) {
	namespace, o := client.ListOptionsOf(opts...)
	sel = newSelection(gvk, namespace, &o, c.cache.indexes)
	return sel, !sel.foreign && o.Limit <= 0 && o.Continue == "" && o.ResourceVersion == "" && o.ShardSelector == "" &&
		!c.cache.kinds[gvk.GroupKind()].Uncached && c.cache.sees(gvk, namespace) &&
		(namespace != "" || len(c.cache.namespacesOf(gvk)) == 0 || c.onlyCached(ctx, gvk))
}

// onlyCached says whether a list of all namespaces is one of those in the cache: where the kind has no namespaces.
func (c *cachedClient) onlyCached(ctx context.Context, gvk schema.GroupVersionKind) bool {
	m, err := c.MappingFor(ctx, gvk)
	return err == nil && !m.Namespaced
}

// noting notes a write of parent that was answered with obj, for reads to come and for the run that ctx is of.
func (c *cachedClient) noting(ctx context.Context, verb string, parent, obj client.Object, err error) error {
	w := Write{Verb: verb, Object: client.KeyOf(parent)}
	w.Kind, _ = c.GVKFor(parent)
	if err != nil {
		w.Error = err.Error()
	} else {
		w.ResourceVersion = obj.GetResourceVersion()
		c.cache.wrote(w.Kind, obj)
	}
	noteWrite(ctx, w)
	return err
}

// changing is noting for writes that may take the last finalizer from an object that is being deleted: it is gone then, and
// the resourceVersion of the answer may be the one that it had before (kube-apiserver's is).
func (c *cachedClient) changing(ctx context.Context, verb string, obj client.Object, opts []client.WriteOption, err error) error {
	grace := obj.GetDeletionGracePeriodSeconds()
	if err != nil || obj.GetDeletionTimestamp() == nil || grace == nil || *grace != 0 || len(obj.GetFinalizers()) > 0 || client.WriteOptionsOf(opts...).DryRun {
		return c.noting(ctx, verb, obj, obj, err)
	}
	w := Write{Verb: verb, Object: client.KeyOf(obj), ResourceVersion: obj.GetResourceVersion()}
	w.Kind, _ = c.GVKFor(obj)
	if w.Kind.GroupKind() == (schema.GroupKind{Kind: "Namespace"}) { // which spec.finalizers hold, too
		return c.noting(ctx, verb, obj, obj, nil)
	}
	c.cache.written.end(w.Kind.GroupKind(), obj.GetUID())
	noteWrite(ctx, w)
	return nil
}

// Create implements client.Writer.
func (c *cachedClient) Create(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return c.noting(ctx, "create", obj, obj, c.Direct.Create(ctx, obj, opts...))
}

// Update implements client.Writer.
func (c *cachedClient) Update(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return c.changing(ctx, "update", obj, opts, c.Direct.Update(ctx, obj, opts...))
}

// Patch implements client.Writer.
func (c *cachedClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.WriteOption) error {
	return c.changing(ctx, "patch", obj, opts, c.Direct.Patch(ctx, obj, patch, opts...))
}

// Apply implements client.Writer. What would change nothing, as far as the cache knows, is not sent, and is no write.
func (c *cachedClient) Apply(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	sent, err := c.applied.Apply(ctx, c.Direct, "", obj, c.current, opts...)
	if !sent {
		return err
	}
	return c.changing(ctx, "apply", obj, opts, err)
}

// current is a client.Current.
func (c *cachedClient) current(_ context.Context, obj client.Object) (client.Object, error) {
	gvk, err := c.GVKFor(obj)
	if err != nil {
		return nil, err
	}
	return c.cache.current(gvk, obj), nil
}

// Delete implements client.Writer. Reads that come after know of it: where finalizers hold the object, they show it with
// its deletionTimestamp, otherwise not at all.
func (c *cachedClient) Delete(ctx context.Context, obj client.Object, opts ...client.DeleteOption) error {
	rest, err := c.DeleteAnswered(ctx, obj, opts...)
	w := Write{Verb: "delete", Object: client.KeyOf(obj)}
	w.Kind, _ = c.GVKFor(obj)
	switch {
	case err != nil:
		w.Error = err.Error()
	case rest.DryRun:
	case rest.Object != nil:
		w.ResourceVersion = rest.Object.GetResourceVersion()
		c.cache.wrote(w.Kind, rest.Object)
	default:
		c.cache.written.end(w.Kind.GroupKind(), rest.UID)
	}
	noteWrite(ctx, w)
	return err
}

// DeleteAllOf implements client.Writer. It asks the server once more, for the metadata of what is left, so that reads
// which come after know of it.
func (c *cachedClient) DeleteAllOf(ctx context.Context, obj client.Object, opts ...client.DeleteAllOfOption) error {
	w := Write{Verb: "deletecollection"}
	w.Kind, _ = c.GVKFor(obj)
	var of []client.ListOption
	dry := false
	for _, opt := range opts {
		if l, ok := opt.(client.ListOption); ok {
			of = append(of, l)
		}
		dry = dry || opt == client.DeleteAllOfOption(client.DryRunAll)
	}
	namespace, o := client.ListOptionsOf(of...)
	w.Object.Namespace = namespace
	err := c.Direct.DeleteAllOf(ctx, obj, opts...)
	if err != nil {
		w.Error = err.Error()
	} else if !dry {
		err = c.learnWhatIsLeft(ctx, w.Kind, namespace, o, of)
	}
	noteWrite(ctx, w)
	return err
}

func (c *cachedClient) learnWhatIsLeft(ctx context.Context, gvk schema.GroupVersionKind, namespace string, o metav1.ListOptions, of []client.ListOption) error {
	left := &metav1.PartialObjectMetadataList{}
	left.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.Direct.List(ctx, left, of...); err != nil {
		return err
	}
	selected := newSelection(gvk, namespace, &o, &fieldIndexes{})
	survived := map[types.UID]bool{}
	for i := range left.Items {
		survived[left.Items[i].UID] = true
		c.cache.wrote(gvk, &left.Items[i])
	}
	if selected.foreign { // the cache cannot tell which they were: it has to come that far
		c.cache.written.wrote(gvk.GroupKind(), namespace, left.ResourceVersion)
		return nil
	}
	c.cache.written.clear(gvk.GroupKind(), newClearing(left.ResourceVersion, survived, func(obj informer.Meta) bool {
		return (namespace == "" || obj.GetNamespace() == namespace) && selected.matches(obj)
	}))
	return nil
}

// Status implements client.Client.
func (c *cachedClient) Status() client.SubResourceClient { return c.SubResource("status") }

// SubResource implements client.Client.
func (c *cachedClient) SubResource(name string) client.SubResourceClient {
	return notingSubresource{c.Direct.SubResource(name), c, name}
}

// notingSubresource notes writes of a subresource: their answers, of whatever kind, have the object's resourceVersion.
type notingSubresource struct {
	client.SubResourceClient
	c    *cachedClient
	name string
}

func (s notingSubresource) noting(ctx context.Context, verb string, obj, answer client.Object, err error) error {
	return s.c.noting(ctx, verb+" "+s.name, obj, answer, err)
}

// Create implements client.SubResourceClient.
func (s notingSubresource) Create(ctx context.Context, obj, body client.Object, opts ...client.WriteOption) error {
	return s.noting(ctx, "create", obj, orSelf(body, obj), s.SubResourceClient.Create(ctx, obj, body, opts...))
}

// Update implements client.SubResourceClient.
func (s notingSubresource) Update(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	return s.noting(ctx, "update", obj, obj, s.SubResourceClient.Update(ctx, obj, opts...))
}

// Patch implements client.SubResourceClient.
func (s notingSubresource) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.WriteOption) error {
	return s.noting(ctx, "patch", obj, obj, s.SubResourceClient.Patch(ctx, obj, patch, opts...))
}

// Apply implements client.SubResourceClient.
func (s notingSubresource) Apply(ctx context.Context, obj client.Object, opts ...client.WriteOption) error {
	if s.name == "status" {
		sent, err := s.c.applied.Apply(ctx, s.c.Direct, s.name, obj, s.c.current, opts...)
		if !sent {
			return err
		}
		return s.noting(ctx, "apply", obj, obj, err)
	}
	return s.noting(ctx, "apply", obj, obj, s.SubResourceClient.Apply(ctx, obj, opts...))
}

func orSelf(body, obj client.Object) client.Object {
	if body == nil {
		return obj
	}
	return body
}
