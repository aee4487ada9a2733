// Package schema holds structural schemas: the part of OpenAPI v3 that a CustomResourceDefinition may use, with
// Kubernetes' extensions, in a form that makes each algorithm on it a short recursion. It converts the schemas of
// apiextensions.k8s.io/v1, checks that they are structural, prunes and defaults objects by them, and publishes
// them. What a value must satisfy beyond its shape is checked by package validation.
package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// Schema is one node of a structural schema, or of the value validations under allOf, anyOf, oneOf and not, which
// have the same fields. It is immutable once New has returned it and shared by all who use it.
type Schema struct {
	Type     string // "" where x-kubernetes-int-or-string or -preserve-unknown-fields allow that
	Nullable bool
	Default  any // nil: no default. Shared: copy before handing it out.

	Properties map[string]*Schema
	// Additional is the schema of all members that Properties does not name. AnyAdditional stands for
	// "additionalProperties: true": they are kept and their content is pruned away, as Kubernetes does.
	Additional    *Schema
	AnyAdditional bool
	Items         *Schema

	Extensions
	ValueValidation

	embedsBelow bool     // see embeds
	unique      bool     // see HasUnique
	fillsBelow  bool     // see fills
	defaulted   []string // the properties with defaults
}

// Extensions are Kubernetes' x-kubernetes-... keywords, described at apiextensionsv1.JSONSchemaProps.
type Extensions struct {
	PreserveUnknown bool
	Embedded        bool // an embedded resource, with apiVersion, kind and metadata of its own
	IntOrString     bool
	ListType        string // "", "atomic", "set" or "map"
	ListMapKeys     []string
	MapType         string // "", "granular" or "atomic"
	Rules           apiextensionsv1.ValidationRules
}

// ValueValidation are the keywords that say which values of the right shape are accepted.
type ValueValidation struct {
	Format                             string
	Pattern                            string
	Minimum, Maximum, MultipleOf       *float64
	ExclusiveMinimum, ExclusiveMaximum bool
	MinLength, MaxLength               *int64
	MinItems, MaxItems                 *int64
	MinProperties, MaxProperties       *int64
	UniqueItems                        bool
	Required                           []string
	Enum                               []any
	AllOf, AnyOf, OneOf                []*Schema
	Not                                *Schema
}

// ErrUnsupported says that a schema uses a keyword that no structural schema may have.
var ErrUnsupported = errors.New("not supported in a structural schema")

// unsupported names the first keyword of p that NewStructural of Kubernetes refuses to convert, with its text.
func unsupported(p *apiextensionsv1.JSONSchemaProps) error {
	refuse := func(keyword string) error { return &unsupportedError{keyword} }
	switch {
	case p.ID != "":
		return refuse("id")
	case p.Schema != "":
		return refuse("schema")
	case p.Ref != nil && *p.Ref != "":
		return refuse("$ref")
	case len(p.PatternProperties) > 0:
		return refuse("patternProperties")
	case len(p.Dependencies) > 0:
		return refuse("dependencies")
	case p.AdditionalItems != nil:
		return refuse("additionalItems")
	case len(p.Definitions) > 0:
		return refuse("definitions")
	}
	return nil
}

type unsupportedError struct{ keyword string }

func (e *unsupportedError) Error() string {
	return fmt.Sprintf("OpenAPIV3Schema '%s' is not supported", e.keyword)
}

func (e *unsupportedError) Is(target error) bool { return target == ErrUnsupported }

// New converts the schema of a version of a CustomResourceDefinition. Errors (errors.Is ErrUnsupported among
// them) are in kube-apiserver's words; a schema that the server accepted has none.
func New(p *apiextensionsv1.JSONSchemaProps) (*Schema, error) {
	if p == nil {
		return nil, nil
	}
	if err := unsupported(p); err != nil {
		return nil, err
	}
	s := &Schema{Type: p.Type, Nullable: p.Nullable}
	var err error
	var child apiextensionsv1.JSONSchemaProps // declared here, it stays on the stack
	if s.Extensions, err = newExtensions(p); err != nil {
		return nil, err
	}
	if s.Default, err = decode(p.Default); err != nil {
		return nil, err
	}
	if s.ValueValidation, err = newValueValidation(p); err != nil {
		return nil, err
	}
	if p.Items != nil {
		if len(p.Items.JSONSchemas) > 0 {
			return nil, errors.New("OpenAPIV3Schema 'items' must be a schema, but is an array")
		}
		if s.Items, err = New(p.Items.Schema); err != nil {
			return nil, err
		}
	}
	if a := p.AdditionalProperties; a != nil {
		if s.Additional, err = New(a.Schema); err != nil {
			return nil, err
		}
		// "additionalProperties: false" keeps members as well, because a structural schema prunes and never
		// refuses; so does true, and neither says anything of their content.
		s.AnyAdditional = a.Schema == nil
	}
	if len(p.Properties) > 0 {
		s.Properties = make(map[string]*Schema, len(p.Properties))
		for name := range p.Properties {
			child = p.Properties[name]
			if s.Properties[name], err = New(&child); err != nil {
				return nil, err
			}
		}
	}
	s.note()
	return s, nil
}

