package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateVersion checks what a version has that not all of them have.
func validateVersion(ctx context.Context, j *judged, v *version, r *requirements, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, problem := range validateWarning(v.Deprecated, v.DeprecationWarning) {
		errs = append(errs, field.Invalid(at.Child("deprecationWarning"), v.DeprecationWarning, problem))
	}
	sub := j.subresourcesOf(v.Name)
	errs = append(errs, validateSchema(ctx, v.schema, v.Name, sub != nil && sub.Status != nil, r, at.Child("schema"))...)
	errs = append(errs, validateScale(v.subresources, at.Child("subresources"))...)
	errs = append(errs, validateColumns(v.columns, at.Child("additionalPrinterColumns"))...)
	if len(v.selectable) > 0 {
		path := at.Child("selectableFields")
		if v.props() == nil {
			return append(errs, field.Invalid(path, "", "may only be set when `version.schema.openAPIV3Schema` is not included"))
		}
		errs = append(errs, validateSelectable(v, r.manySelectable[v.Name], path, at.Child("schema.openAPIV3Schema"))...)
	}
	return errs
}

// validateWarning returns what is wrong with the text that is sent to users of a deprecated version.
func validateWarning(deprecated bool, warning *string) []string {
	switch {
	case warning == nil:
		return nil
	case !deprecated:
		return []string{"can only be set for deprecated versions"}
	}
	var problems []string
	if len(*warning) > 256 {
		problems = append(problems, "must be <= 256 characters long")
	}
	if *warning == "" {
		problems = append(problems, "must not be an empty string")
	}
	for i, r := range *warning {
		if !unicode.IsPrint(r) {
			problems = append(problems, fmt.Sprintf("must only contain printable UTF-8 characters; non-printable character found at index %d", i))
			break
		}
	}
	return problems // JSON is UTF-8: there is no other text
}

func columnTypes() []string { return []string{"boolean", "date", "integer", "number", "string"} }

func columnFormats() []string {
	return []string{"byte", "date", "date-time", "double", "float", "int32", "int64", "password"}
}

func validateColumns(columns []apiextensionsv1.CustomResourceColumnDefinition, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range columns {
		c, at := &columns[i], at.Index(i)
		if c.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
		types := "must be one of " + strings.Join(columnTypes(), ",")
		switch {
		case c.Type == "":
			errs = append(errs, field.Required(at.Child("type"), types))
		case !slices.Contains(columnTypes(), c.Type):
			errs = append(errs, field.Invalid(at.Child("type"), c.Type, types))
		}
		if c.Format != "" && !slices.Contains(columnFormats(), c.Format) {
			errs = append(errs, field.Invalid(at.Child("format"), c.Format, "must be one of "+strings.Join(columnFormats(), ",")))
		}
		if c.JSONPath == "" {
			errs = append(errs, field.Required(at.Child("JSONPath"), ""))
		} else {
			errs = append(errs, validatePath(c.JSONPath, at.Child("JSONPath"))...)
		}
	}
	return errs
}

// validatePath checks a path no further than Kubernetes does. Columns with a path that leads nowhere are accepted, and
// then not shown.
func validatePath(path string, at *field.Path) field.ErrorList {
	if path[0] != '.' {
		return field.ErrorList{field.Invalid(at, path, "must be a simple json path starting with .")}
	}
	return nil
}

func validateScale(sub *apiextensionsv1.CustomResourceSubresources, at *field.Path) field.ErrorList {
	if sub == nil || sub.Scale == nil {
		return nil
	}
	var errs field.ErrorList
	scale := sub.Scale
	replicas := func(path, name, below string) {
		at := at.Child("scale." + name)
		if path == "" {
			errs = append(errs, field.Required(at, ""))
		} else if problems := validatePath(path, at); len(problems) > 0 {
			errs = append(errs, problems...)
		} else if !strings.HasPrefix(path, below+".") {
			errs = append(errs, field.Invalid(at, path, "should be a json path under "+below))
		}
	}
	replicas(scale.SpecReplicasPath, "specReplicasPath", ".spec")
	replicas(scale.StatusReplicasPath, "statusReplicasPath", ".status")
	if p := scale.LabelSelectorPath; p != nil && *p != "" {
		at := at.Child("scale.labelSelectorPath")
		if problems := validatePath(*p, at); len(problems) > 0 {
			errs = append(errs, problems...)
		} else if !strings.HasPrefix(*p, ".spec.") && !strings.HasPrefix(*p, ".status.") {
			errs = append(errs, field.Invalid(at, *p, "should be a json path under either .spec or .status"))
		}
	}
	return errs
}
