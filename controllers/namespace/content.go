package namespace

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/client"
)

// pageSize is how many objects of a namespace are listed at once.
const pageSize = 500

// content is what is left of a namespace after all of it was asked to go.
type content struct {
	discovery  error                               // of kinds
	failures   []error                             // of deletions
	remaining  map[schema.GroupVersionResource]int // objects
	finalizers map[string]int                      // objects that they hold
}

func (c *content) any() bool { return len(c.remaining) > 0 }

// err is why the controller should not be content with what it did.
func (c *content) err() error {
	if c.discovery != nil {
		return c.discovery
	}
	if len(c.failures) > 0 {
		return c.failures[0]
	}
	return nil
}

// empty deletes what is in a namespace. Kinds that cannot be deleted now do not keep others from it, but for pods, which
// may need the others.
func (r *reconciler) empty(ctx context.Context, namespace string) *content {
	left := &content{remaining: map[schema.GroupVersionResource]int{}, finalizers: map[string]int{}}
	kinds, err := r.client.Resources(ctx)
	left.discovery = err
	pods := schema.GroupResource{Resource: "pods"}
	for _, k := range kinds {
		if k.Resource.GroupResource() == pods {
			r.emptyOf(ctx, k, namespace, left)
		}
	}
	if left.any() {
		return left
	}
	for _, k := range kinds {
		if k.Namespaced && k.Can("delete") && k.Resource.GroupResource() != pods {
			r.emptyOf(ctx, k, namespace, left)
		}
	}
	return left
}

// emptyOf deletes the objects of a kind, and counts those that are left.
func (r *reconciler) emptyOf(ctx context.Context, k client.Served, namespace string, left *content) {
	there, err := r.objects(ctx, k, namespace)
	if err == nil && (len(there) > 0 || !k.Can("list")) {
		if err = r.deleteAll(ctx, k, namespace, there); err == nil {
			there, err = r.objects(ctx, k, namespace)
		}
	}
	if err != nil {
		left.failures = append(left.failures, err)
		return
	}
	if len(there) == 0 {
		return
	}
	left.remaining[k.Resource] = len(there)
	waiting := false
	for _, obj := range there {
		for _, f := range obj.Finalizers {
			left.finalizers[f]++
		}
		grace := obj.DeletionGracePeriodSeconds
		waiting = waiting || len(obj.Finalizers) > 0 || grace != nil && *grace > 0
	}
	if !waiting {
		left.failures = append(left.failures, fmt.Errorf("unexpected items still remain in namespace: %s for gvr: %v", namespace, k.Resource))
	}
}

// deleteAll asks for the end of all objects of a kind: of the collection, or of those that are there one by one.
func (r *reconciler) deleteAll(ctx context.Context, k client.Served, namespace string, there []metav1.PartialObjectMetadata) error {
	background := client.PropagationPolicy(metav1.DeletePropagationBackground) // dependents are in the namespace, too
	if k.Can("deletecollection") {
		obj := &metav1.PartialObjectMetadata{}
		obj.SetGroupVersionKind(k.Kind)
		err := r.client.DeleteAllOf(ctx, obj, client.InNamespace(namespace), background)
		if !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err) {
			return err
		}
	}
	for i := range there {
		err := r.client.Delete(ctx, &there[i], background)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err) {
			return err
		}
	}
	return nil
}

// objects are those of a kind that are in the namespace; none where that cannot be asked or the kind is gone.
func (r *reconciler) objects(ctx context.Context, k client.Served, namespace string) (all []metav1.PartialObjectMetadata, err error) {
	if !k.Can("list") {
		return nil, nil
	}
	next := ""
	for {
		page := &metav1.PartialObjectMetadataList{}
		page.SetGroupVersionKind(k.Kind.GroupVersion().WithKind(k.Kind.Kind + "List"))
		err := r.client.List(ctx, page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next))
		if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			page.Items[i].ManagedFields = nil
		}
		all = append(all, page.Items...)
		if next = page.Continue; next == "" {
			return all, nil
		}
	}
}
