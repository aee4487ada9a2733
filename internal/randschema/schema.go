package randschema

import (
	"encoding/json"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"
)

type props = apiextensionsv1.JSONSchemaProps

// Root is the schema of a kind: spec, often status, sometimes more.
func (s *Source) Root() *props {
	p := &props{Type: "object", Properties: map[string]props{
		"spec": *s.Schema(4),
	}}
	if s.Chance(2) {
		p.Properties["status"] = *s.Schema(3)
	}
	if s.Chance(4) {
		p.Properties["apiVersion"], p.Properties["kind"] = props{Type: "string"}, props{Type: "string"}
		p.Properties["metadata"] = props{Type: "object"}
	}
	for range s.Int(3) {
		if name := s.name(); p.Properties[name].Type == "" && name != "apiVersion" && name != "kind" && name != "metadata" {
			p.Properties[name] = *s.Schema(2)
		}
	}
	p.XPreserveUnknownFields = s.preserve(8)
	s.values(p, 2)
	return p
}

// Schema is a node of a structural schema with at most depth levels of others below it.
func (s *Source) Schema(depth int) *props {
	p := &props{}
	kind := s.Int(16)
	if depth == 0 && kind < 8 {
		kind += 8
	}
	switch kind {
	case 0, 1, 2:
		p.Type = "object"
		p.Properties = map[string]props{}
		for range 1 + s.Int(4) {
			p.Properties[s.name()] = *s.Schema(depth - 1)
		}
		p.XPreserveUnknownFields = s.preserve(8)
	case 3:
		p.Type = "object"
		p.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true}
		if !s.Chance(4) {
			p.AdditionalProperties.Schema = s.Schema(depth - 1)
		}
		p.XPreserveUnknownFields = s.preserve(16)
	case 4, 5, 6:
		s.list(p, depth)
	case 7:
		p.Type, p.XEmbeddedResource = "object", true
		p.XPreserveUnknownFields = s.preserve(2)
		p.Properties = map[string]props{"spec": *s.Schema(depth - 1)}
		if s.Chance(3) {
			p.Properties["metadata"] = props{Type: "object", Properties: map[string]props{"name": *s.Schema(0)}}
		}
	case 8, 9:
		p.Type = "string"
	case 10, 11:
		p.Type = "integer"
	case 12:
		p.Type = "number"
	case 13:
		p.Type = "boolean"
	case 14:
		p.XIntOrString = true
		s.intOrString(p)
	case 15:
		p.XPreserveUnknownFields = ptr.To(true)
		p.Type = pick(s, "", "object")
	}
	p.Nullable = s.Chance(6)
	s.values(p, 2)
	if s.Chance(4) {
		p.Default = raw(s.Matching(p))
	}
	return p
}

func (s *Source) preserve(n int) *bool {
	if s.Chance(n) {
		return ptr.To(true)
	}
	return nil
}

func (s *Source) intOrString(p *props) {
	spelled := []props{{Type: "integer"}, {Type: "string"}}
	switch s.Int(4) {
	case 1:
		p.AnyOf = spelled
	case 2:
		p.AllOf = []props{{AnyOf: spelled}}
	}
}

// list makes p a list; of type map where its items are objects.
func (s *Source) list(p *props, depth int) {
	p.Type = "array"
	item := s.Schema(depth - 1)
	p.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: item}
	p.XPreserveUnknownFields = s.preserve(16)
	switch s.Int(4) {
	case 1:
		p.XListType = ptr.To("set")
	case 2:
		if len(item.Properties) == 0 {
			return
		}
		p.XListType = ptr.To("map")
		names := slices.Sorted(maps.Keys(item.Properties))
		p.XListMapKeys = names[:1]
		if len(names) > 1 && s.Chance(2) {
			p.XListMapKeys = names[:2]
		}
	case 3:
		p.XListType = ptr.To("atomic")
	}
}

func raw(value any) *apiextensionsv1.JSON {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err) // what a Source makes is JSON
	}
	return &apiextensionsv1.JSON{Raw: encoded}
}

