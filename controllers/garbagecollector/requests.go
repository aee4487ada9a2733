package garbagecollector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/runtime/client"
)

// errChanged: an object has other owners than the graph knows. The watch will tell.
var errChanged = errors.New("the object has changed meanwhile")

// cached is the object of a node as the watch has it; nil where it has none.
func (c *collector) cached(n *node) *object {
	c.graph.mu.Lock()
	w := n.kind.watch
	c.graph.mu.Unlock()
	if w == nil {
		return nil
	}
	obj, ok := w.informer.Get(n.namespace, n.name)
	if !ok || obj.UID != n.uid {
		return nil
	}
	return obj
}

// live asks the server for the object of a node; nil where there is none, or another. Error: that it does not say.
func (c *collector) live(ctx context.Context, n *node) (*object, error) {
	served := c.graph.servedAs(n.kind)
	if served == nil {
		return nil, fmt.Errorf("the kind of %s %s is not served", n.namespace, n.name)
	}
	obj := &object{}
	obj.SetGroupVersionKind(served.Kind)
	err := c.client.Get(ctx, client.ObjectKey{Namespace: n.namespace, Name: n.name}, obj)
	if status := apierrors.APIStatus(nil); errors.As(err, &status) && apierrors.IsNotFound(err) {
		if d := status.Status().Details; d == nil || d.Name != n.name {
			return nil, err // it is the kind that was not found
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if obj.UID != n.uid {
		return nil, nil
	}
	return obj, nil
}

// edit changes the metadata of an object, as the cache has it, or the server where that has become old. change returns
// the fields to set; nil: there is nothing to do.
func (c *collector) edit(ctx context.Context, n *node, change func(*object) map[string]any) error {
	obj := c.cached(n)
	for try := 0; ; try++ {
		if obj == nil || try > 0 {
			var err error
			if obj, err = c.live(ctx, n); err != nil || obj == nil {
				return err
			}
		}
		fields := change(obj)
		if fields == nil {
			return nil
		}
		fields["uid"], fields["resourceVersion"] = obj.UID, obj.ResourceVersion
		patch, err := json.Marshal(map[string]any{"metadata": fields})
		if err != nil {
			return err
		}
		err = c.client.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch))
		if !apierrors.IsConflict(err) || try == maxTries {
			return ignoreNotFound(err)
		}
	}
}

// maxTries is how often an edit loses against others before it waits.
const maxTries = 5

// lookElsewhere is how many objects of a kind are looked through for one that somebody seeks in a wrong namespace.
const lookElsewhere = 2000

// elsewhere says that an object with a node's UID is known in another place.
func (c *collector) elsewhere(n *node) bool {
	c.graph.mu.Lock()
	w := n.kind.watch
	c.graph.mu.Unlock()
	if w == nil {
		return false
	}
	snapshot := w.informer.Snapshot()
	if snapshot.Len() > lookElsewhere {
		return false
	}
	for m := range snapshot.Metas("") {
		if m.GetUID() == n.uid {
			return true
		}
	}
	return false
}

func sameOwners(a, b *object) bool { return reflect.DeepEqual(a.OwnerReferences, b.OwnerReferences) }

// ignoreNotFound drops an error which says that there is nothing left to do.
func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// report makes the event that tells of an owner where there can be none. It is told once where all goes well, and not
// missed where it does not.
func (c *collector) report(ctx context.Context, v view) {
	obj := c.cached(v.node)
	served := c.graph.servedAs(v.kind)
	if obj == nil || served == nil {
		return
	}
	for _, ref := range obj.OwnerReferences {
		if !v.invalid && !slices.Contains(v.mistaken, ref.UID) {
			continue
		}
		namespace := v.namespace
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		now := metav1.Now()
		event := &corev1.Event{
			TypeMeta:       metav1.TypeMeta{APIVersion: "v1", Kind: "Event"},
			ObjectMeta:     metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%x", v.name, now.UnixNano())},
			InvolvedObject: corev1.ObjectReference{APIVersion: served.Kind.GroupVersion().String(), Kind: served.Kind.Kind, Namespace: v.namespace, Name: v.name, UID: v.uid},
			Type:           corev1.EventTypeWarning, Reason: "OwnerRefInvalidNamespace",
			Message: fmt.Sprintf("ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in namespace %q",
				ref.APIVersion, ref.Kind, v.namespace, ref.Name, ref.UID, v.namespace),
			Source:         corev1.EventSource{Component: "garbage-collector-controller"},
			FirstTimestamp: now, LastTimestamp: now, Count: 1, ReportingController: "garbage-collector-controller",
		}
		if err := c.create(ctx, event); err != nil {
			c.log.Info("an event could not be made", "event", event.Message, "reason", err.Error())
		}
	}
}

// create needs no scheme.
func (c *collector) create(ctx context.Context, event *corev1.Event) error {
	data, err := json.Marshal(event)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(data); err != nil {
		return err
	}
	return c.client.Create(ctx, u)
}
