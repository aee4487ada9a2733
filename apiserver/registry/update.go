package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/admission"
	"github.com/keelson-project/keelson/apiserver/managedfields"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
)

// maxUpdateTries bounds the races that one unconditional write may lose before it is answered with a conflict.
const maxUpdateTries = 20

// Update replaces an object (or one subresource of it) with obj, which it changes. Errors: BadRequest, NotFound,
// Conflict where metadata.resourceVersion is not the current one, Invalid, Forbidden, and those of the store.
func (r *Registry) Update(ctx context.Context, t Target, obj resource.Object, o WriteOptions) (*Result, error) {
	if err := t.intake(ctx, obj, o); err != nil {
		return nil, err
	}
	if err := t.matchRequest(obj); err != nil {
		return nil, err
	}
	o.uid = metaString(obj, "uid")
	res, err := r.Modify(ctx, t, o, func(resource.Object) (resource.Object, error) { return resource.DeepCopy(obj), nil })
	if apierrors.IsNotFound(err) && t.Def.CreateOnUpdate && t.Subresource == "" {
		delete(metadata(obj), "resourceVersion")
		return r.Create(ctx, t, obj, o)
	}
	return res, err
}

// Patch is Modify for the patch that a client sent: what comes out of change is treated as a body would be. refuse
// words what strict validation finds; strict are its findings in the patch itself. An object whose conversion fails can
// be patched all the same, as long as nothing but its metadata changes.
func (r *Registry) Patch(ctx context.Context, t Target, o WriteOptions, change func(resource.Object) (resource.Object, error), refuse func(error) error, strict []string) (*Result, error) {
	patched := func(current resource.Object) (resource.Object, error) {
		obj, err := change(current)
		if err != nil {
			return nil, err
		}
		if err := t.checkTypes(obj); err != nil {
			return nil, refuse(err)
		}
		if err := t.prune(ctx, obj, o.FieldValidation, strict); err != nil {
			return nil, refuse(err)
		}
		return obj, t.matchRequest(obj)
	}
	res, err := r.Modify(ctx, t, o, patched)
	if u := (*undecodableError)(nil); errors.As(err, &u) && t.Subresource == "" {
		return r.patchMetadata(ctx, t, o, patched, u)
	}
	return res, err
}

// Modify reads an object, has change make a new one of it, and stores that, again and again until nobody came
// between. The object that change gets is its own, in the target's version, and holds metadata.resourceVersion;
// what it returns is checked for the revision it was based on and then treated as an update. A change that
// changes nothing stores nothing.
func (r *Registry) Modify(ctx context.Context, t Target, o WriteOptions, change func(current resource.Object) (resource.Object, error)) (*Result, error) {
	got, err := r.store.Get(ctx, t.key(t.Name), storage.GetOptions{})
	if err != nil {
		return nil, t.storeError(err)
	}
	kv := got.KV
	for try := 1; ; try++ {
		if kv == nil {
			return nil, t.notFound(t.Name)
		}
		res, err := r.modifyOnce(ctx, &t, kv, o, change)
		var lost *storage.ConflictError
		if !errors.As(err, &lost) {
			return res, err
		}
		if try == maxUpdateTries || ctx.Err() != nil {
			return nil, t.conflict(t.Name, ErrModified)
		}
		kv = lost.Current
	}
}

// modifyOnce returns a *storage.ConflictError where kv is not what the store holds any more.
func (r *Registry) modifyOnce(ctx context.Context, t *Target, kv *storage.KeyValue, o WriteOptions, change func(resource.Object) (resource.Object, error)) (*Result, error) {
	old, err := t.fromStored(ctx, kv.Value, kv.ModRevision)
	if err != nil {
		return nil, err // see Patch; as an answer it is a plain error
	}
	rev := strconv.FormatInt(int64(kv.ModRevision), 10)
	metadata(old)["resourceVersion"] = rev
	if have := metaString(old, "uid"); o.uid != "" && o.uid != have {
		return nil, t.wrongUID(o, have)
	}
	obj, err := change(resource.DeepCopy(old))
	if err != nil {
		return nil, err
	}
	if err := t.checkBase(obj, rev); err != nil {
		return nil, err
	}
	if err := t.checkVersioned(obj); err != nil {
		return nil, err
	}
	if !o.applied { // defaults belong to whoever left them to be filled in; what is applied has them where it changed
		t.fill(obj)
		r.fields(t, o.Through).Update(ctx, old, obj, o.FieldManager)
	}
	if obj, err = t.mergeSubresource(obj, old); err != nil {
		return nil, err
	}
	attrs := t.attributes(ctx, admission.Update, obj, old, o.DryRun)
	if err := r.admit(ctx, attrs); err != nil {
		return nil, err
	}
	t.prepareUpdate(ctx, obj, old, !o.applied || !t.Def.Custom)
	if err := r.validate(ctx, t, obj, old); err != nil {
		return nil, err
	}
	if t.Def.Hooks.Warnings != nil && t.Subresource == "" {
		for _, w := range t.Def.Hooks.Warnings(ctx, obj, old) {
			resource.AddWarning(ctx, w)
		}
	}
	if err := r.validateAdmission(ctx, attrs); err != nil {
		return nil, err
	}
	if o.applied && t.Def.Custom {
		t.Version.Schema.Prune(obj) // see clean
	}
	managedfields.KeepTimesIfUnchanged(obj, old)
	return r.storeUpdate(ctx, t, kv, obj, o)
}

