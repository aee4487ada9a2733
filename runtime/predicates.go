package runtime

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

// Event is a change to a watched object. Its objects are shared: they must not be changed.
type Event = informer.Change[client.Object]

// Predicate reports whether an event matters.
type Predicate func(Event) bool

// EventHandler says which requests an event makes. It must be quick: it has no context to wait with.
type EventHandler func(Event) []Request

// GenerationChanged lets pass what changed an object's spec (its generation), and all additions and deletions.
func GenerationChanged(e Event) bool {
	return e.Type != watch.Modified || e.Old.GetGeneration() != e.New.GetGeneration() ||
		(e.Old.GetDeletionTimestamp() == nil) != (e.New.GetDeletionTimestamp() == nil)
}

// LabelsChanged lets pass what changed an object's labels, and all additions and deletions.
func LabelsChanged(e Event) bool {
	return e.Type != watch.Modified || !maps.Equal(e.Old.GetLabels(), e.New.GetLabels())
}

// AnnotationsChanged lets pass what changed an object's annotations, and all additions and deletions.
func AnnotationsChanged(e Event) bool {
	return e.Type != watch.Modified || !maps.Equal(e.Old.GetAnnotations(), e.New.GetAnnotations())
}

// Or lets pass what any of ps lets pass.
func Or(ps ...Predicate) Predicate {
	return func(e Event) bool { return slices.ContainsFunc(ps, func(p Predicate) bool { return p(e) }) }
}

// Not lets pass what p does not.
func Not(p Predicate) Predicate { return func(e Event) bool { return !p(e) } }

// EnqueueObject asks for the object itself.
func EnqueueObject(e Event) []Request {
	return []Request{RequestFor(e.Object())}
}

// EnqueueMapped asks for what f names, for the new object and, where it changed, for the old one, too.
func EnqueueMapped(f func(client.Object) []Request) EventHandler {
	return func(e Event) []Request {
		if e.Type != watch.Modified {
			return f(e.Object())
		}
		return append(f(e.Old), f(e.New)...)
	}
}

// EnqueueOwner asks for the owners of kind owner, or only for the one that is the controller.
func EnqueueOwner(owner schema.GroupVersionKind, namespacedOwner, onlyController bool) EventHandler {
	return EnqueueMapped(func(obj client.Object) (requests []Request) {
		for _, ref := range obj.GetOwnerReferences() {
			gv, err := schema.ParseGroupVersion(ref.APIVersion)
			if err != nil || gv.Group != owner.Group || ref.Kind != owner.Kind || onlyController && !isController(ref) {
				continue
			}
			key := types.NamespacedName{Name: ref.Name}
			if namespacedOwner {
				key.Namespace = obj.GetNamespace()
			}
			requests = append(requests, Request{NamespacedName: key})
		}
		return requests
	})
}

func isController(ref metav1.OwnerReference) bool { return ref.Controller != nil && *ref.Controller }
