package crd

import (
	"math"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// readProps reads a decoded schema m into p, and brings m into the form that encoding p would give it: without the
// zero values that the Go type leaves out. It returns false, and has done nothing but that, where m is not as schemas
// usually are (unknown members, nulls, wrong types, keywords that no structural schema has): decoding it the long way
// tells then what is wrong with it. TestReadProps checks that both ways end at the same place.
func readProps(m map[string]any, p *apiextensionsv1.JSONSchemaProps) bool {
	r := propsReader{ok: true}
	r.props(m, p)
	return r.ok
}

// propsReader is one reading; ok turns false at the first thing that is unusual.
type propsReader struct{ ok bool }

func (r *propsReader) props(m map[string]any, p *apiextensionsv1.JSONSchemaProps) {
	for name, v := range m {
		if !r.ok {
			return
		}
		if v == nil || !r.keyword(m, name, v, p) {
			r.ok = false
			return
		}
	}
}

// keyword reads one member, and removes it from m where it says nothing. It returns false for those that it does not
// know.
func (r *propsReader) keyword(m map[string]any, name string, v any, p *apiextensionsv1.JSONSchemaProps) bool {
	if r.text(m, name, v, p) || r.flag(m, name, v, p) || r.limit(name, v, p) {
		return true
	}
	switch name {
	case "default":
		p.Default = r.json(v)
	case "example":
		p.Example = r.json(v)
	case "enum":
		for _, e := range r.list(m, name, v) {
			p.Enum = append(p.Enum, *r.json(e))
		}
	case "required":
		p.Required = r.texts(m, name, v)
	case "x-kubernetes-list-map-keys":
		p.XListMapKeys = r.texts(m, name, v)
	case "x-kubernetes-validations":
		p.XValidations = r.rules(m, name, v)
	case "items":
		p.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: r.schema(v)}
	case "not":
		p.Not = r.schema(v)
	case "additionalProperties":
		p.AdditionalProperties = r.schemaOrBool(v)
	case "properties":
		p.Properties = r.members(m, name, v)
	case "allOf":
		p.AllOf = r.schemas(m, name, v)
	case "anyOf":
		p.AnyOf = r.schemas(m, name, v)
	case "oneOf":
		p.OneOf = r.schemas(m, name, v)
	default:
		return false
	}
	return true
}

func (r *propsReader) text(m map[string]any, name string, v any, p *apiextensionsv1.JSONSchemaProps) bool {
	var to *string
	switch name {
	case "description":
		to = &p.Description
	case "type":
		to = &p.Type
	case "format":
		to = &p.Format
	case "title":
		to = &p.Title
	case "pattern":
		to = &p.Pattern
	case "x-kubernetes-list-type":
		to = new(string)
		p.XListType = to
	case "x-kubernetes-map-type":
		to = new(string)
		p.XMapType = to
	default:
		return false
	}
	s, ok := v.(string)
	r.ok = r.ok && ok
	*to = s
	if ok && s == "" && name[0] != 'x' { // a pointer is kept whatever it points to
		delete(m, name)
	}
	return true
}

func (r *propsReader) flag(m map[string]any, name string, v any, p *apiextensionsv1.JSONSchemaProps) bool {
	var to *bool
	switch name {
	case "exclusiveMaximum":
		to = &p.ExclusiveMaximum
	case "exclusiveMinimum":
		to = &p.ExclusiveMinimum
	case "uniqueItems":
		to = &p.UniqueItems
	case "nullable":
		to = &p.Nullable
	case "x-kubernetes-embedded-resource":
		to = &p.XEmbeddedResource
	case "x-kubernetes-int-or-string":
		to = &p.XIntOrString
	case "x-kubernetes-preserve-unknown-fields":
		to = new(bool)
		p.XPreserveUnknownFields = to
	default:
		return false
	}
	b, ok := v.(bool)
	r.ok = r.ok && ok
	*to = b
	if ok && !b && name != "x-kubernetes-preserve-unknown-fields" {
		delete(m, name)
	}
	return true
}

func (r *propsReader) limit(name string, v any, p *apiextensionsv1.JSONSchemaProps) bool {
	switch name {
	case "maxLength":
		p.MaxLength = r.integer(v)
	case "minLength":
		p.MinLength = r.integer(v)
	case "maxItems":
		p.MaxItems = r.integer(v)
	case "minItems":
		p.MinItems = r.integer(v)
	case "maxProperties":
		p.MaxProperties = r.integer(v)
	case "minProperties":
		p.MinProperties = r.integer(v)
	case "maximum":
		p.Maximum = r.number(v)
	case "minimum":
		p.Minimum = r.number(v)
	case "multipleOf":
		p.MultipleOf = r.number(v)
	default:
		return false
	}
	return true
}

