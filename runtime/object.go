package runtime

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/runtime/client"
)

// ObjectReconciler is a Reconciler that wants the object: it is read for it, and it is not asked about objects that are
// gone. obj is its own; what it changes in it is not written by itself (see UpdateStatus).
//
// Where it is a Finalizer too, the framework keeps the finalizer: it is there before Reconcile is called for the first
// time, and Reconcile is never called for an object that is being deleted.
type ObjectReconciler[T client.Object] interface {
	Reconcile(ctx context.Context, obj T) (Result, error)
}

// ObjectReconcilerFunc is an ObjectReconciler without anything to clean up.
type ObjectReconcilerFunc[T client.Object] func(ctx context.Context, obj T) (Result, error)

// Reconcile calls f.
func (f ObjectReconcilerFunc[T]) Reconcile(ctx context.Context, obj T) (Result, error) {
	return f(ctx, obj)
}

// Finalizer cleans up after objects that are being deleted. An object stays until Finalize has returned a Result that
// asks for nothing, without an error; it may be called again after that, where the object could not be let go.
type Finalizer[T client.Object] interface {
	Finalize(ctx context.Context, obj T) (Result, error)
}

// FinalizerNamed is a Finalizer that names its finalizer, as DOMAIN/NAME. That of others is "finalizers.keelson.dev/" and
// the lower-case kind and group: two reconcilers of one kind that clean up need names of their own.
type FinalizerNamed interface {
	FinalizerName() string
}

// AsReconciler makes a Reconciler of r, for objects that c reads; in other clusters (Request.Cluster) the client of those
// does. like is for types that do not tell their kind, as *unstructured.Unstructured: an object that does.
func AsReconciler[T client.Object](c client.Client, r ObjectReconciler[T], like ...T) Reconciler {
	o := &objectReconciler[T]{client: c, do: r, empty: func() T { return reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T) }}
	if len(like) > 0 {
		o.empty = func() T { return like[0].DeepCopyObject().(T) }
	}
	if f, ok := r.(Finalizer[T]); ok {
		o.finalize = f.Finalize
	}
	if n, ok := r.(FinalizerNamed); ok {
		o.finalizer = n.FinalizerName()
	}
	return o
}

type objectReconciler[T client.Object] struct {
	client    client.Client
	do        ObjectReconciler[T]
	empty     func() T
	finalize  func(context.Context, T) (Result, error)
	finalizer string
}

// Reconcile implements Reconciler.
func (o *objectReconciler[T]) Reconcile(ctx context.Context, req Request) (Result, error) {
	c := o.client
	if req.Cluster != "" {
		c = ClientFrom(ctx)
	}
	obj := o.empty()
	if err := c.Get(ctx, req.NamespacedName, obj); err != nil {
		return Result{}, client.IgnoreNotFound(err)
	}
	if o.finalize == nil {
		return o.do.Reconcile(ctx, obj)
	}
	name := o.finalizer
	if name == "" {
		gvk, err := c.GVKFor(obj)
		if err != nil {
			return Result{}, err
		}
		name = "finalizers.keelson.dev/" + strings.TrimSuffix(strings.ToLower(gvk.Kind+"."+gvk.Group), ".")
	}
	if obj.GetDeletionTimestamp() != nil {
		return o.end(ctx, c, obj, name)
	}
	before := obj.DeepCopyObject().(T)
	if AddFinalizer(obj, name) {
		if err := patchFinalizers(ctx, c, before, obj); err != nil {
			return Result{}, fmt.Errorf("adding the finalizer %s: %w", name, err)
		}
	}
	return o.do.Reconcile(ctx, obj)
}

// end finalizes an object that is being deleted, and lets go of it. That others hold it, too, is none of its business.
func (o *objectReconciler[T]) end(ctx context.Context, c client.Client, obj T, name string) (Result, error) {
	before := obj.DeepCopyObject().(T)
	if !ContainsFinalizer(before, name) {
		return Result{}, nil
	}
	result, err := o.finalize(ctx, obj)
	if err != nil || result != (Result{}) {
		return result, err
	}
	after := before.DeepCopyObject().(T)
	RemoveFinalizer(after, name)
	if err := patchFinalizers(ctx, c, before, after); client.IgnoreNotFound(err) != nil {
		return Result{}, fmt.Errorf("removing the finalizer %s: %w", name, err)
	}
	return Result{}, nil
}

// patchFinalizers writes after's finalizers, if nobody else has written the object meanwhile: a list can only be replaced
// as a whole. after has the answer.
func patchFinalizers(ctx context.Context, c client.Client, before, after client.Object) error {
	err := c.Patch(ctx, after, client.MergeFromWithOptimisticLock(before))
	if apierrors.IsConflict(err) {
		return fmt.Errorf("%w (it is tried again)", err)
	}
	return err
}
