package diff

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type props = apiextensionsv1.JSONSchemaProps

const (
	ratcheted = "; stored objects stay as they are as long as the value is not changed"
	refused   = "what has another value is refused" + ratcheted
)

// rootOf is the schema of a version; one without is open to everything.
func rootOf(v *apiextensionsv1.CustomResourceDefinitionVersion) *props {
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		open := true
		return &props{Type: "object", XPreserveUnknownFields: &open}
	}
	return v.Schema.OpenAPIV3Schema
}

// node compares two schemas of the same value, and those below.
func (c *comparison) node(o, n *props) {
	if reflect.DeepEqual(o, n) {
		return
	}
	if kindOf(o) != kindOf(n) {
		c.typeChanged(o, n)
		return
	}
	c.nullable(o, n)
	c.defaults(o, n)
	c.format(o, n)
	c.enum(o, n)
	c.bounds(o, n)
	c.logic(o, n)
	c.rules(o, n)
	c.merging(o, n)
	c.preserving(o, n)
	c.members(o, n)
	c.required(o, n)
	if o.Items != nil && n.Items != nil && o.Items.Schema != nil && n.Items.Schema != nil {
		c.at(c.path+"[]", func() { c.node(o.Items.Schema, n.Items.Schema) })
	}
}

func kindOf(p *props) string {
	if p.XIntOrString {
		return "int-or-string"
	}
	if p.Type == "" {
		return "any value"
	}
	return p.Type
}

func (c *comparison) typeChanged(o, n *props) {
	what := fmt.Sprintf("type changed from %s to %s", kindOf(o), kindOf(n))
	if kindOf(n) == "any value" {
		c.breaking(what, "clients may find values that they do not understand")
		return
	}
	c.breaking(what, "what was accepted is refused, and clients do not decode the other type")
}

func (c *comparison) nullable(o, n *props) {
	switch {
	case o.Nullable && !n.Nullable:
		c.breaking("not nullable any more", "null is refused, or replaced by the default")
	case !o.Nullable && n.Nullable:
		c.compatible("nullable now", "")
	}
}

func (c *comparison) defaults(o, n *props) {
	was, is := raw(o.Default), raw(n.Default)
	switch {
	case jsonEqual(was, is):
	case was == "":
		c.compatible("default "+cut(is)+" added", "objects without the field have it from now on, stored ones as well")
	case is == "":
		c.breaking("default "+cut(was)+" removed", "who left the field out counted on it")
	default:
		c.breaking(fmt.Sprintf("default changed from %s to %s", cut(was), cut(is)), "who left the field out gets something else")
	}
}

func (c *comparison) format(o, n *props) {
	switch {
	case o.Format == n.Format:
	case n.Format == "", o.Format == "int32" && n.Format == "int64", n.Type == "integer" && n.Format == "int64", n.Type == "number" && n.Format == "double":
		c.compatible(fmt.Sprintf("format changed from %s to %s", quote(o.Format), quote(n.Format)), "")
	case o.Format == "":
		c.breaking("format "+n.Format+" added", refused)
	default:
		c.breaking(fmt.Sprintf("format changed from %s to %s", o.Format, n.Format), refused)
	}
}

func (c *comparison) enum(o, n *props) {
	values := func(p *props) (out []string) {
		for i := range p.Enum {
			out = append(out, canonical(raw(&p.Enum[i])))
		}
		return out
	}
	was, is := values(o), values(n)
	switch {
	case len(was) == 0 && len(is) == 0:
	case len(was) == 0:
		c.breaking("enum added", refused)
	case len(is) == 0:
		c.compatible("enum removed", "")
	default:
		gone, added := sets(was, is)
		for _, v := range gone {
			c.breaking("enum value "+cut(v)+" removed", "it is refused"+ratcheted)
		}
		for _, v := range added {
			c.compatible("enum value "+cut(v)+" added", "")
		}
	}
}

// rules compares CEL rules by their text.
func (c *comparison) rules(o, n *props) {
	texts := func(p *props) (out []string) {
		for _, r := range p.XValidations {
			out = append(out, r.Rule)
		}
		return out
	}
	gone, added := sets(texts(o), texts(n))
	for _, r := range gone {
		c.compatible("rule "+quote(r)+" removed", "")
	}
	for _, r := range added {
		if strings.Contains(r, "oldSelf") {
			c.breaking("rule "+quote(r)+" added", "updates that fail it are refused; it is a transition rule, for which nothing is ratcheted")
		} else {
			c.breaking("rule "+quote(r)+" added", "objects that fail it are refused; it is ratcheted: stored ones stay as they are as long as this value is not changed")
		}
	}
}