// storeUpdate writes obj, or removes it where it was only waiting for the finalizer that is gone now.
func (r *Registry) storeUpdate(ctx context.Context, t *Target, kv *storage.KeyValue, obj resource.Object, o WriteOptions) (*Result, error) {
	if t.releasedForDeletion(obj) {
		return r.remove(ctx, t, kv, obj, o.DryRun)
	}
	data, err := t.toStored(ctx, obj)
	if err != nil {
		return nil, t.storeError(err)
	}
	if bytes.Equal(data, kv.Value) {
		out, err := t.answer(ctx, kv.Value, kv.ModRevision)
		return &Result{Data: out, Revision: kv.ModRevision}, err
	}
	return r.putStored(ctx, t, obj, data, kv.ModRevision, o.DryRun)
}

// wrongUID refuses to replace another object than the one that the writer meant. Kubernetes finds that out in its store,
// whose keys have a prefix that a dry run does not know.
func (t *Target) wrongUID(o WriteOptions, have string) error {
	key := t.key(t.Name)
	if o.DryRun {
		key = strings.TrimPrefix(key, "/registry")
	}
	return t.conflict(t.Name, fmt.Errorf("StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, AdditionalErrorMsg: "+
		"Precondition failed: UID in precondition: %v, UID in object meta: %v", key, o.uid, have))
}

// checkBase compares the resourceVersion that the writer expected with what there is.
func (t *Target) checkBase(obj resource.Object, rev string) error {
	switch based := metaString(obj, "resourceVersion"); based {
	case rev:
		return nil
	case "", "0":
		if !t.Def.Custom && !t.Def.RevisionRequired {
			metadata(obj)["resourceVersion"] = rev
			return nil
		}
		// Kubernetes puts the resource where the kind should be.
		return apierrors.NewInvalid(schema.GroupKind{Group: t.Def.Group, Kind: t.Def.Names.Plural}, t.Name, field.ErrorList{
			field.Invalid(field.NewPath("metadata", "resourceVersion"), uint64(0), "must be specified for an update"),
		})
	default:
		if _, err := strconv.ParseUint(based, 10, 64); err != nil {
			return plainError(err.Error())
		}
		return t.conflict(t.Name, ErrModified)
	}
}

// mergeSubresource reduces a write to the part of the object that its path may write.
func (t *Target) mergeSubresource(obj, old resource.Object) (resource.Object, error) {
	if t.Subresource != "" {
		sub := t.Version.Subresources[t.Subresource]
		if sub == nil || sub.Merge == nil {
			return nil, t.notFound(t.Name)
		}
		return sub.Merge(obj, resource.DeepCopy(old)), nil
	}
	// A write to the object itself leaves what has a subresource of its own.
	if t.Version.Subresources["status"] != nil {
		if status, ok := old["status"]; ok {
			obj["status"] = status
		} else {
			delete(obj, "status")
		}
	}
	return obj, nil
}

// prepareUpdate puts back what belongs to the server, lets the kind do the same, fills in defaults if that is asked for,
// and raises the generation.
func (t *Target) prepareUpdate(ctx context.Context, obj, old resource.Object, fill bool) {
	m, om := metadata(obj), metadata(old)
	for _, k := range []string{"creationTimestamp", "deletionTimestamp", "generation"} {
		if v, ok := om[k]; ok {
			m[k] = v
		}
	}
	for _, k := range []string{"uid", "deletionGracePeriodSeconds"} { // may be left out, but not changed
		if v, ok := om[k]; ok && (m[k] == nil || m[k] == "") {
			m[k] = v
		}
	}
	if _, ok := om["generation"]; !ok {
		delete(m, "generation")
	}
	delete(m, "selfLink")
	if t.Def.Hooks.PrepareUpdate != nil && t.Subresource == "" {
		t.Def.Hooks.PrepareUpdate(ctx, obj, old)
	}
	if fill {
		t.fill(obj)
	}
	// A status may be written in a version that has defaults which old, as it is stored, has not: that is no new spec.
	if t.Subresource != "status" && t.Def.Hooks.SpecChanged != nil && t.Def.Hooks.SpecChanged(obj, old) {
		generation, _ := om["generation"].(int64)
		m["generation"] = generation + 1
	}
}

// fill fills in defaults, unless obj may be of another version than the target's.
func (t *Target) fill(obj resource.Object) {
	if !t.AsStored {
		t.Version.Schema.Default(obj)
	}
}

// releasedForDeletion says whether obj was waiting for finalizers and has none left.
func (t *Target) releasedForDeletion(obj resource.Object) bool {
	m := metadata(obj)
	if m["deletionTimestamp"] == nil {
		return false
	}
	if f, _ := m["finalizers"].([]any); len(f) > 0 {
		return false
	}
	if grace, _ := m["deletionGracePeriodSeconds"].(int64); grace > 0 {
		return false
	}
	return t.Def.Hooks.Released == nil || t.Def.Hooks.Released(obj)
}
