package schema

import (
	"maps"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DropMalformed is Coerce for objects that nobody has checked: of the embedded resources in obj, members of metadata, and
// apiVersion and kind, are dropped where they have the wrong type. Metadata that is no object is left.
func DropMalformed(obj any, s *Schema) {
	_ = eachResource(nil, obj, s, func(_ *field.Path, x map[string]any, _ *Schema) *field.Error {
		for _, name := range []string{"apiVersion", "kind"} {
			if _, ok := x[name].(string); !ok {
				delete(x, name)
			}
		}
		DropMalformedMetadata(x)
		return nil
	})
}

// DropMalformedMetadata brings the metadata of x into the form that CleanMetadata describes, without the members that
// have the wrong type.
func DropMalformedMetadata(x map[string]any) {
	value, found := x["metadata"]
	if !found {
		return
	}
	if clean, _, err := CleanMetadata(value); err == nil {
		x["metadata"] = clean
		return
	}
	metadata, ok := value.(map[string]any)
	if !ok {
		return
	}
	kept := map[string]any{}
	for name, value := range metadata {
		if clean, _, err := CleanMetadata(map[string]any{name: value}); err == nil {
			maps.Copy(kept, clean)
		}
	}
	x["metadata"] = kept
}
