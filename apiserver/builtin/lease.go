package builtin

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

func (k kinds) lease() *resource.Definition {
	return &resource.Definition{
		Group:      "coordination.k8s.io",
		Names:      resource.Names{Plural: "leases", Singular: "lease", Kind: "Lease", ListKind: "LeaseList"},
		Namespaced: true, Storage: "v1", Prefix: "/registry/leases/", CreateOnUpdate: true,
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &coordinationv1.Lease{},
			Schema: k.compiler.Schema("io.k8s.api.coordination.v1.Lease", &coordinationv1.Lease{}, nil),
			Columns: []resource.Column{
				column("Holder", "string", coordinationv1.LeaseSpec{}.SwaggerDoc()["holderIdentity"], func(obj resource.Object) any {
					return text(obj, "spec", "holderIdentity")
				}),
				ageColumn(),
			},
		}},
		Hooks: resource.Hooks{Validate: validateLease},
	}
}

func validateLease(_ context.Context, obj, _ resource.Object) field.ErrorList {
	spec, at := fieldsOf(obj, "spec"), field.NewPath("spec")
	var errs field.ErrorList
	if n, ok := spec["leaseDurationSeconds"].(int64); ok && n <= 0 {
		errs = append(errs, field.Invalid(at.Child("leaseDurationSeconds"), n, "must be greater than 0"))
	}
	errs = append(errs, notNegative(spec, "leaseTransitions", at)...)
	if text(spec, "preferredHolder") != "" && text(spec, "strategy") == "" {
		errs = append(errs, field.Forbidden(at.Child("preferredHolder"), "may only be specified if `strategy` is defined"))
	}
	return errs
}
