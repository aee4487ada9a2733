package runtime

import (
	"context"
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

// EventHandler says which requests an event makes. It may read, with ClientFrom(ctx) or another client: other events of
// the kind wait for that, and those of other kinds do not. Where it fails or panics, the error is logged and counted, and
// it is asked again about that object, later and later, as ControllerOptions.RateLimit says.
type EventHandler func(ctx context.Context, e Event) ([]Request, error)

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

// And lets pass what all of ps let pass, as several predicates do anyway.
func And(ps ...Predicate) Predicate {
	return func(e Event) bool { return !slices.ContainsFunc(ps, func(p Predicate) bool { return !p(e) }) }
}

// Or lets pass what any of ps lets pass.
func Or(ps ...Predicate) Predicate {
	return func(e Event) bool { return slices.ContainsFunc(ps, func(p Predicate) bool { return p(e) }) }
}

// Not lets pass what p does not.
func Not(p Predicate) Predicate { return func(e Event) bool { return !p(e) } }

// EnqueueObject asks for the object itself.
func EnqueueObject(_ context.Context, e Event) ([]Request, error) {
	return []Request{RequestFor(e.Object())}, nil
}

// EnqueueMapped asks for what f names, for the new object and, where it changed, for the old one, too. f may read, and
// fail; see EventHandler.
func EnqueueMapped(f func(ctx context.Context, obj client.Object) ([]Request, error)) EventHandler {
	return func(ctx context.Context, e Event) ([]Request, error) {
		reqs, err := f(ctx, e.Object())
		if err != nil || e.Type != watch.Modified {
			return reqs, err
		}
		before, err := f(ctx, e.Old)
		return append(before, reqs...), err
	}
}

// EnqueueOwner asks for the owners of kind owner, or only for the one that is the controller.
func EnqueueOwner(owner schema.GroupVersionKind, namespacedOwner, onlyController bool) EventHandler {
	return EnqueueMapped(func(_ context.Context, obj client.Object) (requests []Request, _ error) {
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
		return requests, nil
	})
}

func isController(ref metav1.OwnerReference) bool { return ref.Controller != nil && *ref.Controller }
