package cel

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// evaluation is that of all rules on one object.
type evaluation struct {
	ctx       context.Context //nolint:containedctx // it lives as long as the call that it was passed to
	remaining int64           // of the budget; negative when evaluation has ended early
	errs      field.ErrorList
	unchanged func(*field.Error)
}

func (e *evaluation) fail(err *field.Error) { e.errs = append(e.errs, err) }

// end reports err, and that nothing more is evaluated.
func (e *evaluation) end(err *field.Error) {
	e.fail(err)
	e.remaining = -1
}

func (e *evaluation) ended() bool { return e.remaining < 0 }

// node evaluates the rules of n on value, and those of the nodes below n. old is what transition rules compare value
// with. current pairs value with what it replaces, for ratcheting; where nothing does, above is the nearest pair
// that value is in.
func (e *evaluation) node(n *node, path *field.Path, value, old any, current, above *pair) {
	if n == nil || value == nil {
		return
	}
	if len(n.rules) > 0 {
		e.rules(n, path, value, old, current, above)
	}
	if e.ended() {
		return
	}
	switch value := value.(type) {
	case []any:
		e.items(n, path, value, old, current, above)
	case map[string]any:
		e.members(n, path, value, old, current, above)
	}
}

func (e *evaluation) members(n *node, path *field.Path, value map[string]any, old any, current, above *pair) {
	oldMembers, _ := old.(map[string]any)
	member := func(c *node, at *field.Path, name string, v any) {
		var oldV any
		if n.correlatable {
			oldV = oldMembers[name]
		}
		cur, abv := current.member(name, above)
		e.node(c, at, v, oldV, cur, abv)
	}
	if n.additional != nil {
		for _, name := range sortedNames(value) {
			if member(n.additional, path.Key(name), name, value[name]); e.ended() {
				return
			}
		}
	}
	for _, p := range n.properties {
		v, ok := value[p.name]
		if !ok {
			continue
		}
		if member(p.node, path.Child(p.name), p.name, v); e.ended() {
			return
		}
	}
}

func (e *evaluation) items(n *node, path *field.Path, value []any, old any, current, above *pair) {
	if n.items == nil {
		return
	}
	oldItems, _ := old.([]any)
	before := newLookup(oldItems, n.s)
	var replaced *lookup // what ratcheting compares with; it takes sets of keys from the whole old object
	if current != nil {
		items, _ := current.old.([]any)
		replaced = newLookup(items, current.s)
	}
	for i, v := range value {
		cur, abv := current.item(v, replaced, above)
		if e.node(n.items, path.Index(i), v, before.of(v), cur, abv); e.ended() {
			return
		}
	}
}

// member returns the pairs of a member of p's value; p is nil where that is not paired.
func (p *pair) member(name string, above *pair) (current, parent *pair) {
	if p == nil {
		return nil, above
	}
	if above == nil && (name == "apiVersion" || name == "kind") {
		return nil, nil // the old object is always in the version of the new one, so these say nothing
	}
	value, _ := p.value.(map[string]any)
	old, _ := p.old.(map[string]any)
	v, ok := value[name]
	before, okBefore := old[name]
	s := memberOf(p.s, name)
	if !ok || !okBefore || s == nil {
		return nil, p
	}
	return &pair{value: v, old: before, s: s}, p
}

// item returns the pairs of an item of p's value. Only the items of lists of type map are paired.
func (p *pair) item(v any, replaced *lookup, above *pair) (current, parent *pair) {
	if p == nil {
		return nil, above
	}
	before := replaced.of(v)
	if before == nil || p.s.Items == nil {
		return nil, p
	}
	return &pair{value: v, old: before, s: p.s.Items}, p
}

const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run"

