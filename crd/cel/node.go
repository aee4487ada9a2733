package cel

import (
	"maps"
	"slices"

	"github.com/keelson-project/keelson/crd/schema"
)

// node is a schema with rules, or one above such.
type node struct {
	s            *schema.Schema
	root         bool       // s is the schema of a kind
	rules        []compiled // of s.Rules
	usesOldSelf  bool       // one of rules does
	items        *node
	additional   *node
	properties   []property // those with rules, in order of their names
	correlatable bool       // a member of a value is that of the old value
}

type property struct {
	name string
	node *node
}

// newNode compiles the rules of s and of what is below it; it returns nil where there are none. root says that s is
// the schema of a resource. d is its declaration, where it is known from the schema above, whose view of metadata
// counts.
func newNode(s *schema.Schema, root bool, d *decl) *node {
	if !s.HasRules() || !exposed(s) { // rules on values that rules do not see are ignored
		return nil
	}
	n := &node{s: s, root: root, correlatable: s.MapType == "" || s.MapType == "granular" || s.MapType == "atomic"}
	if len(s.Rules) > 0 {
		if d == nil {
			d = newDecl(visible(s, root))
		}
		sc := newScope(d)
		for i := range s.Rules {
			c := sc.compile(&s.Rules[i], s)
			n.usesOldSelf = n.usesOldSelf || c.rule != nil && c.rule.usesOldSelf
			n.rules = append(n.rules, c)
		}
	}
	n.items = child(s.Items, d.item())
	n.additional = child(s.Additional, d.value())
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		if c := child(p, d.field(name)); c != nil {
			n.properties = append(n.properties, property{name, c})
		}
	}
	return n
}

func child(s *schema.Schema, d *decl) *node {
	if s == nil {
		return nil
	}
	return newNode(s, s.Embedded, d)
}

// item, value and field return the declarations below d; nil where they are not known.
func (d *decl) item() *decl {
	if d == nil {
		return nil
	}
	return d.items
}

func (d *decl) value() *decl {
	if d == nil {
		return nil
	}
	return d.values
}

func (d *decl) field(name string) *decl {
	if d == nil {
		return nil
	}
	if identifier, ok := escape(name); ok {
		return d.fields[identifier]
	}
	return nil
}
