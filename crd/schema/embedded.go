package schema

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/operation"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateEmbedded checks apiVersion, kind and metadata of the embedded resources in obj (of obj itself only if s
// is a Root), after Coerce.
func ValidateEmbedded(ctx context.Context, path *field.Path, obj any, s *Schema) field.ErrorList {
	if !s.embeds() {
		return nil
	}
	var errs field.ErrorList
	switch x := obj.(type) {
	case map[string]any:
		if s.Embedded {
			errs = append(errs, validateResource(ctx, path, x)...)
		}
		for _, name := range sortedKeys(x) {
			if p, ok := s.Properties[name]; ok {
				errs = append(errs, ValidateEmbedded(ctx, path.Child(name), x[name], p)...)
			} else {
				errs = append(errs, ValidateEmbedded(ctx, path.Key(name), x[name], s.Additional)...)
			}
		}
	case []any:
		for i, value := range x {
			errs = append(errs, ValidateEmbedded(ctx, path.Index(i), value, s.Items)...)
		}
	}
	return errs
}

func validateResource(ctx context.Context, path *field.Path, x map[string]any) field.ErrorList {
	errs := append(validateAPIVersion(path.Child("apiVersion"), x), validateKind(path.Child("kind"), x)...)
	if value, found := x["metadata"]; found {
		errs = append(errs, validateMetadata(ctx, path.Child("metadata"), value)...)
	}
	return errs
}

func validateAPIVersion(path *field.Path, x map[string]any) field.ErrorList {
	value, found := x["apiVersion"]
	if !found {
		return field.ErrorList{field.Required(path, "")}
	}
	text, ok := value.(string)
	if !ok {
		return field.ErrorList{field.Invalid(path, value, "must be a string")}
	}
	if text == "" {
		return field.ErrorList{field.Invalid(path, text, "must not be empty")}
	}
	if _, err := kschema.ParseGroupVersion(text); err != nil {
		return field.ErrorList{field.Invalid(path, text, err.Error())}
	}
	return nil
}

func validateKind(path *field.Path, x map[string]any) field.ErrorList {
	value, found := x["kind"]
	if !found {
		return field.ErrorList{field.Required(path, "")}
	}
	text, ok := value.(string)
	if !ok {
		return field.ErrorList{field.Invalid(path, value, "must be a string")}
	}
	if text == "" {
		return field.ErrorList{field.Invalid(path, text, "must not be empty")}
	}
	if problems := validation.IsDNS1035Label(strings.ToLower(text)); len(problems) > 0 {
		return field.ErrorList{field.Invalid(path, text,
			"may have mixed case, but should otherwise match: "+strings.Join(problems, ","))}
	}
	return nil
}

func validateMetadata(ctx context.Context, path *field.Path, value any) field.ErrorList {
	var meta metav1.ObjectMeta
	m, ok := value.(map[string]any)
	if !ok || kruntime.DefaultUnstructuredConverter.FromUnstructured(m, &meta) != nil {
		decoded, _, err := decodeMetadata(value)
		if err != nil {
			return field.ErrorList{field.Invalid(path, value, err.Error())}
		}
		meta = *decoded
	}
	if meta.Name == "" {
		meta.Name = "unnamed" // an embedded resource (a template, say) needs no name
	}
	validateName := func(name string, prefix bool) []string {
		if prefix {
			return content.IsPathSegmentPrefix(name)
		}
		return content.IsPathSegmentName(name)
	}
	return apivalidation.ValidateObjectMetaDeclaratively(ctx, operation.Create, &meta, nil, meta.Namespace != "",
		validateName, path, true)
}
