// Package validation checks objects against structural schemas, with kube-apiserver's verdicts and words.
//
// The shape of an object (properties, items, types, lengths, bounds) is checked by one walk over the compiled
// schema, which allocates nothing as long as the object is valid. Logic (allOf, anyOf, oneOf, not) is decided by
// santhosh-tekuri/jsonschema, which this package alone imports; what Kubernetes adds to or reads differently from
// JSON Schema (int-or-string, nullable, formats, the arithmetic of bounds) is registered there as an extension.
// Only when an object was refused does a second walk word the errors, since Kubernetes' choice of what to report
// of a failed anyOf depends on how much of each branch did match.
package validation

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// Validator is a compiled schema. It is immutable and safe for concurrent use.
type Validator struct{ root *node }

// New compiles s; nil accepts everything. The error is that of a pattern which is no RE2 expression; a schema
// that the server accepted has none.
func New(s *schema.Schema) (*Validator, error) { return compile(s, false) }

// NewForDefaults is New for the defaults of a schema, in which Kubernetes heeds formats that it ignores in objects: an
// integer has the format "int64", and no other than that of its type.
func NewForDefaults(s *schema.Schema) (*Validator, error) { return compile(s, true) }

func compile(s *schema.Schema, allFormats bool) (*Validator, error) {
	c := compiler{allFormats: allFormats, patterns: map[string]*pattern{}, nodes: map[*schema.Schema]*node{}}
	n, err := c.node(s)
	if err != nil {
		return nil, err
	}
	return &Validator{root: n}, nil
}

// Validate checks value, which has the shapes of resource.Object. path stands before the paths of the errors; nil
// for a whole object.
func (v *Validator) Validate(path *field.Path, value any) field.ErrorList {
	if v == nil || v.root.accepts(value) {
		return nil
	}
	e := v.root.explain("", value, nil)
	return e.toFieldErrors(path)
}

// ValidateUpdate is Validate for a value that replaces old: what broke a rule already and did not change is accepted
// (Kubernetes' ratcheting). old is looked at only when value is refused, nil where there is none.
func (v *Validator) ValidateUpdate(path *field.Path, value, old any) field.ErrorList {
	if v == nil || v.root.accepts(value) {
		return nil
	}
	e := v.root.explain("", value, &past{n: v.root, now: value, old: old})
	return e.toFieldErrors(path)
}

// Property returns the validator of one property of the whole; nil, which accepts everything, where the schema does
// not name it. Its errors speak of paths below the property.
func (v *Validator) Property(name string) *Validator {
	if v == nil || v.root == nil || v.root.properties[name] == nil {
		return nil
	}
	return &Validator{root: v.root.properties[name]}
}

// node is a compiled schema.Schema.
type node struct {
	*schema.Schema
	types             []string          // what Type and IntOrString allow; empty allows all
	format            string            // "" where the schema names none that Kubernetes heeds
	isFormat          func(string) bool // nil: all strings have the format
	pattern           *pattern
	properties        map[string]*node
	additional, items *node

	allOf, anyOf, oneOf []*node
	not                 *node
	// logic decides what the four above say; nil where they say nothing that the rest does not.
	logic *jsonschema.Schema
}

// compiler shares what can be shared between the nodes of one schema.
type compiler struct {
	allFormats bool
	patterns   map[string]*pattern
	nodes      map[*schema.Schema]*node // schemas share nodes, too: see schema.Share
}

func (c *compiler) node(s *schema.Schema) (*node, error) {
	if s == nil {
		return nil, nil
	}
	if n, ok := c.nodes[s]; ok {
		return n, nil
	}
	n := &node{Schema: s}
	switch {
	case s.IntOrString:
		n.types = intOrString
	case s.Type != "":
		n.types = []string{s.Type}
	}
	if n.format = s.Format; !c.allFormats {
		n.format = supportedFormat(n.types, s.Format)
	}
	if n.format != "" {
		n.isFormat = formatCheck(n.format)
	}
	err := c.pattern(n)
	child := func(s *schema.Schema) *node {
		built, childErr := c.node(s)
		if err == nil {
			err = childErr
		}
		return built
	}
	list := func(branches []*schema.Schema) (out []*node) {
		for _, b := range branches {
			out = append(out, child(b))
		}
		return out
	}
	n.items, n.additional, n.not = child(s.Items), child(s.Additional), child(s.Not)
	n.allOf, n.anyOf, n.oneOf = list(s.AllOf), list(s.AnyOf), list(s.OneOf)
	if len(s.Properties) > 0 {
		n.properties = make(map[string]*node, len(s.Properties))
		for name, p := range s.Properties {
			n.properties[name] = child(p)
		}
	}
	if err != nil {
		return nil, err
	}
	n.logic = logicOf(n)
	c.nodes[s] = n
	return n, nil
}

func (c *compiler) pattern(n *node) error {
	if n.Pattern == "" {
		return nil
	}
	p, ok := c.patterns[n.Pattern]
	if !ok {
		re, err := regexp.Compile(n.Pattern)
		if err != nil {
			return fmt.Errorf("pattern %q: %w", n.Pattern, err)
		}
		p = &pattern{Regexp: re}
		c.patterns[n.Pattern] = p
	}
	n.pattern = p
	return nil
}

// accepts says whether value is valid. It must agree with explain; FuzzAgree checks that.
func (n *node) accepts(value any) bool {
	if n == nil {
		return true
	}
	if n.checkType(value) != nil || n.checkValue(value, nil) {
		return false
	}
	if value == nil {
		return true
	}
	if n.logic != nil && n.logic.Validate(value) != nil {
		return false
	}
	switch x := value.(type) {
	case map[string]any:
		for _, name := range n.Required {
			if _, ok := x[name]; !ok {
				return false
			}
		}
		if n.properties == nil && n.additional == nil {
			return true
		}
		for name, member := range x {
			if p, ok := n.properties[name]; ok {
				if !p.accepts(member) {
					return false
				}
			} else if !n.additional.accepts(member) {
				return false
			}
		}
	case []any:
		if n.items == nil {
			return true
		}
		for _, element := range x {
			if !n.items.accepts(element) {
				return false
			}
		}
	}
	return true
}

// toFieldErrors drops errors that say the same and puts path before the others'.
func (e *explanation) toFieldErrors(path *field.Path) field.ErrorList {
	seen := map[string]bool{}
	var out field.ErrorList
	for _, f := range e.failures {
		if key := f.at + "\x00" + f.text; !seen[key] {
			seen[key] = true
			out = append(out, f.toFieldError(path))
		}
	}
	return out
}

// fieldPath is where Kubernetes shows an error at the dotted path at; an error of the whole has base itself.
func fieldPath(base *field.Path, at string) *field.Path {
	if at == "" || at == "." {
		return base
	}
	return base.Child(strings.TrimPrefix(at, "."))
}
