package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/admission"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
)

// Deleted is the answer to a delete request.
type Deleted struct {
	// Gone: the object was removed. Otherwise it stays, marked, until its finalizers let go.
	Gone bool
	Data []byte // the object: its last state, or the marked one
	Name string
	UID  string
}

// Delete removes an object, or marks it for deletion while finalizers hold it. Errors: NotFound, Conflict where a
// precondition fails, Forbidden, and those of the store.
func (r *Registry) Delete(ctx context.Context, t Target, o metav1.DeleteOptions) (*Deleted, error) {
	got, err := r.store.Get(ctx, t.key(t.Name), storage.GetOptions{})
	if err != nil {
		return nil, t.storeError(err)
	}
	kv := got.KV
	for try := 1; ; try++ {
		if kv == nil {
			return nil, t.notFound(t.Name)
		}
		d, err := r.deleteOnce(ctx, &t, kv, &o)
		var lost *storage.ConflictError
		if !errors.As(err, &lost) {
			return d, err
		}
		if try == maxUpdateTries || ctx.Err() != nil {
			return nil, t.conflict(t.Name, ErrModified)
		}
		kv = lost.Current
	}
}

func (r *Registry) deleteOnce(ctx context.Context, t *Target, kv *storage.KeyValue, o *metav1.DeleteOptions) (*Deleted, error) {
	obj, err := t.fromStored(ctx, kv.Value)
	if err != nil {
		return nil, t.storeError(err)
	}
	if err := t.checkPreconditions(o.Preconditions, obj, kv.ModRevision); err != nil {
		return nil, err
	}
	attrs := t.attributes(ctx, admission.Delete, nil, obj, len(o.DryRun) > 0)
	if err := r.admit(ctx, attrs); err != nil {
		return nil, err
	}
	if err := r.validateAdmission(ctx, attrs); err != nil {
		return nil, err
	}
	d := &Deleted{Name: t.Name, UID: metaString(obj, "uid")}
	marked := metaString(obj, "deletionTimestamp") != ""
	stays := t.Def.Hooks.BeginDelete != nil && t.Def.Hooks.BeginDelete(ctx, obj)
	m := metadata(obj)
	changed := r.collector && setPropagation(m, o)
	if f, _ := m["finalizers"].([]any); len(f) == 0 && !stays {
		res, err := r.remove(ctx, t, kv, obj, len(o.DryRun) > 0)
		if err != nil {
			return nil, err
		}
		d.Gone, d.Data = true, res.Data
		return d, nil
	}
	if marked && !changed {
		d.Data, err = t.answer(ctx, kv.Value, kv.ModRevision)
		return d, err
	}
	if !marked {
		m["deletionTimestamp"] = r.timestamp()
		m["deletionGracePeriodSeconds"] = int64(0)
		if g, _ := m["generation"].(int64); g > 0 {
			m["generation"] = g + 1
		}
	}
	res, err := r.put(ctx, t, obj, kv.ModRevision, len(o.DryRun) > 0)
	if err != nil {
		return nil, err
	}
	d.Data = res.Data
	return d, nil
}

// remove deletes the object that kv holds. obj is its last state.
func (r *Registry) remove(ctx context.Context, t *Target, kv *storage.KeyValue, obj resource.Object, dryRun bool) (*Result, error) {
	rev := kv.ModRevision
	if !dryRun {
		var err error
		rev, err = r.store.Delete(ctx, kv.Key, kv.ModRevision)
		if errors.Is(err, storage.ErrConflict) {
			return nil, err
		}
		if err != nil {
			return nil, t.storeError(err)
		}
		if t.Def.Hooks.Stored != nil {
			if err := t.Def.Hooks.Stored(ctx, obj, int64(rev), true); err != nil {
				return nil, err
			}
		}
	}
	data, err := t.toStored(ctx, obj)
	if err != nil {
		return nil, t.storeError(err)
	}
	out, err := t.answer(ctx, data, rev)
	return &Result{Data: out, Revision: rev}, err
}

func (t *Target) checkPreconditions(p *metav1.Preconditions, obj resource.Object, rev storage.Revision) error {
	if p == nil {
		return nil
	}
	if uid := metaString(obj, "uid"); p.UID != nil && string(*p.UID) != uid {
		return t.conflict(t.Name, fmt.Errorf("Precondition failed: UID in precondition: %v, UID in object meta: %v", *p.UID, uid)) //nolint:staticcheck // Kubernetes' text
	}
	if have := strconv.FormatInt(int64(rev), 10); p.ResourceVersion != nil && *p.ResourceVersion != have {
		return t.conflict(t.Name, fmt.Errorf("Precondition failed: ResourceVersion in precondition: %v, ResourceVersion in object meta: %v", *p.ResourceVersion, have)) //nolint:staticcheck // Kubernetes' text
	}
	return nil
}

// setPropagation turns the propagation policy into the garbage collector's finalizers, and says whether that
// changed anything.
func setPropagation(m map[string]any, o *metav1.DeleteOptions) bool {
	want := ""
	switch {
	case o.PropagationPolicy != nil && *o.PropagationPolicy == metav1.DeletePropagationOrphan,
		o.OrphanDependents != nil && *o.OrphanDependents: //nolint:staticcheck // deprecated, still served
		want = metav1.FinalizerOrphanDependents
	case o.PropagationPolicy != nil && *o.PropagationPolicy == metav1.DeletePropagationForeground:
		want = metav1.FinalizerDeleteDependents
	default:
		return false
	}
	finalizers, _ := m["finalizers"].([]any)
	for _, f := range finalizers {
		if f == want {
			return false
		}
	}
	m["finalizers"] = append(append([]any{}, finalizers...), want)
	return true
}

// DeleteCollection deletes the objects of the target's namespace (or all) that the options select, and returns
// those it deleted or marked, as a list. It goes on past objects that vanish meanwhile and stops at the first
// other error.
func (r *Registry) DeleteCollection(ctx context.Context, t Target, o metav1.DeleteOptions, lo ListOptions) (*List, error) {
	lo.Limit = 0
	list, err := r.List(ctx, t, lo)
	if err != nil {
		return nil, err
	}
	out := &List{Revision: list.Revision}
	for e := range list.Entries() {
		one := t
		one.Namespace, one.Name = e.Projection.Namespace, e.Projection.Name
		d, err := r.Delete(ctx, one, o)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.deleted = append(out.deleted, d.Data)
	}
	return out, nil
}
