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
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// Deleted is the answer to a delete request.
type Deleted struct {
	// Gone: the object was removed. Otherwise it stays, marked, until its finalizers let go.
	Gone bool
	Name string
	UID  string

	target Target
	last   watchcache.Entry // as stored
}

// Object is what was deleted or marked, in its last state. Where it cannot be converted into the target's version, it is
// its metadata alone, under the kind and that version.
func (d *Deleted) Object(ctx context.Context) []byte { return d.target.lastForm(ctx, &d.last) }

func (t *Target) lastForm(ctx context.Context, e *watchcache.Entry) []byte {
	if data, err := t.encodeEntry(ctx, e); err == nil {
		return data
	}
	return resource.MetadataAlone(e.Data, t.Def.APIVersion(t.Version.Name), t.Def.Names.Kind)
}

// Delete removes an object, or marks it for deletion while finalizers hold it. Errors: NotFound, Conflict where a
// precondition fails, Forbidden, and those of the store. It works on what is stored: an object whose conversion fails
// can be deleted in any version. (kube-apiserver refuses that.)
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
	obj, err := t.decode(kv.Value)
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
	d := &Deleted{Name: t.Name, UID: metaString(obj, "uid"), target: *t}
	marked := metaString(obj, "deletionTimestamp") != ""
	stays := t.Def.Hooks.BeginDelete != nil && t.Def.Hooks.BeginDelete(ctx, obj)
	m := metadata(obj)
	changed := r.collector && setPropagation(m, o)
	stored := *t
	stored.AsStored = true
	var res *Result
	if f, _ := m["finalizers"].([]any); len(f) == 0 && !stays {
		d.Gone = true
		res, err = r.remove(ctx, &stored, kv, obj, len(o.DryRun) > 0)
	} else if marked && !changed {
		res = &Result{}
		res.Data, err = resource.WithRevision(kv.Value, int64(kv.ModRevision))
	} else {
		if !marked {
			m["deletionTimestamp"] = r.timestamp()
			m["deletionGracePeriodSeconds"] = int64(0)
			if g, _ := m["generation"].(int64); g > 0 {
				m["generation"] = g + 1
			}
		}
		res, err = r.put(ctx, &stored, obj, kv.ModRevision, len(o.DryRun) > 0)
	}
	if err != nil {
		return nil, err
	}
	d.last = watchcache.Entry{Key: kv.Key, Revision: kv.ModRevision, Data: res.Data}
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
	metadata(obj)["resourceVersion"] = strconv.FormatInt(int64(rev), 10)
	data, err := resource.Encode(obj)
	return &Result{Data: data, Revision: rev}, err
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
	list, err := r.collect(ctx, t, lo)
	if err != nil {
		return nil, err
	}
	out := &List{Revision: list.Revision, target: t, deleted: true}
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
		out.items = append(out.items, &d.last)
	}
	_ = t.prepare(ctx, out.items) // what fails is shown as far as it goes
	return out, nil
}
