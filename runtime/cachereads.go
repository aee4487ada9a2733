package runtime

import (
	"context"
	"iter"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

func (c *cache) get(ctx context.Context, of cacheKey, key client.ObjectKey, obj client.Object) error {
	inf, err := c.reading(ctx, of)
	if err != nil {
		return err
	}
	if err := c.written.wait(ctx, inf.objectInformer, inf.gvk, key.Namespace); err != nil {
		return err
	}
	found, ok := inf.Get(key.Namespace, key.Name)
	if !ok || c.written.hides(inf.gvk.GroupKind(), found) {
		m, err := c.direct.MappingFor(ctx, inf.gvk)
		if err != nil {
			return err
		}
		return apierrors.NewNotFound(m.Resource.GroupResource(), key.Name)
	}
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(inf.own(found)).Elem())
	return nil
}

// current is obj as the cache has it, in obj's form. It is nil where no cache has it, and where that does not show yet what
// this client has written. It starts nothing and waits for nothing. The object is shared.
func (c *cache) current(gvk schema.GroupVersionKind, obj client.Object) client.Object {
	if c.kinds[gvk.GroupKind()].Uncached || !c.sees(gvk, obj.GetNamespace()) {
		return nil
	}
	want := formOf(obj)
	forms := [...]form{want, metadata}
	switch want {
	case typed:
		forms[1] = untyped
	case untyped:
		forms[1] = typed
	}
	for _, f := range forms {
		c.mu.Lock()
		inf := c.informers[cacheKey{gvk, f}]
		c.mu.Unlock()
		if inf == nil || !c.written.shown(inf.objectInformer, gvk, obj.GetNamespace()) {
			continue
		}
		found, ok := inf.Get(obj.GetNamespace(), obj.GetName())
		if !ok || c.written.hides(gvk.GroupKind(), found) {
			return nil
		}
		if f == want {
			return found
		}
		other, err := converted(found, obj)
		if err != nil {
			return nil
		}
		return other
	}
	return nil
}

// own is an object of the informer's that the caller may change.
func (e *cached) own(obj client.Object) kruntime.Object {
	if e.compact {
		return obj
	}
	return obj.DeepCopyObject()
}

// each is what a selection finds in the cache: the objects, which are the caller's own, and the revision at which they
// are so.
func (c *cache) each(ctx context.Context, key cacheKey, sel *selection) (objects iter.Seq[client.Object], resourceVersion string, err error) {
	inf, err := c.reading(ctx, cacheKey{key.gvk, sel.form(key.form)})
	if err != nil {
		return nil, "", err
	}
	q := informer.Query{Namespace: sel.namespace, Match: func(obj informer.Meta) bool {
		return sel.matches(obj) && !c.written.hides(inf.gvk.GroupKind(), obj)
	}}
	if len(sel.indexed) > 0 {
		first := sel.indexed[0]
		inf.keepIndex(first.index, c.onError)
		q.Index, q.Value = first.index.name, first.value
	}
	if err := c.written.wait(ctx, inf.objectInformer, inf.gvk, sel.namespace); err != nil {
		return nil, "", err
	}
	snapshot := inf.Snapshot().Copies()
	objects = sel.matchingAll(snapshot.Select(q))
	if key.form == metadata && inf.form != metadata {
		objects = metadataOf(objects)
	}
	return objects, snapshot.ResourceVersion(), nil
}

func metadataOf(objects iter.Seq[client.Object]) iter.Seq[client.Object] {
	return func(yield func(client.Object) bool) {
		for obj := range objects {
			m, _ := converted(obj, &metav1.PartialObjectMetadata{}) // of what is whole, there is always that
			if !yield(m) {
				return
			}
		}
	}
}

func (c *cache) list(ctx context.Context, key cacheKey, list client.ObjectList, sel *selection) error {
	objects, resourceVersion, err := c.each(ctx, key, sel)
	if err != nil {
		return err
	}
	items := []kruntime.Object{}
	for obj := range objects {
		items = append(items, obj)
	}
	if err := meta.SetList(list, items); err != nil {
		return err
	}
	list.SetResourceVersion(resourceVersion)
	list.GetObjectKind().SetGroupVersionKind(key.gvk.GroupVersion().WithKind(key.gvk.Kind + "List"))
	return nil
}