func (c *comparison) merging(o, n *props) {
	if was, is := listType(o), listType(n); was != is {
		c.breaking(fmt.Sprintf("list type changed from %s to %s", was, is), "server-side apply merges and owns it in another way, and duplicates may be refused")
	} else if was == "map" && !slices.Equal(o.XListMapKeys, n.XListMapKeys) {
		c.breaking(fmt.Sprintf("list map keys changed from %v to %v", o.XListMapKeys, n.XListMapKeys), "server-side apply takes other items for the same")
	}
	mapType := func(p *props) string {
		if p.XMapType == nil {
			return "granular"
		}
		return *p.XMapType
	}
	if was, is := mapType(o), mapType(n); was != is {
		c.breaking(fmt.Sprintf("map type changed from %s to %s", was, is), "server-side apply merges and owns it in another way")
	}
}

func listType(p *props) string {
	if p.XListType == nil {
		return "atomic"
	}
	return *p.XListType
}

func preserves(p *props) bool { return p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields }

func (c *comparison) preserving(o, n *props) {
	switch {
	case preserves(o) && !preserves(n):
		c.breaking("unknown fields are not preserved any more", "what the schema does not describe is pruned")
	case !preserves(o) && preserves(n):
		c.compatible("unknown fields are preserved now", "")
	}
	switch {
	case o.XEmbeddedResource && !n.XEmbeddedResource:
		c.breaking("no embedded resource any more", "its apiVersion, kind and metadata are pruned unless the schema describes them")
	case !o.XEmbeddedResource && n.XEmbeddedResource:
		c.breaking("embedded resource now", "it must have apiVersion and kind, and valid metadata")
	}
}

// members compares properties and additionalProperties.
func (c *comparison) members(o, n *props) {
	for _, name := range slices.Sorted(maps.Keys(o.Properties)) {
		was := o.Properties[name]
		c.at(c.path+"."+name, func() {
			is, ok := n.Properties[name]
			switch {
			case ok:
				c.node(&was, &is)
			case n.AdditionalProperties != nil && n.AdditionalProperties.Schema != nil:
				c.node(&was, n.AdditionalProperties.Schema)
			case preserves(n), n.AdditionalProperties != nil:
				c.compatible("field is not described any more", "it is kept unchecked")
			default:
				c.breaking("field removed", "it is pruned from stored objects, and refused or dropped in requests")
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		is := n.Properties[name]
		if _, ok := o.Properties[name]; ok {
			continue
		}
		c.at(c.path+"."+name, func() {
			switch {
			case o.AdditionalProperties != nil && o.AdditionalProperties.Schema != nil:
				c.node(o.AdditionalProperties.Schema, &is)
			case preserves(o), o.AdditionalProperties != nil:
				c.breaking("field is described now", "what was kept there unchecked is checked and pruned")
			default:
				c.compatible("field added", "")
			}
		})
	}
	c.at(c.path+".*", func() {
		switch was, is := o.AdditionalProperties, n.AdditionalProperties; {
		case is == nil && was != nil && preserves(n):
			c.compatible("values are not described any more", "they are kept unchecked")
		case was == nil && is != nil && preserves(o):
			c.breaking("values are described now", "what was kept there unchecked is checked and pruned")
		default:
			c.additional(was, is)
		}
	})
}

// additional compares the schemas of members that are not named.
func (c *comparison) additional(o, n *apiextensionsv1.JSONSchemaPropsOrBool) {
	switch {
	case o == nil && n == nil:
	case n == nil:
		c.breaking("additionalProperties removed", "members that the schema does not name are pruned")
	case o == nil:
		c.compatible("additionalProperties added", "")
	case o.Schema != nil && n.Schema != nil:
		c.node(o.Schema, n.Schema)
	case o.Schema == nil && n.Schema == nil:
	case n.Schema == nil:
		c.breaking("values are not described any more", "what is in them is pruned")
	default:
		c.breaking("values are described now", "what was accepted may be refused")
	}
}

func (c *comparison) required(o, n *props) {
	gone, added := sets(o.Required, n.Required)
	for _, name := range added {
		c.at(c.path+"."+name, func() {
			if p, ok := n.Properties[name]; ok && p.Default != nil {
				c.compatible("required now", "it has a default")
			} else {
				c.breaking("required now", "objects without it are refused")
			}
		})
	}
	for _, name := range gone {
		c.at(c.path+"."+name, func() { c.compatible("not required any more", "") })
	}
}
