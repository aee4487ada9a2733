package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
	stored := *t
	stored.AsStored = true
	dryRun := len(o.DryRun) > 0
	var res *Result
	switch marked, stays := metaString(obj, "deletionTimestamp") != "", t.stays(ctx, obj, o); {
	case stays && !marked:
		metadata(obj)["deletionTimestamp"] = r.timestamp()
		res, err = r.put(ctx, &stored, obj, kv.ModRevision, dryRun)
	case !stays && !t.finalizersFor(obj, o):
		d.Gone = true
		if t.Def.Graceful {
			r.mark(obj)
		}
		res, err = r.remove(ctx, &stored, kv, obj, dryRun)
	default:
		if !stays {
			r.mark(obj)
		}
		res, err = r.storeUpdate(ctx, &stored, kv, obj, WriteOptions{DryRun: dryRun})
	}
	if err != nil {
		return nil, err
	}
	d.last = watchcache.Entry{Key: kv.Key, Revision: kv.ModRevision, Data: res.Data}
	return d, nil
}

// stays says that obj has a finalizer of its kind's own, which holds it whatever o asks for.
func (t *Target) stays(ctx context.Context, obj resource.Object, o *metav1.DeleteOptions) bool {
	return t.Def.Hooks.BeginDelete != nil && t.Def.Hooks.BeginDelete(ctx, obj, o)
}

// mark says that obj is being deleted.
func (r *Registry) mark(obj resource.Object) {
	m := metadata(obj)
	m["deletionGracePeriodSeconds"] = int64(0)
	if metaString(obj, "deletionTimestamp") != "" {
		return
	}
	m["deletionTimestamp"] = r.timestamp()
	if g, _ := m["generation"].(int64); g > 0 {
		m["generation"] = g + 1
	}
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

// checkPreconditions words a failure as kube-apiserver does, which names the kind in the place of the resource, unless
// the kind has a way of its own to be deleted.
func (t *Target) checkPreconditions(p *metav1.Preconditions, obj resource.Object, rev storage.Revision) error {
	if p == nil {
		return nil
	}
	gr := schema.GroupResource{Group: t.Def.Group, Resource: t.Def.Names.Kind}
	wrongUID := "the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated"
	wrongRevision := "the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified"
	if t.Def.Hooks.BeginDelete != nil {
		gr = t.Def.GroupResource()
		wrongUID = "Precondition failed: UID in precondition: %v, UID in object meta: %v"
		wrongRevision = "Precondition failed: ResourceVersion in precondition: %v, ResourceVersion in object meta: %v"
	}
	if uid := metaString(obj, "uid"); p.UID != nil && string(*p.UID) != uid {
		return apierrors.NewConflict(gr, t.Name, fmt.Errorf(wrongUID, *p.UID, uid))
	}
	if have := strconv.FormatInt(int64(rev), 10); p.ResourceVersion != nil && *p.ResourceVersion != have {
		return apierrors.NewConflict(gr, t.Name, fmt.Errorf(wrongRevision, *p.ResourceVersion, have))
	}
	return nil
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
