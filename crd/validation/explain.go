package validation

import (
	"fmt"
	"slices"
	"strconv"

	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

// explanation is what Kubernetes' validator finds of one value against one node.
type explanation struct {
	failures []*failure
	// matches counts the checks that were made and passed, the way Kubernetes counts them: of the branches of a
	// failed anyOf or oneOf it reports the one with most.
	matches int
}

func (e *explanation) valid() bool { return len(e.failures) == 0 }

func (e *explanation) merge(other explanation) {
	e.failures = append(e.failures, other.failures...)
	e.matches += other.matches
}

func (e *explanation) add(at string, f *failure) {
	placed := *f
	placed.at, placed.text = at, fmt.Sprintf(f.text, at)
	e.failures = append(e.failures, &placed)
}

// explain validates value, which stands at the dotted path at, and collects all failures but those that was, the
// past of value, forgives.
func (n *node) explain(at string, value any, was *past) explanation {
	if n == nil {
		return explanation{}
	}
	e := n.explainNode(at, value, was)
	if !e.valid() && was.unchanged() {
		e.failures = nil
	}
	return e
}

func (n *node) explainNode(at string, value any, was *past) (e explanation) {
	report := func(f *failure) { e.add(at, f) }
	wrongType := n.checkType(value)
	if wrongType != nil {
		report(wrongType)
	}
	if value == nil {
		if wrongType == nil {
			e.matches++
		}
		n.checkValue(value, report)
		return e
	}
	if len(n.types) > 0 || n.format != "" {
		e.matches++
		if wrongType == nil {
			e.matches++
		}
	}
	e.merge(n.explainLogic(at, value))
	e.matches++
	e.matches += checksOf(value)
	switch x := value.(type) {
	case []any:
		for i, element := range x {
			e.merge(n.items.explain(at+"["+strconv.Itoa(i)+"]", element, was.element(i)))
		}
		n.checkValue(value, report)
	case map[string]any:
		n.checkValue(value, report)
		e.merge(n.explainMembers(at, x, was))
	default:
		n.checkValue(value, report)
		if _, isString := value.(string); isString && n.format != "" && strfmt.Default.ContainsName(n.format) {
			e.matches++
		}
	}
	return e
}

// checksOf is how many checks Kubernetes counts for a value of this type, beyond types, formats and logic: one
// for the enum, one for the type's own, one for the node as a whole, and one more inside of some.
func checksOf(value any) int {
	switch value.(type) {
	case int64, float64, []any:
		return 4
	case string, map[string]any:
		return 3
	default:
		return 2
	}
}

func (n *node) explainMembers(at string, x map[string]any, was *past) (e explanation) {
	names := make([]string, 0, len(x))
	for name := range x {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		before := was.member(name)
		if at == "" && (name == "apiVersion" || name == "kind") {
			before = nil // both objects are in the version of the request, whatever was stored
		}
		p, ok := n.properties[name]
		switch {
		case !ok:
			e.merge(n.additional.explain(at+"."+name, x[name], before))
		case at == "":
			e.merge(p.explain(name, x[name], before))
		default:
			e.merge(p.explain(at+"."+name, x[name], before))
		}
	}
	for _, name := range n.Required {
		if _, ok := x[name]; !ok {
			e.add(at+"."+name, &failure{kind: required, text: "%s in body is required"})
		}
	}
	return e
}

// explainLogic evaluates anyOf, oneOf, allOf and not, in this order.
func (n *node) explainLogic(at string, value any) (e explanation) {
	e.merge(explainAnyOf(n.anyOf, at, value))
	e.merge(explainOneOf(n.oneOf, at, value))
	e.merge(explainAllOf(n.allOf, at, value))
	if n.not != nil {
		if refused := n.not.explain(at, value, nil); refused.valid() {
			e.add(at, logicFailure("must not validate the schema (not)"))
		}
	}
	e.matches++
	return e
}

func explainAnyOf(branches []*node, at string, value any) (e explanation) {
	var best *explanation
	for _, b := range branches {
		found := b.explain(at, value, nil)
		if found.valid() {
			return found
		}
		if best == nil || found.matches > best.matches {
			best = &found
		}
	}
	if best != nil {
		e.add(at, logicFailure("must validate at least one schema (anyOf)"))
		e.merge(*best)
	}
	return e
}

func explainOneOf(branches []*node, at string, value any) (e explanation) {
	if len(branches) == 0 {
		return e
	}
	var best, first *explanation
	valid := 0
	for _, b := range branches {
		found := b.explain(at, value, nil)
		switch {
		case found.valid():
			valid++
			if first == nil {
				first = &found
			}
		case best == nil || found.matches > best.matches:
			best = &found
		}
	}
	switch valid {
	case 0:
		e.add(at, logicFailure("must validate one and only one schema (oneOf). Found none valid"))
		e.merge(*best)
	case 1:
		e.merge(*first)
	default:
		e.add(at, logicFailure(fmt.Sprintf(
			"must validate one and only one schema (oneOf). Found %d valid alternatives", valid)))
	}
	return e
}

func explainAllOf(branches []*node, at string, value any) (e explanation) {
	valid := 0
	for _, b := range branches {
		found := b.explain(at, value, nil)
		if found.valid() {
			valid++
		}
		e.merge(found)
	}
	switch {
	case valid == len(branches):
	case valid == 0:
		e.add(at, logicFailure("must validate all the schemas (allOf). None validated"))
	default:
		e.add(at, logicFailure("must validate all the schemas (allOf)"))
	}
	return e
}
