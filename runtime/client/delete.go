package client

import (
	"context"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Deleted is what is known of an object after its deletion was asked for. At most one of Object and UID is set.
type Deleted struct {
	// Object is the metadata of the object while finalizers or a grace period hold it.
	Object *metav1.PartialObjectMetadata
	// UID of the object that is gone.
	UID    types.UID
	DryRun bool // nothing was deleted
}

// Delete asks for the end of the object, which is left as it is.
func (d *Direct) Delete(ctx context.Context, obj Object, opts ...DeleteOption) error {
	_, err := d.DeleteAnswered(ctx, obj, opts...)
	return err
}

// DeleteAnswered is Delete, and tells what became of the object.
func (d *Direct) DeleteAnswered(ctx context.Context, obj Object, opts ...DeleteOption) (Deleted, error) {
	t, err := d.target(ctx, obj, KeyOf(obj), true)
	if err != nil {
		return Deleted{}, err
	}
	r := request{method: http.MethodDelete, path: t.path(t.key.Namespace, t.key.Name, "")}
	var o metav1.DeleteOptions
	for _, opt := range opts {
		opt.applyToDelete(&o)
	}
	if err := r.setDelete(o, len(opts)); err != nil {
		return Deleted{}, err
	}
	var answer deleteAnswer
	if err := d.exchange(ctx, t, r, &answer); err != nil {
		return Deleted{}, err
	}
	out := Deleted{DryRun: len(o.DryRun) > 0}
	switch grace := answer.Metadata.DeletionGracePeriodSeconds; {
	case out.DryRun:
	case answer.Details != nil:
		out.UID = answer.Details.UID
	case answer.Metadata.DeletionTimestamp != nil && (len(answer.Metadata.Finalizers) > 0 || grace != nil && *grace > 0):
		out.Object = &metav1.PartialObjectMetadata{ObjectMeta: answer.Metadata}
		out.Object.SetGroupVersionKind(t.gvk)
	default: // some kinds are answered with their last state
		out.UID = answer.Metadata.UID
	}
	return out, nil
}

// deleteAnswer is a Status, or the object.
type deleteAnswer struct {
	metav1.TypeMeta
	Metadata metav1.ObjectMeta     `json:"metadata"`
	Details  *metav1.StatusDetails `json:"details"`
}

// DeepCopyObject implements kruntime.Object.
func (a *deleteAnswer) DeepCopyObject() kruntime.Object {
	out := *a
	out.Metadata, out.Details = *a.Metadata.DeepCopy(), a.Details.DeepCopy()
	return &out
}
