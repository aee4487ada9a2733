package rules

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
)

// validateSchema checks the schema of one version, or of all: what may stand at its root, that it is structural, that
// its defaults are values that it would accept, what its keywords may say, and its CEL rules. It is the schema of the
// version of that name, and of others if that is the first one.
func validateSchema(ctx context.Context, v *apiextensionsv1.CustomResourceValidation, name string, status bool, r *requirements, at *field.Path) field.ErrorList {
	if v == nil || v.OpenAPIV3Schema == nil {
		return nil
	}
	p, path := v.OpenAPIV3Schema, at.Child("openAPIV3Schema")
	var errs field.ErrorList
	if status {
		errs = append(errs, validateRootOfStatus(p, at)...)
	}
	if p.Nullable {
		errs = append(errs, field.Forbidden(at.Child("openAPIV3Schema.nullable"), "nullable cannot be true at the root"))
	}
	var unsupported field.ErrorList
	var sound *schema.Schema // if the rules can be looked at
	if r.structural {
		s, err := schema.New(p)
		if err != nil {
			unsupported = field.ErrorList{field.Invalid(path, "", err.Error())}
		} else if problems := schema.ValidateStructural(path, p); len(problems) > 0 {
			errs = append(errs, problems...)
		} else if problems := validateDefaults(ctx, s, r, path); len(problems) > 0 {
			errs = append(errs, problems...)
		} else {
			sound = s
		}
	}
	w := walker{requirements: r}
	found := w.node(path, p, node{root: true})
	errs = append(errs, found...)
	errs = append(errs, cel.ValidateRules(path, sound, found, cel.Update{Old: r.oldSchemas, Unchanged: r.unchanged[name]})...)
	if len(errs) == 0 { // the same fault is told in better words by the walk, if it has any
		errs = unsupported
	}
	return errs
}

// fieldsAtRoot are the keywords (as fields of JSONSchemaProps) that may stand at the root of a schema whose status is
// written apart: the part of it for status is taken out by itself.
func fieldsAtRoot() []string {
	return []string{"Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum", "ExclusiveMinimum",
		"MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems", "UniqueItems", "MultipleOf", "Required", "Items",
		"Properties", "ExternalDocs", "Example", "XPreserveUnknownFields", "XValidations"}
}

// validateRootOfStatus reports the first keyword at the root that may not stand there with a status subresource.
func validateRootOfStatus(p *props, at *field.Path) field.ErrorList {
	v := reflect.ValueOf(p).Elem()
	allowed := fieldsAtRoot()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch {
		case v.Field(i).IsZero():
		case name == "Type" && p.Type != "object":
			return field.ErrorList{field.Invalid(at.Child("openAPIV3Schema.type"), p.Type,
				`only "object" is allowed as the type at the root of the schema if the status subresource is enabled`)}
		case !slices.Contains(allowed, name):
			return field.ErrorList{field.Invalid(at.Child("openAPIV3Schema"), internalSchema(p),
				fmt.Sprintf("only %v fields are allowed at the root of the schema if the status subresource is enabled", allowed))}
		}
	}
	return nil
}
