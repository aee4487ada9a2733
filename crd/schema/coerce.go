package schema

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Coerce cleans metadata of the embedded resources in obj, in place (that of obj itself only if s is a Root), as
// CleanMetadata does. It returns the paths of metadata's unknown members, sorted. What CheckEmbedded refuses is left
// as it is.
func Coerce(path *field.Path, obj any, s *Schema) []string {
	if !s.embeds() {
		return nil
	}
	var unknown []string
	_ = eachResource(path, obj, s, func(path *field.Path, x map[string]any, _ *Schema) *field.Error {
		metadata, ok := x["metadata"]
		if !ok {
			return nil
		}
		if clean, members, err := CleanMetadata(metadata); err == nil {
			x["metadata"] = clean
			for _, m := range members {
				unknown = append(unknown, fmt.Sprintf("%s.%s", path.Child("metadata"), m))
			}
		}
		return nil
	})
	slices.Sort(unknown)
	return unknown
}

// CheckEmbedded returns why obj, which is not pruned yet, cannot be decoded: an embedded resource whose apiVersion,
// kind or metadata has the wrong type. It changes nothing. Kubernetes names any one of several errors, this the first
// one in the order of names.
func CheckEmbedded(path *field.Path, obj any, s *Schema) *field.Error {
	if !s.embeds() {
		return nil
	}
	return eachResource(path, obj, s, func(path *field.Path, x map[string]any, s *Schema) *field.Error {
		for _, name := range []string{"apiVersion", "kind"} {
			value, found := x[name]
			if child, _ := s.child(name); !found || value == nil && child.dropsNull() {
				continue
			}
			if _, ok := value.(string); !ok {
				return field.Invalid(path.Child(name), value, "must be a string")
			}
		}
		if metadata, found := x["metadata"]; found {
			if err := CheckMetadata(metadata); err != nil {
				return field.Invalid(path.Child("metadata"), metadata, err.Error())
			}
		}
		return nil
	})
}

// eachResource calls visit for every embedded resource in x, until it returns an error.
func eachResource(path *field.Path, x any, s *Schema, visit func(*field.Path, map[string]any, *Schema) *field.Error) *field.Error {
	if !s.embeds() {
		return nil
	}
	switch x := x.(type) {
	case map[string]any:
		if s.Embedded {
			if err := visit(path, x, s); err != nil {
				return err
			}
		}
		if !s.embedsBelow {
			return nil
		}
		for _, name := range sortedKeys(x) {
			child, at := s.Additional, path.Key(name)
			if p, ok := s.Properties[name]; ok {
				child, at = p, path.Child(name)
			}
			if err := eachResource(at, x[name], child, visit); err != nil {
				return err
			}
		}
	case []any:
		for i, element := range x {
			if err := eachResource(path.Index(i), element, s.Items, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// embeds says whether s or a node below it is an embedded resource.
func (s *Schema) embeds() bool { return s != nil && (s.Embedded || s.embedsBelow) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
