package garbagecollector

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/runtime/client"
)

const (
	foregroundFinalizer = metav1.FinalizerDeleteDependents
	orphanFinalizer     = metav1.FinalizerOrphanDependents
)

// object is the metadata of an object: all that the collector needs of it.
type object = metav1.PartialObjectMetadata

// verify finds out whether an object exists that somebody names as an owner.
func (c *collector) verify(ctx context.Context, n *node) error {
	if m := c.cached(n); m != nil {
		c.graph.seen(n.kind, m)
		return nil
	}
	if c.graph.servedAs(n.kind) == nil {
		return nil // nobody can say; it is looked at again when the kinds change
	}
	obj, err := c.live(ctx, n)
	switch {
	case err != nil:
		return err
	case obj == nil:
		c.graph.notFound(n, c.elsewhere(n))
	default:
		c.graph.seen(n.kind, obj)
	}
	return nil
}

// collect deletes an object that nobody owns any more, or has it forget those of its owners that are gone.
func (c *collector) collect(ctx context.Context, v view) error {
	if v.invalid || len(v.mistaken) > 0 {
		c.report(ctx, v)
	}
	goners := append(v.dangling, v.waiting...)
	switch {
	case v.invalid || len(goners) == 0:
		return nil
	case v.solid:
		return c.edit(ctx, v.node, func(obj *object) map[string]any { return withoutOwners(obj, goners) })
	case len(v.waiting) > 0 && v.parent:
		if v.cyclic {
			if err := c.edit(ctx, v.node, unblocking); err != nil {
				return err
			}
		}
		return c.delete(ctx, v, metav1.DeletePropagationForeground)
	}
	return c.delete(ctx, v, "")
}

// delete deletes an object as it was when that was decided. policy "" is what its finalizers say.
func (c *collector) delete(ctx context.Context, v view, policy metav1.DeletionPropagation) error {
	obj := c.cached(v.node)
	for asked := false; ; asked = true {
		if obj == nil || asked {
			before := obj
			live, err := c.live(ctx, v.node)
			if err != nil || live == nil {
				return err // the watch tells the graph
			}
			obj = live
			if !stillUnowned(obj, v) {
				return errChanged
			}
			if before != nil && sameOwners(before, obj) {
				obj.ResourceVersion = "" // changes of other things shall not keep it
			}
		}
		uid, opts := obj.UID, client.Preconditions{}
		opts.UID = &uid
		if obj.ResourceVersion != "" {
			opts.ResourceVersion = &obj.ResourceVersion
		}
		err := c.client.Delete(ctx, obj, opts, client.PropagationPolicy(policyFor(obj, policy)))
		if !apierrors.IsConflict(err) || asked {
			return ignoreNotFound(err)
		}
	}
}

func policyFor(obj *object, policy metav1.DeletionPropagation) metav1.DeletionPropagation {
	switch {
	case policy != "":
		return policy
	case slices.Contains(obj.Finalizers, orphanFinalizer):
		return metav1.DeletePropagationOrphan
	case slices.Contains(obj.Finalizers, foregroundFinalizer):
		return metav1.DeletePropagationForeground
	}
	return metav1.DeletePropagationBackground
}

// stillUnowned says that all owners of obj are among those that v is to lose.
func stillUnowned(obj *object, v view) bool {
	return len(obj.OwnerReferences) > 0 && !slices.ContainsFunc(obj.OwnerReferences, func(ref metav1.OwnerReference) bool {
		return !slices.Contains(v.dangling, ref.UID) && !slices.Contains(v.waiting, ref.UID)
	})
}

// orphan has the dependents of an object forget it, and then lets it go.
func (c *collector) orphan(ctx context.Context, n *node) error {
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, d := range c.graph.dependentsOf(n) {
		group.Go(func() error {
			return c.edit(each, d, func(obj *object) map[string]any { return withoutOwners(obj, []types.UID{n.uid}) })
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.letGo(ctx, n, orphanFinalizer)
}

// letGo takes a finalizer from an object.
func (c *collector) letGo(ctx context.Context, n *node, finalizer string) error {
	return c.edit(ctx, n, func(obj *object) map[string]any {
		if !slices.Contains(obj.Finalizers, finalizer) {
			return nil
		}
		return map[string]any{"finalizers": slices.DeleteFunc(slices.Clone(obj.Finalizers), func(f string) bool { return f == finalizer })}
	})
}

// withoutOwners is the change of an object's metadata that takes owners out; nil: there are none of them.
func withoutOwners(obj *object, uids []types.UID) map[string]any {
	kept := slices.DeleteFunc(slices.Clone(obj.OwnerReferences), func(ref metav1.OwnerReference) bool { return slices.Contains(uids, ref.UID) })
	switch len(kept) {
	case len(obj.OwnerReferences):
		return nil
	case 0:
		return map[string]any{"ownerReferences": nil}
	}
	return map[string]any{"ownerReferences": kept}
}

// unblocking is the change by which an object no longer holds up its owners. Without it those who own each other in a
// circle would wait for each other.
func unblocking(obj *object) map[string]any {
	refs, no, changed := slices.Clone(obj.OwnerReferences), false, false
	for i := range refs {
		if b := refs[i].BlockOwnerDeletion; b != nil && *b {
			refs[i].BlockOwnerDeletion, changed = &no, true
		}
	}
	if !changed {
		return nil
	}
	return map[string]any{"ownerReferences": refs}
}
