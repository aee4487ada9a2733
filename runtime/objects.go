package runtime

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/client"
)

// SetControllerReference makes owner the controller of obj, so that obj goes when owner does and its events ask
// for owner. Errors: another controller, an owner in another namespace, an owner that the scheme does not know.
func SetControllerReference(owner, obj client.Object, scheme *kruntime.Scheme) error {
	gvk, err := ownerOf(owner, obj, scheme)
	if err != nil {
		return err
	}
	if now := metav1.GetControllerOf(obj); now != nil && now.UID != owner.GetUID() {
		return fmt.Errorf("runtime: %s is controlled by %s %s", client.KeyOf(obj), now.Kind, now.Name)
	}
	setOwner(obj, *metav1.NewControllerRef(owner, gvk))
	return nil
}

// SetOwnerReference makes owner one of those with whom obj goes, without being its controller; what a reference to it says
// beside its name stays. Errors: an owner in another namespace, an owner that the scheme does not know.
func SetOwnerReference(owner, obj client.Object, scheme *kruntime.Scheme) error {
	gvk, err := ownerOf(owner, obj, scheme)
	if err != nil {
		return err
	}
	ref := metav1.OwnerReference{UID: owner.GetUID()}
	for _, now := range obj.GetOwnerReferences() {
		if now.UID == owner.GetUID() {
			ref = now
		}
	}
	ref.APIVersion, ref.Kind = gvk.ToAPIVersionAndKind()
	ref.Name = owner.GetName()
	setOwner(obj, ref)
	return nil
}

// ownerOf is the kind of an owner that obj may have.
func ownerOf(owner, obj client.Object, scheme *kruntime.Scheme) (schema.GroupVersionKind, error) {
	gvk := owner.GetObjectKind().GroupVersionKind()
	if _, ok := owner.(kruntime.Unstructured); !ok {
		gvks, _, err := scheme.ObjectKinds(owner)
		if err != nil {
			return gvk, err
		}
		gvk = gvks[0]
	}
	if ns := owner.GetNamespace(); ns != "" && ns != obj.GetNamespace() {
		return gvk, fmt.Errorf("runtime: %s %s cannot own an object in namespace %q", gvk.Kind, client.KeyOf(owner), obj.GetNamespace())
	}
	return gvk, nil
}

// setOwner puts a reference in the place of the one with its UID, or at the end.
func setOwner(obj client.Object, ref metav1.OwnerReference) {
	refs := slices.Clone(obj.GetOwnerReferences())
	at := slices.IndexFunc(refs, func(r metav1.OwnerReference) bool { return r.UID == ref.UID })
	if at < 0 {
		refs = append(refs, ref)
	} else {
		refs[at] = ref
	}
	obj.SetOwnerReferences(refs)
}

// CreateOrUpdate reads obj, has mutate bring it to the wanted state, and writes it where that changed anything. It
// reports whether it wrote.
func CreateOrUpdate(ctx context.Context, c client.Client, obj client.Object, mutate func() error) (wrote bool, err error) {
	key := client.KeyOf(obj)
	err = c.Get(ctx, key, obj)
	if apierrors.IsNotFound(err) {
		if err := mutate(); err != nil {
			return false, err
		}
		return true, c.Create(ctx, obj)
	}
	if err != nil {
		return false, err
	}
	before := obj.DeepCopyObject()
	if err := mutate(); err != nil {
		return false, err
	}
	if client.KeyOf(obj) != key {
		return false, fmt.Errorf("runtime: mutate renamed %s to %s", key, client.KeyOf(obj))
	}
	if equality.Semantic.DeepEqual(before, obj) {
		return false, nil
	}
	return true, c.Update(ctx, obj)
}

// ContainsFinalizer says whether a finalizer is there.
func ContainsFinalizer(obj client.Object, finalizer string) bool {
	return slices.Contains(obj.GetFinalizers(), finalizer)
}

// AddFinalizer adds a finalizer and reports whether it was not there.
func AddFinalizer(obj client.Object, finalizer string) bool {
	if ContainsFinalizer(obj, finalizer) {
		return false
	}
	obj.SetFinalizers(append(slices.Clone(obj.GetFinalizers()), finalizer))
	return true
}

// RemoveFinalizer removes a finalizer and reports whether it was there.
func RemoveFinalizer(obj client.Object, finalizer string) bool {
	now := slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(f string) bool { return f == finalizer })
	removed := len(now) != len(obj.GetFinalizers())
	obj.SetFinalizers(now)
	return removed
}

// SetCondition sets a condition of obj as of its generation, and reports whether that changed anything. The time
// of the transition moves with the status only.
func SetCondition(obj client.Object, conditions *[]metav1.Condition, c metav1.Condition) bool {
	c.ObservedGeneration = obj.GetGeneration()
	return meta.SetStatusCondition(conditions, c)
}

// UpdateStatus writes obj's status where obj is no longer what before was. Times and quantities count by what they say,
// and what is empty like what is absent.
func UpdateStatus(ctx context.Context, c client.Client, before, obj client.Object) error {
	if equality.Semantic.DeepEqual(before, obj) {
		return nil
	}
	return c.Status().Update(ctx, obj)
}
