package schema

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// props shortens the signatures below: the rules are on the schema as written, since a Schema has dropped what
// they forbid.
type props = apiextensionsv1.JSONSchemaProps

// place is where a node stands, as far as the rules tell places apart.
type place int

const (
	root place = iota
	item
	member
)

// ValidateStructural checks that p is a structural schema:
//   - each node has a type, save for int-or-string and preserve-unknown-fields;
//   - what stands under allOf, anyOf, oneOf and not only validates values, and only where the structure outside
//     of them says the same member or item exists;
//   - metadata is restricted at the root only, and there to name and generateName.
//
// Texts, paths and order are kube-apiserver's.
func ValidateStructural(path *field.Path, p *props) field.ErrorList {
	errs := append(structure(path, p, root), completeness(path, path, p, p)...)
	slices.SortFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

func structure(path *field.Path, p *props, at place) field.ErrorList {
	if p == nil {
		return nil
	}
	var errs field.ErrorList
	var child props // declared here, it stays on the stack
	if p.Type == "array" && (p.Items == nil || p.Items.Schema == nil) {
		errs = append(errs, field.Required(path.Child("items"), "must be specified"))
	}
	if p.Items != nil {
		errs = append(errs, structure(path.Child("items"), p.Items.Schema, item)...)
	}
	for name := range p.Properties {
		if child = p.Properties[name]; IsPlain(&child) {
			continue
		}
		errs = append(errs, structure(path.Child("properties").Key(name), &child, member)...)
	}
	if a := p.AdditionalProperties; a != nil {
		if at == root {
			errs = append(errs, field.Forbidden(path.Child("additionalProperties"), "must not be used at the root"))
		}
		errs = append(errs, structure(path.Child("additionalProperties"), a.Schema, member)...)
	}
	errs = append(errs, structureOfNode(path, p, at)...)
	errs = append(errs, values(path, p, isIntOrString(p.AnyOf), len(p.AllOf) > 0 && isIntOrString(p.AllOf[0].AnyOf))...)
	return append(errs, metaMembers(path, p, at)...)
}

// IsPlain says that p is a scalar which no rule about schemas finds fault with, wherever it is a property: most nodes of
// real schemas are. It is asked before anything is done for a node (its path to be told, above all).
func IsPlain(p *props) bool {
	switch p.Type {
	case "string", "integer", "number", "boolean":
	default:
		return false
	}
	return p.Pattern == "" && p.Default == nil && p.ID == "" && p.Schema == "" && p.Ref == nil && !p.UniqueItems &&
		p.Items == nil && p.Properties == nil && p.AdditionalProperties == nil && p.AdditionalItems == nil &&
		p.AllOf == nil && p.AnyOf == nil && p.OneOf == nil && p.Not == nil &&
		p.PatternProperties == nil && p.Definitions == nil && p.Dependencies == nil &&
		p.XPreserveUnknownFields == nil && !p.XEmbeddedResource && !p.XIntOrString &&
		p.XListType == nil && p.XMapType == nil && p.XListMapKeys == nil && p.XValidations == nil
}

// structureOfNode checks p without its children.
func structureOfNode(path *field.Path, p *props, at place) field.ErrorList {
	var errs field.ErrorList
	preserve := preserves(p)
	if p.XIntOrString && preserve {
		errs = append(errs, field.Invalid(path.Child("x-kubernetes-preserve-unknown-fields"), true,
			"must be false if x-kubernetes-int-or-string is true"))
	}
	if p.XIntOrString && p.XEmbeddedResource {
		errs = append(errs, field.Invalid(path.Child("x-kubernetes-embedded-resource"), true,
			"must be false if x-kubernetes-int-or-string is true"))
	}
	typePath := path.Child("type")
	switch {
	case p.XEmbeddedResource && p.Type == "":
		errs = append(errs, field.Required(typePath, "must be object if x-kubernetes-embedded-resource is true"))
	case p.XEmbeddedResource && p.Type != "object":
		errs = append(errs, field.Invalid(typePath, p.Type, "must be object if x-kubernetes-embedded-resource is true"))
	case p.Type == "" && !p.XIntOrString && !preserve:
		errs = append(errs, field.Required(typePath, map[place]string{
			root:   "must not be empty at the root",
			item:   "must not be empty for specified array items",
			member: "must not be empty for specified object fields",
		}[at]))
	}
	if p.XEmbeddedResource && p.AdditionalProperties != nil {
		errs = append(errs, field.Forbidden(path.Child("additionalProperties"),
			"must not be used if x-kubernetes-embedded-resource is set"))
	}
	if at == root && p.Type != "" && p.Type != "object" {
		errs = append(errs, field.Invalid(typePath, p.Type, "must be object at the root"))
	}
	if p.XEmbeddedResource && !preserve && len(p.Properties) == 0 {
		errs = append(errs, field.Required(path.Child("properties"), "must not be empty if "+
			"x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"))
	}
	return errs
}

func preserves(p *props) bool { return p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields }

// metaMembers checks what p says of apiVersion, kind and metadata.
func metaMembers(path *field.Path, p *props, at place) field.ErrorList {
	var errs field.ErrorList
	resource := at == root || p.XEmbeddedResource
	for _, name := range []string{"kind", "apiVersion"} {
		if child, found := p.Properties[name]; found && resource && child.Type != "string" {
			errs = append(errs, field.Invalid(path.Child("properties").Key(name).Child("type"), child.Type,
				"must be string"))
		}
	}
	metadata, found := p.Properties["metadata"]
	if !found {
		return errs
	}
	metadataPath := path.Child("properties").Key("metadata")
	if resource && metadata.Type != "object" {
		errs = append(errs, field.Invalid(metadataPath.Child("type"), metadata.Type, "must be object"))
	}
	if at == root && !restrictsNamesOnly(metadata) {
		errs = append(errs, field.Forbidden(metadataPath,
			"must not specify anything other than name and generateName, but metadata is implicitly specified"))
	}
	return errs
}

func restrictsNamesOnly(metadata props) bool {
	for name := range metadata.Properties {
		if name != "name" && name != "generateName" {
			return false
		}
	}
	metadata.Properties, metadata.Type, metadata.Default = nil, "", nil
	return reflect.DeepEqual(metadata, props{})
}

// isIntOrString recognizes the one use of type that is allowed below anyOf.
func isIntOrString(anyOf []props) bool {
	return len(anyOf) == 2 && reflect.DeepEqual(anyOf, []props{{Type: "integer"}, {Type: "string"}})
}

// values checks the value validations of p. skipAnyOf and skipFirst say that anyOf, or that of the first of
// allOf, is the pattern of int-or-string.
func values(path *field.Path, p *props, skipAnyOf, skipFirst bool) field.ErrorList {
	var errs field.ErrorList
	if !skipAnyOf {
		for i := range p.AnyOf {
			errs = append(errs, nested(path.Child("anyOf").Index(i), &p.AnyOf[i], false)...)
		}
	}
	for i := range p.AllOf {
		errs = append(errs, nested(path.Child("allOf").Index(i), &p.AllOf[i], skipFirst && i == 0)...)
	}
	for i := range p.OneOf {
		errs = append(errs, nested(path.Child("oneOf").Index(i), &p.OneOf[i], false)...)
	}
	errs = append(errs, nested(path.Child("not"), p.Not, false)...)
	if p.Pattern != "" {
		if _, err := regexp.Compile(p.Pattern); err != nil {
			errs = append(errs, field.Invalid(path.Child("pattern"), p.Pattern,
				fmt.Sprintf("must be a valid regular expression, but isn't: %v", err)))
		}
	}
	return errs
}

// nested checks a node under allOf, anyOf, oneOf or not: it must not say anything about structure.
func nested(path *field.Path, p *props, skipAnyOf bool) field.ErrorList {
	if p == nil {
		return nil
	}
	errs := values(path, p, skipAnyOf, false)
	var child props // declared here, it stays on the stack
	if p.Items != nil {
		errs = append(errs, nested(path.Child("items"), p.Items.Schema, false)...)
	}
	for name := range p.Properties {
		child = p.Properties[name]
		errs = append(errs, nested(path.Child("properties").Key(name), &child, false)...)
	}
	for _, rule := range []struct {
		broken        bool
		keyword, text string
	}{
		{p.Type != "", "type", "must be empty"},
		{allowsMore(p), "additionalProperties", "must be undefined"},
		{p.Default != nil && len(p.Default.Raw) > 0, "default", "must be undefined"},
		{p.Title != "", "title", "must be empty"},
		{p.Description != "", "description", "must be empty"},
		{p.Nullable, "nullable", "must be false"},
		{preserves(p), "x-kubernetes-preserve-unknown-fields", "must be false"},
		{p.XEmbeddedResource, "x-kubernetes-embedded-resource", "must be false"},
		{p.XIntOrString, "x-kubernetes-int-or-string", "must be false"},
		{len(p.XListMapKeys) > 0, "x-kubernetes-list-map-keys", "must be empty"},
		{p.XListType != nil, "x-kubernetes-list-type", "must be undefined"},
		{p.XMapType != nil, "x-kubernetes-map-type", "must be undefined"},
		{len(p.XValidations) > 0, "x-kubernetes-validations", "must be empty"},
	} {
		if rule.broken {
			errs = append(errs, field.Forbidden(path.Child(rule.keyword), rule.text+" to be structural"))
		}
	}
	if _, found := p.Properties["metadata"]; found {
		errs = append(errs, field.Forbidden(path.Child("properties").Key("metadata"),
			"must not be specified in a nested context"))
	}
	return errs
}

// allowsMore says whether p has additionalProperties that allow something; false alone is not held against it.
func allowsMore(p *props) bool {
	return p.AdditionalProperties != nil && (p.AdditionalProperties.Schema != nil || p.AdditionalProperties.Allows)
}
