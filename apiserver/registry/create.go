package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/apiserver/admission"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage"
)

// WriteOptions are what creates, updates and patches have in common.
type WriteOptions struct {
	DryRun bool
	// FieldManager is who owns the fields that the write sets, in metadata.managedFields.
	FieldManager string
	// Force: an apply takes over what others own instead of failing with their names.
	Force           bool
	FieldValidation FieldValidation
	// StrictErrors are the decoder's findings that FieldValidation is to judge together with unknown fields:
	// `duplicate field "spec.a"`.
	StrictErrors []string
	// Through is the subresource to which the write of the object itself belongs in the eyes of managedFields (scale).
	Through string

	applied bool   // managedFields are up to date
	uid     string // of the object to be replaced; "" is any
}

// Result is the answer to a write.
type Result struct {
	Data    []byte // the object in the target's version
	Created bool   // 201 instead of 200
	// Revision of the object, zero where nothing was stored (dry run).
	Revision storage.Revision
}

// generatedNameTries is how often a taken generated name is made anew (KEP-4420).
const generatedNameTries = 8

// Create stores a new object, which it changes. Errors: BadRequest, Invalid, AlreadyExists, Forbidden, and those
// of the store.
func (r *Registry) Create(ctx context.Context, t Target, obj resource.Object, o WriteOptions) (*Result, error) {
	if !o.applied {
		if err := t.intake(ctx, obj, o); err != nil {
			return nil, err
		}
	}
	name := t.Name
	t.Name = ""
	if err := t.matchRequest(obj); err != nil {
		return nil, err
	}
	t.Name = name
	base := ""
	if metaString(obj, "name") == "" {
		base = metaString(obj, "generateName")
	}
	for try := 1; ; try++ {
		if base != "" {
			metadata(obj)["name"] = generateName(base)
		}
		attempt := obj
		if base != "" {
			attempt = resource.DeepCopy(obj)
		}
		res, err := r.createOnce(ctx, t, attempt, o)
		if base == "" || !apierrors.IsAlreadyExists(err) {
			return res, err
		}
		if try == generatedNameTries {
			return nil, apierrors.NewGenerateNameConflict(t.Def.GroupResource(), metaString(obj, "name"), 1)
		}
	}
}

func (r *Registry) createOnce(ctx context.Context, t Target, obj resource.Object, o WriteOptions) (*Result, error) {
	r.stampNew(&t, obj)
	t.Version.Schema.Default(obj)
	if !o.applied {
		r.fields(&t, o.Through).Update(ctx, nil, obj, o.FieldManager)
	}
	attrs := t.attributes(ctx, admission.Create, obj, nil, o.DryRun)
	if t.Def.Terminating {
		return nil, apierrors.NewForbidden(t.Def.GroupResource(), metaString(obj, "name"), errTerminating)
	}
	if err := r.admit(ctx, attrs); err != nil {
		return nil, err
	}
	if t.Def.Hooks.PrepareCreate != nil {
		t.Def.Hooks.PrepareCreate(ctx, obj)
	}
	t.Version.Schema.Default(obj)
	if err := r.validate(ctx, &t, obj, nil); err != nil {
		return nil, err
	}
	if t.Def.Hooks.Warnings != nil {
		for _, w := range t.Def.Hooks.Warnings(ctx, obj, nil) {
			resource.AddWarning(ctx, w)
		}
	}
	if err := r.validateAdmission(ctx, attrs); err != nil {
		return nil, err
	}
	if o.applied && t.Def.Custom {
		t.Version.Schema.Prune(obj) // see clean
	}
	// Kubernetes finds this out when it stores the object, and a dry run does not come that far.
	if rev, err := strconv.ParseUint(metaString(obj, "resourceVersion"), 10, 64); err == nil && rev > 0 && !o.DryRun {
		return nil, plainError("resourceVersion should not be set on objects to be created")
	}
	return r.put(ctx, &t, obj, 0, o.DryRun)
}

// put stores obj, expecting the revision that it was made from, and answers with it.
func (r *Registry) put(ctx context.Context, t *Target, obj resource.Object, expected storage.Revision, dryRun bool) (*Result, error) {
	data, err := t.toStored(ctx, obj)
	if err != nil {
		return nil, t.storeError(err)
	}
	return r.putStored(ctx, t, obj, data, expected, dryRun)
}

// putStored is put of an object whose stored form is known.
func (r *Registry) putStored(ctx context.Context, t *Target, obj resource.Object, data []byte, expected storage.Revision, dryRun bool) (*Result, error) {
	name := metaString(obj, "name")
	if len(data) > maxStoredBytes {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("the object has %d bytes, the limit is %d", len(data), maxStoredBytes))
	}
	key := t.key(name)
	if dryRun {
		if expected == 0 {
			got, err := r.store.Get(ctx, key, storage.GetOptions{})
			if err != nil {
				return nil, t.storeError(err)
			}
			if got.KV != nil {
				return nil, t.alreadyExists(name, got.KV)
			}
		}
		out, err := t.answer(ctx, data, expected)
		return &Result{Data: out, Created: expected == 0}, err
	}
	rev, err := r.store.Put(ctx, key, data, expected, storage.PutOptions{TTL: t.Def.TTL})
	var lost *storage.ConflictError
	if errors.As(err, &lost) {
		if expected == 0 {
			return nil, t.alreadyExists(name, lost.Current)
		}
		return nil, err
	}
	if err != nil {
		return nil, t.storeError(err)
	}
	if t.Def.Hooks.Stored != nil {
		if err := t.Def.Hooks.Stored(ctx, obj, int64(rev), false); err != nil {
			return nil, err
		}
	}
	out, err := t.answer(ctx, data, rev)
	return &Result{Data: out, Created: expected == 0, Revision: rev}, err
}

// maxStoredBytes bounds one object; the store's own limit is above it.
const maxStoredBytes = 12 << 20

// answer turns bytes made for the store just now into what a client gets; revision zero is left out (dry run of a
// create).
func (t *Target) answer(ctx context.Context, stored []byte, rev storage.Revision) ([]byte, error) {
	if rev > 0 {
		var err error
		if stored, err = resource.WithRevision(stored, int64(rev)); err != nil {
			return nil, err
		}
	}
	return t.encodeStored(ctx, stored, justNow)
}

// justNow is the revision of what has been pruned and defaulted in this request.
const justNow = storage.Revision(math.MaxInt64)
