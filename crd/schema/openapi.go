package schema

import (
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// RefPrefix begins every reference to another schema in an OpenAPI v3 document.
const RefPrefix = "#/components/schemas/"

// ObjectMetaName is the name under which the schema of metadata is published.
const ObjectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// Publish converts the schema of a version into the OpenAPI v3 schema of the whole kind, as kube-apiserver
// publishes it: with apiVersion, kind and a reference to ObjectMeta. A nil schema is an object of any content.
// selectable are the JSON paths of the version's selectable fields.
func Publish(p *apiextensionsv1.JSONSchemaProps, gvk kschema.GroupVersionKind, selectable []string) *spec.Schema {
	var s *spec.Schema
	if p == nil {
		s = &spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"object"}}}
	} else {
		s = publish(p)
		setMetadata(s)
		docs := metav1.TypeMeta{}.SwaggerDoc()
		s.SetProperty("apiVersion", *spec.StringProperty().WithDescription(docs["apiVersion"]))
		s.SetProperty("kind", *spec.StringProperty().WithDescription(docs["kind"]))
	}
	s.AddExtension("x-kubernetes-group-version-kind", []any{map[string]any{
		"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind,
	}})
	if len(selectable) > 0 {
		var fields []any
		for _, path := range selectable {
			fields = append(fields, map[string]any{"fieldPath": strings.TrimPrefix(path, ".")})
		}
		s.AddExtension("x-kubernetes-selectable-fields", fields)
	}
	return s
}

func setMetadata(s *spec.Schema) {
	docs := metav1.PartialObjectMetadata{}.SwaggerDoc()
	s.SetProperty("metadata", *spec.RefSchema(RefPrefix + ObjectMetaName).WithDescription(docs["metadata"]))
}

// publish converts one node and those below it.
func publish(p *apiextensionsv1.JSONSchemaProps) *spec.Schema {
	s := &spec.Schema{SchemaProps: spec.SchemaProps{
		Description: p.Description, Title: p.Title, Nullable: p.Nullable,
		Format: p.Format, Pattern: p.Pattern,
		Maximum: p.Maximum, ExclusiveMaximum: p.ExclusiveMaximum,
		Minimum: p.Minimum, ExclusiveMinimum: p.ExclusiveMinimum,
		MaxLength: p.MaxLength, MinLength: p.MinLength,
		MaxItems: p.MaxItems, MinItems: p.MinItems, UniqueItems: p.UniqueItems,
		MultipleOf: p.MultipleOf, MaxProperties: p.MaxProperties, MinProperties: p.MinProperties,
		Required: p.Required,
	}}
	if p.Type != "" {
		s.Type = spec.StringOrArray{p.Type}
	}
	s.Default, _ = decode(p.Default) // the CRD was accepted, so its JSON parses
	s.Example, _ = decode(p.Example)
	for i := range p.Enum {
		value, _ := decode(&p.Enum[i])
		s.Enum = append(s.Enum, value)
	}
	if d := p.ExternalDocs; d != nil {
		s.ExternalDocs = &spec.ExternalDocumentation{Description: d.Description, URL: d.URL}
	}
	s.AllOf, s.AnyOf, s.OneOf = publishList(p.AllOf), publishList(p.AnyOf), publishList(p.OneOf)
	if p.Not != nil {
		s.Not = publish(p.Not)
	}
	if p.Items != nil && p.Items.Schema != nil {
		s.Items = &spec.SchemaOrArray{Schema: publish(p.Items.Schema)}
	}
	if a := p.AdditionalProperties; a != nil {
		s.AdditionalProperties = &spec.SchemaOrBool{Allows: a.Allows}
		if a.Schema != nil {
			s.AdditionalProperties.Schema = publish(a.Schema)
		}
	}
	for name := range p.Properties {
		child := p.Properties[name]
		s.SetProperty(name, *publish(&child))
	}
	publishExtensions(p, s)
	return s
}

func publishList(list []apiextensionsv1.JSONSchemaProps) []spec.Schema {
	var out []spec.Schema
	for i := range list {
		out = append(out, *publish(&list[i]))
	}
	return out
}

func publishExtensions(p *apiextensionsv1.JSONSchemaProps, s *spec.Schema) {
	if p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields {
		s.AddExtension("x-kubernetes-preserve-unknown-fields", true)
	}
	if p.XListType != nil {
		s.AddExtension("x-kubernetes-list-type", *p.XListType)
	}
	if p.XMapType != nil {
		s.AddExtension("x-kubernetes-map-type", *p.XMapType)
	}
	if len(p.XListMapKeys) > 0 {
		keys := make([]any, len(p.XListMapKeys))
		for i, k := range p.XListMapKeys {
			keys[i] = k
		}
		s.AddExtension("x-kubernetes-list-map-keys", keys)
	}
	if len(p.XValidations) > 0 {
		s.AddExtension("x-kubernetes-validations", p.XValidations)
	}
	if p.XIntOrString {
		s.AddExtension("x-kubernetes-int-or-string", true)
		unfoldIntOrString(s)
	}
	if p.XEmbeddedResource {
		s.AddExtension("x-kubernetes-embedded-resource", true)
		publishEmbedded(s)
	}
}

// unfoldIntOrString spells out what x-kubernetes-int-or-string means, for readers that do not know it.
func unfoldIntOrString(s *spec.Schema) {
	either := []spec.Schema{
		{SchemaProps: spec.SchemaProps{Type: spec.StringOrArray{"integer"}}},
		{SchemaProps: spec.SchemaProps{Type: spec.StringOrArray{"string"}}},
	}
	spelled := func(anyOf []spec.Schema) bool {
		return len(anyOf) == 2 && anyOf[0].Type.Contains("integer") && anyOf[1].Type.Contains("string")
	}
	switch {
	case spelled(s.AnyOf), len(s.AllOf) > 0 && spelled(s.AllOf[0].AnyOf):
	case s.AnyOf == nil:
		s.AnyOf = either
	default:
		s.AllOf = append([]spec.Schema{{SchemaProps: spec.SchemaProps{AnyOf: either}}}, s.AllOf...)
	}
}

func publishEmbedded(s *spec.Schema) {
	const conventions = "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
	s.SetProperty("apiVersion", *spec.StringProperty().WithDescription(
		"apiVersion defines the versioned schema of this representation of an object. " + conventions + "#resources"))
	s.SetProperty("kind", *spec.StringProperty().WithDescription(
		"kind is a string value representing the type of this object. In CamelCase. " + conventions + "#types-kinds"))
	setMetadata(s)
	for _, name := range []string{"kind", "apiVersion"} {
		if !contains(s.Required, name) {
			s.Required = append(s.Required[:len(s.Required):len(s.Required)], name)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
