package rules

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// openAPITypes are the types that a schema may name.
func openAPITypes() []string {
	return []string{"array", "boolean", "integer", "number", "object", "string"}
}

// walker checks the keywords of a schema, node by node: at every place, structure or not.
type walker struct {
	*requirements
}

// node is what a node must know of where it stands.
type node struct {
	root         bool
	noDefault    string // why it may have no default; "": it may
	insideMeta   bool   // in apiVersion, kind or metadata of a resource
	uncorrelated *field.Path
}

// node checks p and everything inside it.
func (w *walker) node(path *field.Path, p *props, n node) field.ErrorList {
	if p == nil {
		return nil
	}
	errs := w.keywords(path, p, n)
	if p.UniqueItems {
		errs = append(errs, field.Forbidden(path.Child("uniqueItems"), "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"))
	}
	errs = append(errs, w.children(path, p, n)...)
	if x := p.XPreserveUnknownFields; x != nil && !*x {
		errs = append(errs, field.Invalid(path.Child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined"))
	}
	errs = append(errs, w.topology(path, p)...)
	return append(errs, validateExpressions(path, p)...)
}

// keywords refuses what OpenAPI has and Kubernetes has not.
func (w *walker) keywords(path *field.Path, p *props, n node) field.ErrorList {
	var errs field.ErrorList
	if w.knownTypes && p.Type != "" && !slices.Contains(openAPITypes(), p.Type) {
		errs = append(errs, field.NotSupported(path.Child("type"), p.Type, openAPITypes()))
	}
	if p.Default != nil && n.noDefault != "" {
		errs = append(errs, field.Forbidden(path.Child("default"), "must not be set "+n.noDefault))
	}
	for _, k := range []struct {
		used bool
		name string
	}{
		{p.ID != "", "id"},
		{p.AdditionalItems != nil, "additionalItems"},
		{len(p.PatternProperties) > 0, "patternProperties"},
		{len(p.Definitions) > 0, "definitions"},
		{p.Dependencies != nil, "dependencies"},
		{p.Ref != nil, "$ref"},
	} {
		if k.used {
			errs = append(errs, field.Forbidden(path.Child(k.name), k.name+" is not supported"))
		}
	}
	if p.Type == "null" {
		errs = append(errs, field.Forbidden(path.Child("type"), "type cannot be set to null, use nullable as an alternative"))
	}
	if p.Items != nil && len(p.Items.JSONSchemas) > 0 {
		errs = append(errs, field.Forbidden(path.Child("items"), "items must be a schema object and not an array"))
	}
	if n.insideMeta && p.XEmbeddedResource {
		errs = append(errs, field.Forbidden(path.Child("x-kubernetes-embedded-resource"), "must not be used inside of resource meta"))
	}
	return errs
}

// children checks the schemas inside p.
func (w *walker) children(path *field.Path, p *props, n node) field.ErrorList {
	errs := w.members(path, p, n)
	var child props // declared here, it stays on the stack
	n.root = false
	errs = append(errs, w.node(path.Child("not"), p.Not, n)...)
	for _, branch := range []struct {
		name string
		list []props
	}{{"allOf", p.AllOf}, {"oneOf", p.OneOf}, {"anyOf", p.AnyOf}} {
		for i := range branch.list {
			errs = append(errs, w.node(path.Child(branch.name).Index(i), &branch.list[i], n)...)
		}
	}
	for _, name := range sortedKeys(p.Definitions) {
		child = p.Definitions[name]
		errs = append(errs, w.node(path.Child("definitions").Key(name), &child, n)...)
	}
	if p.Items != nil {
		items := n
		if listType(p) != "map" { // the items of others have no identity over time
			items.uncorrelated = firstOf(n.uncorrelated, path)
		}
		errs = append(errs, w.node(path.Child("items"), p.Items.Schema, items)...)
		for i := range p.Items.JSONSchemas {
			errs = append(errs, w.node(path.Child("items").Index(i), &p.Items.JSONSchemas[i], items)...)
		}
	}
	for _, name := range sortedKeys(p.Dependencies) {
		errs = append(errs, w.node(path.Child("dependencies").Key(name), p.Dependencies[name].Schema, n)...)
	}
	return errs
}

// members checks properties and additionalProperties, of which a node has one: those that are not specified are pruned.
func (w *walker) members(path *field.Path, p *props, n node) field.ErrorList {
	var errs field.ErrorList
	var child props // declared here, it stays on the stack
	if a := p.AdditionalProperties; a != nil {
		if len(p.Properties) > 0 && (!a.Allows || a.Schema != nil) {
			errs = append(errs, field.Forbidden(path.Child("additionalProperties"), "additionalProperties and properties are mutual exclusive"))
		}
		additional := n
		additional.root = false
		if n.insideMeta {
			additional.noDefault = "inside additionalProperties applying to object metadata"
		}
		errs = append(errs, w.node(path.Child("additionalProperties"), a.Schema, additional)...)
	}
	for _, name := range sortedKeys(p.Properties) {
		if child = p.Properties[name]; schema.IsPlain(&child) {
			continue
		}
		member := n
		member.root = false
		if p.XMapType != nil && *p.XMapType != "granular" {
			member.uncorrelated = firstOf(n.uncorrelated, path)
		}
		if (n.root || p.XEmbeddedResource) && isMeta(name) {
			member.insideMeta = true
			if n.root {
				member.noDefault = fmt.Sprintf("in top-level %s", name)
			}
		}
		errs = append(errs, w.node(path.Child("properties").Key(name), &child, member)...)
	}
	return errs
}

func isMeta(name string) bool { return name == "apiVersion" || name == "kind" || name == "metadata" }

func firstOf(a, b *field.Path) *field.Path {
	if a != nil {
		return a
	}
	return b
}
