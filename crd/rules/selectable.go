package rules

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// maxSelectable is how many selectable fields a version may have.
const maxSelectable = 8

// validateSelectable checks the fields of v that field selectors may name. Without a usable schema none is found; what
// is wrong with the schema is told again at schemaAt, as kube-apiserver does.
func validateSelectable(v *version, tooManyAllowed bool, at, schemaAt *field.Path) field.ErrorList {
	var errs field.ErrorList
	s, err := schema.New(v.props())
	if err != nil {
		errs = append(errs, field.Invalid(schemaAt, "", err.Error()))
	}
	unique := map[string]bool{}
	for i := range v.selectable {
		path, at := v.selectable[i].JSONPath, at.Index(i).Child("jsonPath")
		if path == "" {
			errs = append(errs, field.Required(at, ""))
			continue
		}
		found, target, err := schema.FieldPath(path, s, false)
		if err != nil {
			errs = append(errs, field.Invalid(at, path, fmt.Sprintf("is an invalid path: %v", err)))
			continue
		}
		if found.Root().String() == "metadata" {
			errs = append(errs, field.Invalid(at, path, "must not point to fields in metadata"))
		}
		if target == nil || target.Type != "string" && target.Type != "boolean" && target.Type != "integer" {
			errs = append(errs, field.Invalid(at, path, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."))
		}
		if unique[found.String()] {
			errs = append(errs, field.Duplicate(at, path))
		}
		unique[found.String()] = true
	}
	if len(unique) > maxSelectable && !tooManyAllowed {
		errs = append(errs, field.TooMany(at, len(unique), maxSelectable))
	}
	return errs
}
