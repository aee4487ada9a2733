package crd

import (
	"bytes"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// readSchema reads an encoded schema that stands at depth in its CustomResourceDefinition. It returns false where the
// schema is not as they usually are (unknown members, the same one twice, nulls, wrong types, keywords that no structural
// schema has, bytes that are no JSON): decoding it the long way tells then what is wrong with it. TestReadProps checks
// that both ways end at the same place.
func readSchema(raw []byte, depth int) (*apiextensionsv1.JSONSchemaProps, *kindSize, bool) {
	r := schemaReader{b: raw, s: string(raw), size: &kindSize{}}
	p := &apiextensionsv1.JSONSchemaProps{}
	r.space()
	r.schema(p, depth, 1)
	r.space()
	return p, r.size, !r.bad && r.i == len(r.s)
}

// schemaReader is a position in encoded JSON, and the size of what was read. Where bad is set, all that was read means
// nothing.
type schemaReader struct {
	b    []byte
	s    string // the same; what is read shares its memory
	i    int
	bad  bool
	size *kindSize
}

// schema reads the object that begins here, which is read that many times by the decoder of Go types.
func (r *schemaReader) schema(p *apiextensionsv1.JSONSchemaProps, depth, times int) {
	r.size.depth = max(r.size.depth, depth+deepestPlain)
	r.size.objects++
	seen := uint64(0)
	r.members(func(name string) {
		r.size.work += len(name) * times
		k := keywordOf(name)
		if k == none || seen&(1<<k) != 0 {
			r.bad = true
			return
		}
		seen |= 1 << k
		from := r.i
		switch k {
		case items, additionalProperties:
			r.deeper(k, p, depth+1, times+1)
			return
		case not, properties, allOf, anyOf, oneOf:
			r.deeper(k, p, depth+1, times)
			return
		}
		text := r.at() == '"'
		r.plain(k, p)
		if text {
			r.size.work += (r.i - from) * times
		} else {
			r.size.work += (r.i - from) * costOfScalar * times
		}
	})
}

// The size of what is no schema is estimated, and not too low: see kindSize, which counts exactly.
const (
	deepestPlain = 3 // a rule: list, object, member
	costOfScalar = 8
)

// deeper reads the keywords in which there are schemas.
func (r *schemaReader) deeper(k keyword, p *apiextensionsv1.JSONSchemaProps, depth, times int) {
	switch k {
	case items:
		p.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{}}
		r.schema(p.Items.Schema, depth, times)
	case not:
		p.Not = &apiextensionsv1.JSONSchemaProps{}
		r.schema(p.Not, depth, times)
	case additionalProperties:
		p.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true}
		if r.at() != '{' {
			p.AdditionalProperties.Allows = r.bool()
			r.size.work += costOfScalar * times
			return
		}
		p.AdditionalProperties.Schema = &apiextensionsv1.JSONSchemaProps{}
		r.schema(p.AdditionalProperties.Schema, depth, times)
	case properties:
		r.size.objects++
		r.members(func(name string) {
			r.size.work += len(name) * times
			if p.Properties == nil {
				p.Properties = map[string]apiextensionsv1.JSONSchemaProps{}
			}
			var member apiextensionsv1.JSONSchemaProps
			r.schema(&member, depth+1, times)
			before := len(p.Properties)
			p.Properties[name] = member
			r.bad = r.bad || len(p.Properties) == before // twice
		})
	case allOf:
		p.AllOf = r.schemas(depth, times)
	case anyOf:
		p.AnyOf = r.schemas(depth, times)
	case oneOf:
		p.OneOf = r.schemas(depth, times)
	}
}

func (r *schemaReader) schemas(depth, times int) (out []apiextensionsv1.JSONSchemaProps) {
	r.elements(func() {
		out = append(out, apiextensionsv1.JSONSchemaProps{})
		r.schema(&out[len(out)-1], depth+1, times)
	})
	return out
}

// plain reads the keywords in which there are none.
func (r *schemaReader) plain(k keyword, p *apiextensionsv1.JSONSchemaProps) {
	switch k {
	case description:
		p.Description = r.string()
	case typ:
		p.Type = r.string()
	case format:
		p.Format = r.string()
	case title:
		p.Title = r.string()
	case pattern:
		p.Pattern = r.string()
		r.size.patterns = append(r.size.patterns, p.Pattern)
	case listType:
		p.XListType = ptr(r.string())
	case mapType:
		p.XMapType = ptr(r.string())
	case exclusiveMaximum:
		p.ExclusiveMaximum = r.bool()
	case exclusiveMinimum:
		p.ExclusiveMinimum = r.bool()
	case uniqueItems:
		p.UniqueItems = r.bool()
	case nullable:
		p.Nullable = r.bool()
	case embeddedResource:
		p.XEmbeddedResource = r.bool()
	case intOrString:
		p.XIntOrString = r.bool()
	case preserveUnknownFields:
		p.XPreserveUnknownFields = ptr(r.bool())
	case maxLength:
		p.MaxLength = r.integer()
	case minLength:
		p.MinLength = r.integer()
	case maxItems:
		p.MaxItems = r.integer()
	case minItems:
		p.MinItems = r.integer()
	case maxProperties:
		p.MaxProperties = r.integer()
	case minProperties:
		p.MinProperties = r.integer()
	case maximum:
		p.Maximum = r.number()
	case minimum:
		p.Minimum = r.number()
	case multipleOf:
		p.MultipleOf = r.number()
	case dflt:
		r.bad = r.bad || r.at() == 'n' // null is as good as none
		p.Default = ptr(r.json())
	case example:
		r.bad = r.bad || r.at() == 'n'
		p.Example = ptr(r.json())
	case enum:
		r.elements(func() { p.Enum = append(p.Enum, r.json()) })
	case required:
		p.Required = r.strings()
	case listMapKeys:
		p.XListMapKeys = r.strings()
	case validations:
		r.elements(func() { p.XValidations = append(p.XValidations, r.rule()) })
	}
}

func (r *schemaReader) rule() (out apiextensionsv1.ValidationRule) {
	seen := map[string]bool{}
	r.size.objects++
	r.members(func(name string) {
		r.bad = r.bad || seen[name]
		seen[name] = true
		switch name {
		case "rule":
			out.Rule = r.string()
		case "message":
			out.Message = r.string()
		case "messageExpression":
			out.MessageExpression = r.string()
		case "fieldPath":
			out.FieldPath = r.string()
		case "reason":
			out.Reason = ptr(apiextensionsv1.FieldValueErrorReason(r.string()))
		case "optionalOldSelf":
			out.OptionalOldSelf = ptr(r.bool())
		default:
			r.bad = true
		}
	})
	r.bad = r.bad || !seen["rule"] // it would be written as empty
	return out
}

func ptr[T any](v T) *T { return &v }

// readProps is readSchema for a decoded schema, which it brings into the form that encoding it gives: without the zero
// values that the Go type leaves out. Where it returns false, m is as it was.
func readProps(m map[string]any) (*apiextensionsv1.JSONSchemaProps, bool) {
	raw, err := resource.Encode(m)
	if err != nil {
		return nil, false
	}
	p, _, ok := readSchema(raw, 0)
	if !ok {
		return nil, false
	}
	normal := appendSchema(make([]byte, 0, len(raw)), p)
	if bytes.Equal(raw, normal) {
		return p, true
	}
	decoded, err := resource.Decode(normal)
	if err != nil {
		return nil, false
	}
	clear(m)
	for name, value := range decoded {
		m[name] = value
	}
	return p, true
}
