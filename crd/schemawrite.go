package crd

import (
	"slices"
	"strconv"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// keyword is one of those that structural schemas have, in the order of their names: that of canonical JSON.
type keyword uint8

const (
	additionalProperties keyword = iota
	allOf
	anyOf
	dflt
	description
	enum
	example
	exclusiveMaximum
	exclusiveMinimum
	format
	items
	maxItems
	maxLength
	maxProperties
	maximum
	minItems
	minLength
	minProperties
	minimum
	multipleOf
	not
	nullable
	oneOf
	pattern
	properties
	required
	title
	typ
	uniqueItems
	embeddedResource
	intOrString
	listMapKeys
	listType
	mapType
	preserveUnknownFields
	validations
	none // no keyword
)

// keywords are the names of the above.
var keywords = [none]string{
	"additionalProperties", "allOf", "anyOf", "default", "description", "enum", "example", "exclusiveMaximum",
	"exclusiveMinimum", "format", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength",
	"minProperties", "minimum", "multipleOf", "not", "nullable", "oneOf", "pattern", "properties", "required", "title",
	"type", "uniqueItems", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys",
	"x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
}

func keywordOf(name string) keyword {
	if at, ok := slices.BinarySearch(keywords[:], name); ok {
		return keyword(at)
	}
	return none
}

// appendSchema appends a schema that readSchema has read, as canonical JSON.
func appendSchema(b []byte, p *apiextensionsv1.JSONSchemaProps) []byte {
	w := schemaWriter{b: append(b, '{')}
	if p.AdditionalProperties != nil {
		w.name(additionalProperties)
		if s := p.AdditionalProperties.Schema; s != nil {
			w.b = appendSchema(w.b, s)
		} else {
			w.b = strconv.AppendBool(w.b, p.AdditionalProperties.Allows)
		}
	}
	w.schemas(allOf, p.AllOf)
	w.schemas(anyOf, p.AnyOf)
	w.json(dflt, p.Default)
	w.string(description, p.Description)
	if len(p.Enum) > 0 {
		w.name(enum)
		w.b = appendList(w.b, p.Enum, func(b []byte, e apiextensionsv1.JSON) []byte { return append(b, e.Raw...) })
	}
	w.json(example, p.Example)
	w.bool(exclusiveMaximum, p.ExclusiveMaximum)
	w.bool(exclusiveMinimum, p.ExclusiveMinimum)
	w.string(format, p.Format)
	if p.Items != nil {
		w.name(items)
		w.b = appendSchema(w.b, p.Items.Schema)
	}
	w.integer(maxItems, p.MaxItems)
	w.integer(maxLength, p.MaxLength)
	w.integer(maxProperties, p.MaxProperties)
	w.number(maximum, p.Maximum)
	w.integer(minItems, p.MinItems)
	w.integer(minLength, p.MinLength)
	w.integer(minProperties, p.MinProperties)
	w.number(minimum, p.Minimum)
	w.number(multipleOf, p.MultipleOf)
	if p.Not != nil {
		w.name(not)
		w.b = appendSchema(w.b, p.Not)
	}
	w.bool(nullable, p.Nullable)
	w.schemas(oneOf, p.OneOf)
	w.string(pattern, p.Pattern)
	w.properties(p.Properties)
	w.strings(required, p.Required)
	w.string(title, p.Title)
	w.string(typ, p.Type)
	w.bool(uniqueItems, p.UniqueItems)
	w.extensions(p)
	return append(w.b, '}')
}

// schemaWriter writes the members of an object that has begun in b; those that say nothing are left out.
type schemaWriter struct{ b []byte }

func (w *schemaWriter) extensions(p *apiextensionsv1.JSONSchemaProps) {
	w.bool(embeddedResource, p.XEmbeddedResource)
	w.bool(intOrString, p.XIntOrString)
	w.strings(listMapKeys, p.XListMapKeys)
	if p.XListType != nil {
		w.name(listType)
		w.b = resource.AppendString(w.b, *p.XListType)
	}
	if p.XMapType != nil {
		w.name(mapType)
		w.b = resource.AppendString(w.b, *p.XMapType)
	}
	if p.XPreserveUnknownFields != nil {
		w.name(preserveUnknownFields)
		w.b = strconv.AppendBool(w.b, *p.XPreserveUnknownFields)
	}
	if len(p.XValidations) > 0 {
		w.name(validations)
		w.b = appendList(w.b, p.XValidations, appendRule)
	}
}

func (w *schemaWriter) name(k keyword) { w.text(keywords[k]) }

// text begins a member with a name that needs no escapes.
func (w *schemaWriter) text(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *schemaWriter) string(k keyword, s string) {
	if s != "" {
		w.name(k)
		w.b = resource.AppendString(w.b, s)
	}
}

func (w *schemaWriter) bool(k keyword, v bool) {
	if v {
		w.name(k)
		w.b = append(w.b, "true"...)
	}
}

func (w *schemaWriter) integer(k keyword, n *int64) {
	if n != nil {
		w.name(k)
		w.b = strconv.AppendInt(w.b, *n, 10)
	}
}

func (w *schemaWriter) number(k keyword, f *float64) {
	if f == nil {
		return
	}
	w.name(k)
	if i := int64(*f); float64(i) == *f { // no further than readSchema goes, where both are exact
		w.b = strconv.AppendInt(w.b, i, 10)
		return
	}
	w.b, _ = resource.AppendValue(w.b, *f) // it was read from JSON, and so can be written
}

func (w *schemaWriter) json(k keyword, v *apiextensionsv1.JSON) {
	if v != nil {
		w.name(k)
		w.b = append(w.b, v.Raw...)
	}
}

func (w *schemaWriter) strings(k keyword, l []string) {
	if len(l) > 0 {
		w.name(k)
		w.b = appendList(w.b, l, resource.AppendString)
	}
}

func (w *schemaWriter) schemas(k keyword, l []apiextensionsv1.JSONSchemaProps) {
	if len(l) == 0 {
		return
	}
	w.name(k)
	w.b = append(w.b, '[')
	for i := range l {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = appendSchema(w.b, &l[i])
	}
	w.b = append(w.b, ']')
}

func (w *schemaWriter) properties(m map[string]apiextensionsv1.JSONSchemaProps) {
	if len(m) == 0 {
		return
	}
	var few [32]string
	names := few[:0]
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	w.name(properties)
	w.b = append(w.b, '{')
	for i, name := range names {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(resource.AppendString(w.b, name), ':')
		member := m[name]
		w.b = appendSchema(w.b, &member)
	}
	w.b = append(w.b, '}')
}

func appendList[T any](b []byte, l []T, each func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range l {
		if i > 0 {
			b = append(b, ',')
		}
		b = each(b, v)
	}
	return append(b, ']')
}

func appendRule(b []byte, r apiextensionsv1.ValidationRule) []byte {
	w := schemaWriter{b: append(b, '{')}
	member := func(name, value string, always bool) {
		if value != "" || always {
			w.text(name)
			w.b = resource.AppendString(w.b, value)
		}
	}
	member("fieldPath", r.FieldPath, false)
	member("message", r.Message, false)
	member("messageExpression", r.MessageExpression, false)
	if r.OptionalOldSelf != nil {
		w.text("optionalOldSelf")
		w.b = strconv.AppendBool(w.b, *r.OptionalOldSelf)
	}
	if r.Reason != nil {
		member("reason", string(*r.Reason), true)
	}
	member("rule", r.Rule, true)
	return append(w.b, '}')
}
