package validation

import "github.com/santhosh-tekuri/jsonschema/v5"

// logicOf compiles allOf, anyOf, oneOf and not of n; nil where n has none, or none but the spelled-out form of
// int-or-string, which the check of types has decided already.
func logicOf(n *node) *jsonschema.Schema {
	anyOf, allOf := n.anyOf, n.allOf
	if spellsIntOrString(n, anyOf) {
		anyOf = nil
	}
	if len(allOf) == 1 && len(allOf[0].allOf)+len(allOf[0].oneOf) == 0 && spellsIntOrString(n, allOf[0].anyOf) &&
		allOf[0].isAnyOfOnly() {
		allOf = nil
	}
	if len(allOf)+len(anyOf)+len(n.oneOf) == 0 && n.not == nil {
		return nil
	}
	s := emptySchema()
	s.AllOf, s.AnyOf, s.OneOf = branches(allOf), branches(anyOf), branches(n.oneOf)
	if n.not != nil {
		s.Not = branch(n.not)
	}
	return s
}

var intOrString = []string{"integer", "string"}

// spellsIntOrString recognizes anyOf: [{type: integer}, {type: string}] on a node that says so anyway.
func spellsIntOrString(n *node, anyOf []*node) bool {
	if !n.IntOrString || len(anyOf) != 2 {
		return false
	}
	for i, b := range anyOf {
		if b.Type != intOrString[i] || !b.isTypeOnly() {
			return false
		}
	}
	return true
}

func (n *node) isTypeOnly() bool { return len(n.anyOf) == 0 && n.hasNoValues() }
func (n *node) isAnyOfOnly() bool {
	return len(n.types) == 0 && n.hasNoValues()
}

func (n *node) hasNoValues() bool {
	v := n.ValueValidation
	return len(n.properties) == 0 && n.items == nil && n.additional == nil && n.not == nil && n.format == "" &&
		len(v.AllOf)+len(v.OneOf)+len(v.Enum)+len(v.Required) == 0 && v.Pattern == "" &&
		v.Minimum == nil && v.Maximum == nil && v.MultipleOf == nil && v.MinLength == nil && v.MaxLength == nil &&
		v.MinItems == nil && v.MaxItems == nil && v.MinProperties == nil && v.MaxProperties == nil
}

// emptySchema is a schema without keywords; -1 is the library's mark for an absent limit.
func emptySchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		MinProperties: -1, MaxProperties: -1, MinItems: -1, MaxItems: -1, MinLength: -1, MaxLength: -1,
		MinContains: 1, MaxContains: -1,
	}
}

func branches(nodes []*node) (out []*jsonschema.Schema) {
	for _, n := range nodes {
		out = append(out, branch(n))
	}
	return out
}

// branch compiles a node that stands under a logical keyword, or under such a node. A null has nothing to satisfy
// but the type and the enum in Kubernetes' reading, whatever else the schema says.
func branch(n *node) *jsonschema.Schema {
	value := emptySchema()
	value.Extensions = map[string]jsonschema.ExtSchema{"kubernetes": kubernetesValue{n}}
	if len(n.properties)+len(n.Required)+len(n.allOf)+len(n.anyOf)+len(n.oneOf) == 0 &&
		n.items == nil && n.additional == nil && n.not == nil {
		return value
	}
	whole := emptySchema()
	whole.Extensions = value.Extensions
	whole.Required = n.Required
	whole.AllOf, whole.AnyOf, whole.OneOf = branches(n.allOf), branches(n.anyOf), branches(n.oneOf)
	if n.not != nil {
		whole.Not = branch(n.not)
	}
	if len(n.properties) > 0 {
		whole.Properties = make(map[string]*jsonschema.Schema, len(n.properties))
		for name, p := range n.properties {
			whole.Properties[name] = branch(p)
		}
	}
	if n.additional != nil {
		whole.AdditionalProperties = branch(n.additional)
	}
	if n.items != nil {
		whole.Items = branch(n.items)
	}
	null := emptySchema()
	null.Types = []string{"null"}
	either := emptySchema()
	either.If, either.Then, either.Else = null, value, whole
	return either
}

// kubernetesValue is the extension of JSON Schema by which Kubernetes' types, formats, enums and bounds hold
// inside the library: all that a node says of a value without looking into it.
type kubernetesValue struct{ n *node }

// Validate implements jsonschema.ExtSchema.
func (k kubernetesValue) Validate(ctx jsonschema.ValidationContext, value any) error {
	if k.n.checkType(value) != nil || k.n.checkValue(value, nil) {
		return ctx.Error("kubernetes", "not accepted") // the words are explain's
	}
	return nil
}
