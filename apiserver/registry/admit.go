package registry

import (
	"context"

	"github.com/keelson-project/keelson/apiserver/admission"
	"github.com/keelson-project/keelson/apiserver/auth"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func (t *Target) attributes(ctx context.Context, op admission.Operation, obj, old resource.Object, dryRun bool) *admission.Attributes {
	gvk := t.Def.GroupVersionKind(t.Version.Name)
	user, _ := auth.UserFrom(ctx)
	name := t.Name
	if name == "" && obj != nil {
		name = metaString(obj, "name")
	}
	return &admission.Attributes{
		Operation: op, Kind: gvk, Resource: gvk.GroupVersion().WithResource(t.Def.Names.Plural), Subresource: t.Subresource,
		Namespace: t.Namespace, Name: name, Object: obj, OldObject: old, DryRun: dryRun, User: user,
	}
}

func (r *Registry) admit(ctx context.Context, a *admission.Attributes) error {
	if r.admission == nil {
		return nil
	}
	return r.admission.Admit(ctx, a)
}

func (r *Registry) validateAdmission(ctx context.Context, a *admission.Attributes) error {
	if r.admission == nil {
		return nil
	}
	return r.admission.Validate(ctx, a)
}
