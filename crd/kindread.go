package crd

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// readKind decodes the JSON of a new CustomResourceDefinition, its schemas into encodedSchemas. It returns false for
// those that are in any way unusual, or too large: the ordinary way has words for what is wrong with them.
func readKind(body []byte) (resource.Object, bool) {
	s, ok := splitSchemas(body)
	if !ok {
		return nil, false
	}
	obj, strict, err := decodeStrict(s.head)
	if err != nil || obj == nil || len(strict) > 0 {
		return nil, false
	}
	var size kindSize
	size.add(obj, 1, 1)
	list := versionsOf(obj)
	for i, raw := range s.schemas {
		if raw == nil {
			continue
		}
		const depth = 7 // of the first level in a schema
		props, more, ok := readSchema(raw, depth)
		if !ok {
			return nil, false
		}
		size.merge(more)
		version, _ := list[i].(map[string]any)
		holder, _ := version["schema"].(map[string]any)
		if holder == nil {
			return nil, false
		}
		holder[schemaField] = &encodedSchema{props: props, json: appendSchema(make([]byte, 0, len(raw)), props)}
	}
	return obj, size.check() == nil
}

const schemaField = "openAPIV3Schema"

func versionsOf(obj resource.Object) []any {
	spec, _ := obj["spec"].(map[string]any)
	list, _ := spec["versions"].([]any)
	return list
}

// encodedSchema stands in a new CustomResourceDefinition for a schema: encoded, and decoded for its rules, but never
// the maps of an Object, which would take most of the time.
type encodedSchema struct {
	props *apiextensionsv1.JSONSchemaProps
	json  []byte
}

// AppendJSON implements resource.Encoded.
func (s *encodedSchema) AppendJSON(b []byte) []byte { return append(b, s.json...) }

func decodeStrict(data []byte) (obj resource.Object, strict []error, err error) {
	strict, err = kjson.UnmarshalStrict(data, &obj, kjson.DisallowDuplicateFields)
	return obj, strict, err
}
