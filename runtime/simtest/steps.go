package simtest

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/runtime/client"
)

// Create is the step that creates an object.
func Create(obj client.Object) Step {
	return Step{Name: "create " + nameOf(obj), Do: func(ctx context.Context, c client.Client) error {
		return c.Create(ctx, obj.DeepCopyObject().(client.Object))
	}}
}

// Change is the step that reads an object, changes it, and updates it. obj is any object of that kind and name.
func Change[T client.Object](obj T, change func(T)) Step {
	return Step{Name: "change " + nameOf(obj), Do: func(ctx context.Context, c client.Client) error {
		for {
			now := obj.DeepCopyObject().(T)
			if err := c.Get(ctx, client.KeyOf(obj), now); err != nil {
				return err
			}
			change(now)
			if err := c.Update(ctx, now); !apierrors.IsConflict(err) {
				return err
			}
		}
	}}
}

// ChangeStatus is Change of the status, as another controller would.
func ChangeStatus[T client.Object](obj T, change func(T)) Step {
	return Step{Name: "change the status of " + nameOf(obj), Do: func(ctx context.Context, c client.Client) error {
		for {
			now := obj.DeepCopyObject().(T)
			if err := c.Get(ctx, client.KeyOf(obj), now); err != nil {
				return err
			}
			change(now)
			if err := c.Status().Update(ctx, now); !apierrors.IsConflict(err) {
				return err
			}
		}
	}}
}

// Delete is the step that deletes an object. That it is gone already is fine.
func Delete(obj client.Object) Step {
	return Step{Name: "delete " + nameOf(obj), Do: func(ctx context.Context, c client.Client) error {
		err := c.Delete(ctx, obj.DeepCopyObject().(client.Object))
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	}}
}

// AtOnce has the next step follow at once: Step.Unsettled.
func (s Step) AtOnce() Step {
	s.Unsettled = true
	return s
}

func nameOf(obj client.Object) string {
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	if kind == "" {
		kind = fmt.Sprintf("%T", obj)
	}
	return kind + " " + client.KeyOf(obj).String()
}
