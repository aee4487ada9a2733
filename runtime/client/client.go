package client

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Object is one API object; see the package comment.
type Object interface {
	metav1.Object
	kruntime.Object
}

// ObjectList is a list of API objects: a pointer to a list type of the Scheme, an *unstructured.UnstructuredList
// or a *metav1.PartialObjectMetadataList, the latter two with their apiVersion and kind set.
type ObjectList interface {
	metav1.ListInterface
	kruntime.Object
}

// ObjectKey names an object: its namespace ("" for kinds without) and name.
type ObjectKey = types.NamespacedName

// KeyOf is the key of an object.
func KeyOf(obj Object) ObjectKey {
	return ObjectKey{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// Reader reads objects.
type Reader interface {
	// Get reads the object of key into obj.
	Get(ctx context.Context, key ObjectKey, obj Object) error
	// List reads a collection, or the page of it that Limit and Continue ask for.
	List(ctx context.Context, list ObjectList, opts ...ListOption) error
}

// Writer changes objects. The namespace and name are those of the object.
type Writer interface {
	// Create makes the object.
	Create(ctx context.Context, obj Object, opts ...WriteOption) error
	// Update replaces the object; a resourceVersion in it makes this conditional (Conflict otherwise).
	Update(ctx context.Context, obj Object, opts ...WriteOption) error
	// Patch changes the object as the patch says.
	Patch(ctx context.Context, obj Object, patch Patch, opts ...WriteOption) error
	// Apply makes or changes the object by server-side apply: obj holds the fields that the FieldOwner has an
	// opinion on, and only those.
	Apply(ctx context.Context, obj Object, opts ...WriteOption) error
	// Delete asks for the end of the object.
	Delete(ctx context.Context, obj Object, opts ...DeleteOption) error
	// DeleteAllOf deletes the objects of obj's kind that the ListOptions among opts choose, in one namespace.
	DeleteAllOf(ctx context.Context, obj Object, opts ...DeleteAllOfOption) error
}

// SubResourceClient works on a subresource of objects. Where body is nil, the object itself is sent and receives
// the answer.
type SubResourceClient interface {
	Get(ctx context.Context, obj, body Object) error
	Create(ctx context.Context, obj, body Object, opts ...WriteOption) error
	Update(ctx context.Context, obj Object, opts ...WriteOption) error
	Patch(ctx context.Context, obj Object, patch Patch, opts ...WriteOption) error
	Apply(ctx context.Context, obj Object, opts ...WriteOption) error
}

// Client is what reconcilers use. Implementations are safe for concurrent use.
type Client interface {
	Reader
	Writer
	// Watch opens a stream of changes to the collection that list and opts name.
	Watch(ctx context.Context, list ObjectList, opts ...ListOption) (*Watch, error)
	// Status is the subresource "status".
	Status() SubResourceClient
	SubResource(name string) SubResourceClient
	Scheme() *kruntime.Scheme
	// GVKFor is the group, version and kind of an object or list; of a list, the kind of its items.
	GVKFor(obj kruntime.Object) (schema.GroupVersionKind, error)
	// MappingFor is where the server serves a kind.
	MappingFor(ctx context.Context, gvk schema.GroupVersionKind) (Mapping, error)
}
