package rules

import (
	"context"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateSpec(ctx context.Context, j *judged, r *requirements) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateGroup(j.Group, path.Child("group"))
	errs = append(errs, validateChoice(j.Scope, []apiextensionsv1.ResourceScope{apiextensionsv1.ClusterScoped, apiextensionsv1.NamespaceScoped}, path.Child("scope"))...)
	relaxed := *r // what follows may be stricter than what the stored definition kept to
	r = &relaxed
	r.structural = r.structural || !j.PreserveUnknownFields // pruning needs structure
	errs = append(errs, validateSchemasThere(j, r, path.Child("versions"))...)
	if j.hasSchemaWith(hasDefault) {
		r.structural = true
		if j.PreserveUnknownFields {
			errs = append(errs, field.Invalid(path.Child("preserveUnknownFields"), true, "must be false in order to use defaults in the schema"))
		}
	}
	r.structural = r.structural || j.hasSchemaWith(hasExtension)
	errs = append(errs, validateVersions(ctx, j, r, path)...)
	for _, n := range []struct{ field, value string }{
		{"plural", j.Names.Plural}, {"singular", j.Names.Singular}, {"kind", j.Names.Kind}, {"listKind", j.Names.ListKind},
	} {
		if n.value == "" {
			errs = append(errs, field.Required(path.Child("names", n.field), ""))
		}
	}
	errs = append(errs, validateNames(&j.Names, path.Child("names"))...)
	errs = append(errs, validateTop(ctx, j, r, path)...)
	if c := j.Conversion; c != nil && c.Strategy != apiextensionsv1.NoneConverter && j.PreserveUnknownFields {
		errs = append(errs, field.Invalid(path.Child("conversion", "strategy"), c.Strategy, "must be None if spec.preserveUnknownFields is true"))
	}
	return append(errs, validateConversion(j.Conversion, r, path.Child("conversion"))...)
}

func hasExtension(p *props) bool {
	return p.XEmbeddedResource || p.XPreserveUnknownFields != nil || p.XIntOrString || len(p.XListMapKeys) > 0 ||
		p.XListType != nil || len(p.XValidations) > 0
}

func validateGroup(group string, at *field.Path) field.ErrorList {
	if group == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if problems := validation.IsDNS1123Subdomain(group); len(problems) > 0 {
		return field.ErrorList{field.Invalid(at, group, strings.Join(problems, ","))}
	}
	if !strings.Contains(group, ".") {
		return field.ErrorList{field.Invalid(at, group, "should be a domain with at least one dot")}
	}
	return nil
}

// validateChoice checks a required value out of a few.
func validateChoice[T ~string](value T, choice []T, at *field.Path) field.ErrorList {
	switch {
	case value == "":
		return field.ErrorList{field.Required(at, "")}
	case !slices.Contains(choice, value):
		return field.ErrorList{field.NotSupported(at, value, choice)}
	}
	return nil
}

// validateSchemasThere checks that each version has a schema, or each served one where the stored definition lacks some.
func validateSchemasThere(j *judged, r *requirements, at *field.Path) field.ErrorList {
	if j.top.props() != nil {
		return nil
	}
	var errs field.ErrorList
	for i := range j.versions {
		v := &j.versions[i]
		if v.props() != nil {
			continue
		}
		path := at.Index(i).Child("schema", "openAPIV3Schema")
		switch {
		case r.schema:
			errs = append(errs, field.Required(path, ""))
		case !j.PreserveUnknownFields && v.Served:
			errs = append(errs, field.Required(path, "because otherwise all fields are pruned"))
		}
	}
	return errs
}

func validateVersions(ctx context.Context, j *judged, r *requirements, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	at := path.Child("versions")
	storage, unique, seen := 0, true, map[string]bool{}
	for i := range j.versions {
		v := &j.versions[i]
		if v.Storage {
			storage++
		}
		unique = unique && !seen[v.Name]
		seen[v.Name] = true
		if problems := validation.IsDNS1035Label(v.Name); len(problems) > 0 {
			errs = append(errs, field.Invalid(at.Index(i).Child("name"), v.Name, strings.Join(problems, ",")))
		}
		errs = append(errs, validateVersion(ctx, j, v, r, at.Index(i))...)
	}
	if !unique {
		errs = append(errs, field.Invalid(at, internalVersions(j.CustomResourceDefinitionSpec), "must contain unique version names"))
	}
	if storage != 1 {
		errs = append(errs, field.Invalid(at, internalVersions(j.CustomResourceDefinitionSpec), "must have exactly one version marked as storage version"))
	}
	if name := j.firstVersion(); name != "" { // it also stands at the top
		if problems := validation.IsDNS1035Label(name); len(problems) > 0 {
			errs = append(errs, field.Invalid(path.Child("version"), name, strings.Join(problems, ",")))
		}
	}
	return errs
}

// validateTop checks what all versions have in common.
func validateTop(ctx context.Context, j *judged, r *requirements, path *field.Path) field.ErrorList {
	top := &j.top
	errs := validateSchema(ctx, top.schema, j.firstVersion(), j.anyStatus(), r, path.Child("validation"))
	errs = append(errs, validateScale(top.subresources, path.Child("subresources"))...)
	errs = append(errs, validateColumns(top.columns, path.Child("additionalPrinterColumns"))...)
	if len(top.selectable) > 0 {
		at := path.Child("selectableFields")
		if top.schema == nil {
			return append(errs, field.Invalid(at, "", "may only be set when validations.schema is included"))
		}
		errs = append(errs, validateSelectable(top, r.manySelectable[""], at, path.Child("schema.openAPIV3Schema"))...)
	}
	return errs
}

// validateNames checks the names that there are; which ones must be there differs between spec and status.
func validateNames(n *apiextensionsv1.CustomResourceDefinitionNames, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	label := func(at *field.Path, value, checked, say string) {
		if problems := validation.IsDNS1035Label(checked); len(problems) > 0 {
			errs = append(errs, field.Invalid(at, value, say+strings.Join(problems, ",")))
		}
	}
	const mixed = "may have mixed case, but should otherwise match: "
	if n.Plural != "" {
		label(at.Child("plural"), n.Plural, n.Plural, "")
	}
	if n.Singular != "" {
		label(at.Child("singular"), n.Singular, n.Singular, "")
	}
	if n.Kind != "" {
		label(at.Child("kind"), n.Kind, strings.ToLower(n.Kind), mixed)
	}
	if n.ListKind != "" {
		label(at.Child("listKind"), n.ListKind, strings.ToLower(n.ListKind), mixed)
	}
	for i, s := range n.ShortNames {
		label(at.Child("shortNames").Index(i), s, s, "")
	}
	if n.Kind != "" && n.Kind == n.ListKind {
		errs = append(errs, field.Invalid(at.Child("listKind"), n.ListKind, "kind and listKind may not be the same"))
	}
	for i, s := range n.Categories {
		label(at.Child("categories").Index(i), s, s, "")
	}
	return errs
}
