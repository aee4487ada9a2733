package registry

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/keelson-project/keelson/apiserver/managedfields"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// fields returns who keeps account of field ownership for writes to the target; through names another subresource than
// the target's own.
func (r *Registry) fields(t *Target, through string) *managedfields.Manager {
	if through == "" {
		through = t.Subresource
	}
	return managedfields.For(t.Def, t.Version, through, r.models)
}

// Apply merges the configuration that o.FieldManager wants into an object, or creates it where there is none (KEP-555).
// config is not changed. Errors: Conflict with a cause for each field that somebody else owns, BadRequest, Invalid,
// Forbidden, NotFound for subresources of what does not exist, plain errors for what does not fit the schema, and those of
// the store.
func (r *Registry) Apply(ctx context.Context, t Target, config resource.Object, o WriteOptions) (*Result, error) {
	o.applied = true
	for try := 1; ; try++ {
		res, err := r.Modify(ctx, t, o, func(current resource.Object) (resource.Object, error) {
			return r.merge(ctx, &t, current, config, o)
		})
		if !apierrors.IsNotFound(err) || t.Subresource != "" || o.Through != "" {
			return res, err
		}
		obj, err := r.merge(ctx, &t, nil, config, o)
		if err != nil {
			return nil, err
		}
		if uid := metaString(obj, "uid"); uid != "" {
			return nil, t.conflict(t.Name, fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
		}
		delete(metadata(obj), "resourceVersion")
		res, err = r.Create(ctx, t, obj, o)
		if !apierrors.IsAlreadyExists(err) || try == maxUpdateTries || ctx.Err() != nil {
			return res, err
		}
	}
}

// merge returns what current becomes with the configuration, in the form in which the rest of a write wants it.
func (r *Registry) merge(ctx context.Context, t *Target, current, config resource.Object, o WriteOptions) (resource.Object, error) {
	// What is merged shares memory with the configuration, which another try will need as it was.
	config = resource.DeepCopy(config)
	obj, err := r.fields(t, o.Through).Apply(ctx, current, config, o.FieldManager, o.Force)
	if err != nil {
		return nil, err
	}
	for _, s := range o.StrictErrors {
		if o.FieldValidation == Strict {
			return nil, apierrors.NewBadRequest("error strict decoding patch: " + s)
		}
		if o.FieldValidation != Ignore {
			addDecodingWarnings(ctx, s)
		}
	}
	if err := t.matchRequest(obj); err != nil {
		return nil, err
	}
	if t.Def.Custom { // whatever it says: nobody looks
		delete(metadata(obj), "creationTimestamp")
	}
	if c, ok := t.Version.Schema.(resource.TypeChecker); ok {
		if err := c.CheckTypes(obj); err != nil {
			gvk := t.Def.GroupVersionKind(t.Version.Name)
			return nil, plainError(fmt.Sprintf("failed to convert new object (%s/%s; %s) to proper version: unable to convert unstructured object to %s: %v",
				metaString(config, "namespace"), metaString(config, "name"), gvk, gvk, err))
		}
	}
	t.clean(obj)
	return obj, nil
}

// clean brings the result of a merge into the form of a decoded object, where nothing unknown is left to be found: of a
// custom resource metadata only, since Kubernetes validates the nulls of a configuration before it drops them.
func (t *Target) clean(obj resource.Object) {
	if !t.Def.Custom {
		t.Version.Schema.Prune(obj)
		return
	}
	head := resource.Object{"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": obj["metadata"]}
	t.Version.Schema.Prune(head)
	obj["metadata"] = head["metadata"]
}