// values adds checks of values to p, mostly such as apply to its type.
func (s *Source) values(p *props, depth int) {
	for range s.Int(3) {
		s.check(p)
	}
	if depth == 0 || !s.Chance(4) {
		return
	}
	switch s.Int(4) {
	case 0:
		p.AllOf = append(p.AllOf, s.branches(p, depth-1)...)
	case 1:
		if p.AnyOf == nil {
			p.AnyOf = s.branches(p, depth-1)
		}
	case 2:
		p.OneOf = s.branches(p, depth-1)
	case 3:
		p.Not = ptr.To(s.branch(p, depth-1))
	}
}

func (s *Source) branches(p *props, depth int) (out []props) {
	for range 1 + s.Int(3) {
		out = append(out, s.branch(p, depth))
	}
	return out
}

// branch is a schema under allOf and its like: it checks values of the structure p.
func (s *Source) branch(p *props, depth int) props {
	b := props{Type: p.Type} // steers the choice of checks
	s.values(&b, depth)
	b.Type = ""
	if names := slices.Sorted(maps.Keys(p.Properties)); len(names) > 0 && s.Chance(2) {
		name := pick(s, names...)
		if name != "metadata" {
			b.Properties = map[string]props{name: s.branch(ptr.To(p.Properties[name]), depth)}
		}
	}
	if p.Items != nil && s.Chance(2) {
		b.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: ptr.To(s.branch(p.Items.Schema, depth))}
	}
	return b
}

func (s *Source) check(p *props) {
	kind := p.Type
	if s.Chance(6) {
		kind = pick(s, "string", "integer", "object", "array", "")
	}
	switch kind {
	case "string":
		s.checkText(p)
	case "integer", "number":
		s.checkNumber(p)
	case "object":
		switch s.Int(3) {
		case 0:
			p.Required = []string{s.name()}
			if other := s.name(); other != p.Required[0] && s.Chance(2) {
				p.Required = append(p.Required, other)
			}
		case 1:
			p.MinProperties = ptr.To(int64(s.Int(4)))
		case 2:
			p.MaxProperties = ptr.To(int64(s.Int(4)))
		}
	case "array":
		switch s.Int(2) {
		case 0:
			p.MinItems = ptr.To(int64(s.Int(3)))
		case 1:
			p.MaxItems = ptr.To(int64(s.Int(4)))
		}
	default:
		p.Enum = nil
		for range 1 + s.Int(3) {
			p.Enum = append(p.Enum, *raw(s.Value(1)))
		}
	}
}

func (s *Source) checkText(p *props) {
	switch s.Int(5) {
	case 0:
		p.MinLength = ptr.To(int64(s.Int(4)))
	case 1:
		p.MaxLength = ptr.To(int64(s.Int(4)))
	case 2:
		p.Pattern = pick(s, "^[a-c]*$", "%d", "[0-9]+", "^$", `\.`)
	case 3:
		p.Format = pick(s, "date", "date-time", "datetime", "ipv4", "ipv6", "cidr", "email", "uri", "uuid", "uuid4", "duration", "byte",
			"hexcolor", "rgbcolor", "mac", "isbn", "isbn10", "isbn13", "ssn", "hostname", "password", "creditcard", "bsonobjectid",
			"k8s-short-name", "k8s-long-name", "int32", "unknown", "int64", "float")
	case 4:
		p.Enum = []apiextensionsv1.JSON{*raw(s.text()), *raw(s.text())}
	}
}

func (s *Source) checkNumber(p *props) {
	bound := func() *float64 {
		return ptr.To(pick(s, 0, 1, 2.5, -1, 3, 10, 1e10, 1e19, 1e-3, 1<<31, -1e30))
	}
	switch s.Int(6) {
	case 0:
		p.Minimum, p.ExclusiveMinimum = bound(), s.Chance(3)
	case 1:
		p.Maximum, p.ExclusiveMaximum = bound(), s.Chance(3)
	case 2:
		p.MultipleOf = ptr.To(pick(s, 1.0, 2, 0.5, 0.1, 3, 1e10, 1e19, 0, -1, 2.5))
	case 3:
		p.Format = pick(s, "int32", "int64", "float", "double", "date", "unknown")
	case 4:
		p.Enum = []apiextensionsv1.JSON{*raw(s.number()), *raw(s.number())}
	case 5:
		p.ExclusiveMinimum = true
	}
}