// rules evaluates the rules of n itself.
func (e *evaluation) rules(n *node, path *field.Path, value, old any, current, above *pair) {
	if err := e.ctx.Err(); err != nil {
		e.end(field.InternalError(path, err))
		return
	}
	if e.remaining <= 0 {
		e.end(field.Invalid(path, n.s.Type, outOfBudget))
		return
	}
	vars := newVariables(n, value, old)
	for i := range n.rules {
		c, rule := &n.rules[i], &n.s.Rules[i]
		switch {
		case c.rule == nil:
			continue
		case c.rule.err != "":
			e.fail(field.Invalid(path, n.s.Type, "rule compile error: "+c.rule.err))
			continue
		}
		optional := isOptional(rule)
		if c.rule.usesOldSelf && old == nil && !optional {
			continue
		}
		passed := e.rule(c.rule.program, rule, n, path, vars.forRule(optional))
		if e.ended() {
			return
		}
		if passed {
			continue
		}
		err := e.failure(c, rule, n, path, value, vars)
		unchanged := current.same() || current == nil && above.same()
		if !c.rule.usesOldSelf && unchanged && err != nil {
			if e.unchanged != nil {
				e.unchanged(err)
			}
		} else if err != nil {
			e.fail(err)
		}
		if e.ended() {
			return
		}
	}
}

// rule evaluates one rule. It reports errors of the evaluation itself, and gives true for them.
func (e *evaluation) rule(program cel.Program, rule *apiextensionsv1.ValidationRule, n *node, path *field.Path, vars cel.Activation) (passed bool) {
	result, details, err := program.ContextEval(e.ctx, vars)
	cost := details.ActualCost()
	switch {
	case details == nil:
		e.end(field.InternalError(path, fmt.Errorf("runtime cost could not be calculated for validation rule: %v, no further validation rules will be run", name(rule))))
		return true
	case cost == nil:
		e.end(field.Invalid(path, n.s.Type, fmt.Sprintf("runtime cost could not be calculated for validation rule: %v, no further validation rules will be run", name(rule))))
		return true
	case *cost > math.MaxInt64 || int64(*cost) > e.remaining:
		e.end(field.Invalid(path, n.s.Type, outOfBudget))
		return true
	}
	e.remaining -= int64(*cost)
	if err == nil {
		return result == types.True
	}
	switch text := err.Error(); {
	case strings.HasPrefix(text, "no such overload"):
		// Types are checked before; only int-or-string gets here, which may be either.
		e.fail(field.Invalid(path, n.s.Type, fmt.Sprintf("'%v': call arguments did not match a supported operator, function or macro signature for rule: %v", text, name(rule))))
	case strings.HasPrefix(text, costExceeded):
		e.end(field.Invalid(path, n.s.Type, fmt.Sprintf("'%v': no further validation rules will be run due to call cost exceeds limit for rule: %v", text, name(rule))))
	default:
		e.fail(field.Invalid(path, n.s.Type, fmt.Sprintf("%v evaluating rule: %v", text, name(rule))))
	}
	return true
}

// costExceeded begins cel-go's error for an expression that has reached library.PerCallLimit.
const costExceeded = "operation cancelled: actual cost limit exceeded"

// name is how errors call a rule.
func name(rule *apiextensionsv1.ValidationRule) string {
	if rule.Message != "" {
		return strings.TrimSpace(rule.Message)
	}
	return strings.TrimSpace(rule.Rule)
}

// variables resolves self and oldSelf in rules.
type variables struct {
	self, oldSelf ref.Val // oldSelf is nil where it is not there
	optional      ref.Val // oldSelf for rules with optionalOldSelf
}

func (n *node) value(v any) ref.Val {
	if n.root {
		return rootValue(v, n.s)
	}
	return toValue(v, n.s)
}

func newVariables(n *node, value, old any) *variables {
	v := &variables{self: n.value(value)}
	if !n.usesOldSelf {
		return v
	}
	v.optional = types.OptionalNone
	if old != nil {
		v.oldSelf = n.value(old)
		v.optional = types.OptionalOf(v.oldSelf)
	}
	return v
}

func (v *variables) forRule(optional bool) cel.Activation {
	if optional && v.optional != nil {
		return &variables{self: v.self, oldSelf: v.optional}
	}
	return v
}

// ResolveName implements cel.Activation.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "self":
		return v.self, true
	case "oldSelf":
		return v.oldSelf, v.oldSelf != nil
	}
	return nil, false
}

// Parent implements cel.Activation.
func (v *variables) Parent() cel.Activation { return nil }