func (r *propsReader) integer(v any) *int64 {
	i, ok := v.(int64)
	r.ok = r.ok && ok
	return &i
}

// exact is the largest integer up to which all have a float64 of their own.
const exact = 1 << 53

func (r *propsReader) number(v any) *float64 {
	var f float64
	switch v := v.(type) {
	case int64:
		f = float64(v)
		r.ok = r.ok && v >= -exact && v <= exact
	case float64:
		f = v
		r.ok = r.ok && f != math.Trunc(f) // one without a fraction is written as an integer
	default:
		r.ok = false
	}
	return &f
}

func (r *propsReader) json(v any) *apiextensionsv1.JSON {
	raw, err := resource.AppendValue(nil, v)
	r.ok = r.ok && err == nil
	return &apiextensionsv1.JSON{Raw: raw}
}

// list reads a list, and removes it from m where it is empty.
func (r *propsReader) list(m map[string]any, name string, v any) []any {
	l, ok := v.([]any)
	r.ok = r.ok && ok
	if ok && len(l) == 0 {
		delete(m, name)
	}
	return l
}

func (r *propsReader) texts(m map[string]any, name string, v any) []string {
	var out []string
	for _, e := range r.list(m, name, v) {
		s, ok := e.(string)
		r.ok = r.ok && ok
		out = append(out, s)
	}
	return out
}

func (r *propsReader) schema(v any) *apiextensionsv1.JSONSchemaProps {
	p := &apiextensionsv1.JSONSchemaProps{}
	m, ok := v.(map[string]any)
	if !ok {
		r.ok = false
		return p
	}
	r.props(m, p)
	return p
}

func (r *propsReader) schemas(m map[string]any, name string, v any) []apiextensionsv1.JSONSchemaProps {
	l := r.list(m, name, v)
	if len(l) == 0 {
		return nil
	}
	out := make([]apiextensionsv1.JSONSchemaProps, len(l))
	for i, e := range l {
		out[i] = *r.schema(e)
	}
	return out
}

func (r *propsReader) schemaOrBool(v any) *apiextensionsv1.JSONSchemaPropsOrBool {
	if b, ok := v.(bool); ok {
		return &apiextensionsv1.JSONSchemaPropsOrBool{Allows: b}
	}
	return &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true, Schema: r.schema(v)}
}

func (r *propsReader) members(m map[string]any, name string, v any) map[string]apiextensionsv1.JSONSchemaProps {
	members, ok := v.(map[string]any)
	r.ok = r.ok && ok
	if len(members) == 0 {
		if ok {
			delete(m, name)
		}
		return nil
	}
	out := make(map[string]apiextensionsv1.JSONSchemaProps, len(members))
	for name, member := range members {
		out[name] = *r.schema(member)
	}
	return out
}

func (r *propsReader) rules(m map[string]any, name string, v any) apiextensionsv1.ValidationRules {
	var out apiextensionsv1.ValidationRules
	for _, e := range r.list(m, name, v) {
		rule, ok := e.(map[string]any)
		if !ok {
			r.ok = false
			return nil
		}
		out = append(out, r.rule(rule))
	}
	return out
}

func (r *propsReader) rule(m map[string]any) (out apiextensionsv1.ValidationRule) {
	if _, ok := m["rule"]; !ok {
		r.ok = false // it would be written as empty
	}
	for name, v := range m {
		if name == "optionalOldSelf" {
			b, ok := v.(bool)
			r.ok = r.ok && ok
			out.OptionalOldSelf = &b
			continue
		}
		s, ok := v.(string)
		r.ok = r.ok && ok
		empty := s == ""
		switch name {
		case "rule":
			out.Rule, empty = s, false
		case "message":
			out.Message = s
		case "messageExpression":
			out.MessageExpression = s
		case "fieldPath":
			out.FieldPath = s
		case "reason":
			reason := apiextensionsv1.FieldValueErrorReason(s)
			out.Reason, empty = &reason, false
		default:
			r.ok = false
		}
		if empty && r.ok {
			delete(m, name)
		}
	}
	return out
}