func newExtensions(p *apiextensionsv1.JSONSchemaProps) (Extensions, error) {
	x := Extensions{
		Embedded:    p.XEmbeddedResource,
		IntOrString: p.XIntOrString,
		ListMapKeys: p.XListMapKeys,
		Rules:       p.XValidations,
	}
	if p.XListType != nil {
		x.ListType = *p.XListType
	}
	if p.XMapType != nil {
		x.MapType = *p.XMapType
	}
	if p.XPreserveUnknownFields != nil {
		if !*p.XPreserveUnknownFields {
			return x, errors.New("internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined")
		}
		x.PreserveUnknown = true
	}
	return x, nil
}

func newValueValidation(p *apiextensionsv1.JSONSchemaProps) (ValueValidation, error) {
	v := ValueValidation{
		Format: p.Format, Pattern: p.Pattern,
		Minimum: p.Minimum, Maximum: p.Maximum, MultipleOf: p.MultipleOf,
		ExclusiveMinimum: p.ExclusiveMinimum, ExclusiveMaximum: p.ExclusiveMaximum,
		MinLength: p.MinLength, MaxLength: p.MaxLength,
		MinItems: p.MinItems, MaxItems: p.MaxItems,
		MinProperties: p.MinProperties, MaxProperties: p.MaxProperties,
		UniqueItems: p.UniqueItems, Required: p.Required,
	}
	for i := range p.Enum {
		value, err := decode(&p.Enum[i])
		if err != nil {
			return v, err
		}
		v.Enum = append(v.Enum, value)
	}
	var err error
	if v.AllOf, err = newList(p.AllOf); err != nil {
		return v, err
	}
	if v.AnyOf, err = newList(p.AnyOf); err != nil {
		return v, err
	}
	if v.OneOf, err = newList(p.OneOf); err != nil {
		return v, err
	}
	v.Not, err = New(p.Not)
	return v, err
}

func newList(props []apiextensionsv1.JSONSchemaProps) ([]*Schema, error) {
	var out []*Schema
	for i := range props {
		s, err := New(&props[i])
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// decode turns raw JSON into the value shapes of resource.Object (int64, not json.Number).
func decode(raw *apiextensionsv1.JSON) (any, error) {
	if raw == nil || len(raw.Raw) == 0 {
		return nil, nil
	}
	var value any
	if err := utiljson.Unmarshal(raw.Raw, &value); err != nil {
		return nil, err
	}
	return value, nil
}

// Parse is New on encoded JSON, for schemas that are kept encoded until someone needs them.
func Parse(raw []byte) (*Schema, error) {
	var p apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, err
	}
	return New(&p)
}

// HasRules says whether s or a node below it carries CEL rules that apply to objects (those under allOf and its
// like are not evaluated).
func (s *Schema) HasRules() bool {
	if s == nil {
		return false
	}
	if len(s.Rules) > 0 || s.Items.HasRules() || s.Additional.HasRules() {
		return true
	}
	for _, p := range s.Properties {
		if p.HasRules() {
			return true
		}
	}
	return false
}

// HasUnique says whether s or a node below it is a list of type set or map.
func (s *Schema) HasUnique() bool { return s != nil && s.unique }

// note records for embeds, fills and HasUnique what New knows once all children are there, so that objects of the
// many kinds without such nodes are not walked.
func (s *Schema) note() {
	s.embedsBelow, s.fillsBelow, s.defaulted = false, false, nil
	s.unique = s.ListType == "set" || s.ListType == "map"
	below := func(c *Schema) {
		s.embedsBelow = s.embedsBelow || c.embeds()
		s.fillsBelow = s.fillsBelow || c != nil && (c.fillsBelow || c.Default != nil)
		s.unique = s.unique || c.HasUnique()
	}
	below(s.Items)
	below(s.Additional)
	for name, p := range s.Properties {
		below(p)
		if p.Default != nil {
			s.defaulted = append(s.defaulted, name)
		}
	}
	slices.Sort(s.defaulted)
}

// Root returns s as the schema of a whole resource: one whose apiVersion, kind and metadata are the server's own.
// s itself is not changed. Nil stands for the empty schema.
func (s *Schema) Root() *Schema {
	if s == nil {
		return &Schema{Extensions: Extensions{Embedded: true}}
	}
	if s.Embedded {
		return s
	}
	root := *s
	root.Embedded = true
	return &root
}

// child returns the schema of an object's member: a property's, or that of additionalProperties. kept says
// whether the member is specified at all.
func (s *Schema) child(name string) (c *Schema, kept bool) {
	if s == nil {
		return nil, false
	}
	if c, ok := s.Properties[name]; ok {
		return c, true
	}
	return s.Additional, s.Additional != nil || s.AnyAdditional
}
