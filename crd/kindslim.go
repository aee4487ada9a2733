package crd

import (
	"encoding/json"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// slim is a CustomResourceDefinition without its schemas, which are nearly all of it: what is left goes through Go's
// decoder and encoder in no time, and the schemas are read on their own (readProps).
type slim struct {
	obj     resource.Object
	schemas []schemaAt
}

// schemaAt is a schema and the version it belongs to, by its index.
type schemaAt struct {
	version int
	schema  any // map[string]any or *encodedSchema
	props   *apiextensionsv1.JSONSchemaProps
}

// slimOf takes obj apart, without changing it but for the form of its schemas. It returns false where a schema is not as
// usual: then the whole has to be decoded.
func slimOf(obj resource.Object) (*slim, bool) {
	s := &slim{obj: maps.Clone(obj)}
	spec, ok := obj["spec"].(map[string]any)
	if !ok {
		return s, true
	}
	spec = maps.Clone(spec)
	s.obj["spec"] = spec
	versions, ok := spec["versions"].([]any)
	if !ok {
		return s, true
	}
	versions = slices.Clone(versions)
	spec["versions"] = versions
	for i := range versions {
		version, ok := versions[i].(map[string]any)
		if !ok {
			continue
		}
		holder, ok := version["schema"].(map[string]any)
		if !ok {
			continue
		}
		at := schemaAt{version: i, schema: holder[schemaField]}
		switch m := at.schema.(type) {
		case *encodedSchema:
			at.props = m.props
		case map[string]any:
			if at.props, ok = readProps(m); !ok {
				return nil, false
			}
		default:
			continue
		}
		s.schemas = append(s.schemas, at)
		version, holder = maps.Clone(version), maps.Clone(holder)
		holder[schemaField] = map[string]any{}
		version["schema"], versions[i] = holder, version
	}
	return s, true
}

// restore puts the schemas into obj, which is what became of the slim one, and has its versions.
func (s *slim) restore(obj resource.Object) {
	if len(s.schemas) == 0 {
		return
	}
	versions := obj["spec"].(map[string]any)["versions"].([]any)
	for _, at := range s.schemas {
		versions[at.version].(map[string]any)["schema"].(map[string]any)[schemaField] = at.schema
	}
}

// typed decodes obj.
func typed(obj resource.Object) (*apiextensionsv1.CustomResourceDefinition, error) {
	c := &apiextensionsv1.CustomResourceDefinition{}
	s, ok := slimOf(obj)
	if ok {
		obj = s.obj
	}
	raw, err := resource.Encode(obj)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, c); err != nil || !ok {
		return c, err
	}
	for _, at := range s.schemas {
		c.Spec.Versions[at.version].Schema.OpenAPIV3Schema = at.props
	}
	return c, nil
}
