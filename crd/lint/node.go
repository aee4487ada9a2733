package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type props = apiextensionsv1.JSONSchemaProps

// node is a node of a schema, with its way from the root.
type node struct {
	*props
	parent *node  // nil at the root
	name   string // of a property; "" for items, and values of a map
	at     string // path in the CustomResourceDefinition
	path   string // of the field: .spec.ports[]
}

// walk calls f with n and all below, properties in the order of their names.
func (n *node) walk(f func(*node)) {
	f(n)
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		p := n.Properties[name]
		if n.parent == nil && (name == "metadata" || name == "apiVersion" || name == "kind") {
			continue // the server's own
		}
		(&node{props: &p, parent: n, name: name, at: fmt.Sprintf("%s.properties[%s]", n.at, name), path: n.path + "." + name}).walk(f)
	}
	if n.Items != nil && n.Items.Schema != nil {
		(&node{props: n.Items.Schema, parent: n, at: n.at + ".items", path: n.path + "[]"}).walk(f)
	}
	if a := n.AdditionalProperties; a != nil && a.Schema != nil {
		(&node{props: a.Schema, parent: n, at: n.at + ".additionalProperties", path: n.path + ".*"}).walk(f)
	}
}

// isRequired says whether the parent is never without n.
func (n *node) isRequired() bool {
	return n.parent != nil && (n.name == "" || slices.Contains(n.parent.Required, n.name))
}

func (n *node) isMap() bool { return n.Type == "object" && n.AdditionalProperties != nil }

func (n *node) preserves() bool {
	return n.XPreserveUnknownFields != nil && *n.XPreserveUnknownFields
}

// find follows a path of names, such as .spec.replicas, and says whether the schema knows such a field. What comes
// after a bracket is not looked at.
func (n *node) find(path string) bool {
	p := n.props
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "."), ".") {
		name, _, bracket := strings.Cut(name, "[")
		if name == "" {
			return true // a filter, or an escape
		}
		if child, ok := p.Properties[name]; ok {
			p = &child
		} else {
			return p.AdditionalProperties != nil || p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields || p.XEmbeddedResource
		}
		if bracket || strings.Contains(name, `\`) {
			return true
		}
	}
	return true
}
