// Package rules is what kube-apiserver 1.37 demands of a CustomResourceDefinition, in its words: everything for which
// one is refused when it is created or changed, and what it is warned about. It needs no server: Check is for linters,
// the functions below it are what the server's own writes go through.
//
// kube-apiserver judges an older form of the definition than the one that authors write: what all versions say alike
// (schema, subresources, columns, selectable fields) stands at the top of spec there, so that an error in the schema
// of a definition with one version is reported at spec.validation.openAPIV3Schema. See judged.
//
// Maps are walked in the order of their keys, where kube-apiserver takes them as they come: the parts of a message may
// stand in another order there, from one request to the next.
package rules

import (
	"context"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Short names for what nearly every function here speaks of.
type (
	definition = apiextensionsv1.CustomResourceDefinition
	props      = apiextensionsv1.JSONSchemaProps
)

// Check returns everything for which a server would refuse to create c, which is left unchanged: metadata, spec, and
// the API approval that groups of the Kubernetes community need. It fills in the defaults first, as the server does,
// and pays no attention to status, which a creator cannot set. What depends on other definitions (names that are
// taken) is no part of it: such a definition is created, and not served.
func Check(ctx context.Context, c *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	c, err := defaulted(c)
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	errs := apivalidation.ValidateObjectMeta(&c.ObjectMeta, false, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	return append(errs, ValidateCreate(ctx, c)...)
}

// ValidateCreate checks a definition that is to be created: all that Check does but for the general rules of metadata,
// with defaults and status.storedVersions in place.
func ValidateCreate(ctx context.Context, c *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	r := strict()
	r.invalidCABundle = true // it is not served yet
	errs := validateName(c)
	errs = append(errs, validateSpec(ctx, judge(&c.Spec), &r)...)
	errs = append(errs, validateStored(c)...)
	errs = append(errs, validateApproval(c, nil)...)
	return append(errs, validatePreserveUnknown(c, nil)...)
}

// ValidateUpdate checks what becomes of the stored definition old. Faults that old has already and that kube-apiserver
// came to refuse later than it had served them are no reason to refuse c.
func ValidateUpdate(ctx context.Context, c, old *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	spec, before := judge(&c.Spec), judge(&old.Spec)
	r := toleratingFaultsOf(old, spec, before)
	errs := validateSpec(ctx, spec, &r)
	errs = append(errs, validateImmutable(c, old)...)
	errs = append(errs, validateNames(&old.Status.AcceptedNames, field.NewPath("status", "acceptedNames"))...)
	errs = append(errs, validateStored(c)...)
	errs = append(errs, validateApproval(c, old)...)
	return append(errs, validatePreserveUnknown(c, old)...)
}

// ValidateStatus checks what a writer to the status subresource has sent; spec is none of its business.
func ValidateStatus(c *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	return validateNames(&c.Status.AcceptedNames, field.NewPath("status", "acceptedNames"))
}

// validateName checks what the name of a definition must be; that of a generated one is judged by what it is made of.
func validateName(c *definition) field.ErrorList {
	const text = `must be spec.names.plural+"."+spec.group`
	want, path := c.Spec.Names.Plural+"."+c.Spec.Group, field.NewPath("metadata")
	var errs field.ErrorList
	if g := c.GenerateName; g != "" && g != want {
		errs = append(errs, field.Invalid(path.Child("generateName"), g, text))
	}
	if c.Name != "" && c.Name != want { // without one it is refused as such
		errs = append(errs, field.Invalid(path.Child("name"), c.Name, text))
	}
	return errs
}

// validateImmutable checks what may not change: what the objects' keys are made of ever, and what clients have come to
// rely on once the kind is established.
func validateImmutable(c, old *definition) field.ErrorList {
	var errs field.ErrorList
	same := func(now, before any, at *field.Path) {
		errs = append(errs, apivalidation.ValidateImmutableField(now, before, at)...)
	}
	path := field.NewPath("spec")
	if isEstablished(old) {
		same(c.Spec.Scope, old.Spec.Scope, path.Child("scope"))
		same(c.Spec.Names.Kind, old.Spec.Names.Kind, path.Child("names", "kind"))
	}
	same(c.Spec.Group, old.Spec.Group, path.Child("group"))
	same(c.Spec.Names.Plural, old.Spec.Names.Plural, path.Child("names", "plural"))
	return errs
}

func isEstablished(c *definition) bool {
	for i := range c.Status.Conditions {
		if t := &c.Status.Conditions[i]; t.Type == apiextensionsv1.Established {
			return t.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

// validatePreserveUnknown refuses the switch of older days, for those who have not set it then.
func validatePreserveUnknown(c, old *definition) field.ErrorList {
	if !c.Spec.PreserveUnknownFields || old != nil && old.Spec.PreserveUnknownFields {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("spec", "preserveUnknownFields"), true,
		"cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead")}
}
