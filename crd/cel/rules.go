package cel

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
)

// Update is what ValidateRules must know of a CustomResourceDefinition that takes the place of another one.
type Update struct {
	// Old are the schemas of all versions before. Expressions that they have are accepted with all functions that
	// stored ones may use.
	Old []*apiextensionsv1.JSONSchemaProps
	// Unchanged says that this schema is as before. Then no single rule of it is too expensive.
	Unchanged bool
}

// ValidateRules compiles all rules of the structural schema root, which stands at path, and reports what is wrong
// with them: expressions that do not compile, oldSelf where values cannot be told apart, and estimated costs above
// the limits. found are the errors that the schema has otherwise. Rules of nodes that have any, at them or below, are
// left alone: they would be misunderstood.
//
// What can be said of rules without compiling them (messages, reasons, field paths) is not checked here.
func ValidateRules(path *field.Path, root *schema.Schema, found field.ErrorList, u Update) field.ErrorList {
	if !root.HasRules() {
		return nil
	}
	c := ruleChecker{Update: u, found: found, stored: storedIn(u.Old)}
	c.node(path, root, place{root: true, cardinality: cardinality{1, true}})
	return append(c.errs, c.total.check(path)...)
}

type ruleChecker struct {
	Update
	found  field.ErrorList
	stored known
	total  total
	errs   field.ErrorList
	see    func(path *field.Path, cost uint64) // each expression that compiles
}

// place is where a node stands.
type place struct {
	root bool
	cardinality
	d              *decl       // known from a node above that has rules
	uncorrelatable *field.Path // the nearest list or object above whose parts have no identity over time
}

func (c *ruleChecker) node(path *field.Path, s *schema.Schema, at place) {
	if !s.HasRules() {
		return
	}
	if len(s.Rules) > 0 && at.d == nil {
		at.d = newDecl(visible(s, at.root || s.Embedded))
	}
	below := place{cardinality: at.cardinality.below(s), uncorrelatable: at.uncorrelatable}
	if s.Additional != nil {
		inMap := below
		inMap.d = at.d.value()
		c.node(path.Child("additionalProperties"), s.Additional, inMap)
	}
	members := below
	if s.MapType != "" && s.MapType != "granular" && s.MapType != "atomic" {
		members.uncorrelatable = path
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		members.d = at.d.field(name)
		c.node(path.Child("properties").Key(name), s.Properties[name], members)
	}
	if s.Items != nil {
		items := below
		items.d = at.d.item()
		if s.ListType != "map" {
			items.uncorrelatable = path
		}
		c.node(path.Child("items"), s.Items, items)
	}
	if len(s.Rules) > 0 && !c.faulty(path) {
		c.rules(path.Child("x-kubernetes-validations"), s, at)
	}
}

// faulty says whether the schema at path has errors of another kind.
func (c *ruleChecker) faulty(path *field.Path) bool {
	if len(c.found) == 0 {
		return false
	}
	prefix := path.String()
	for _, err := range c.found {
		if rest, ok := strings.CutPrefix(err.Field, prefix); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

func (c *ruleChecker) rules(path *field.Path, s *schema.Schema, at place) {
	if at.d == nil {
		c.errs = append(c.errs, field.InternalError(path, errors.New(
			"internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations")))
		return
	}
	sc := newScope(at.d)
	for i := range s.Rules {
		c.rule(path.Index(i), &s.Rules[i], sc, at)
	}
}

func (c *ruleChecker) rule(path *field.Path, rule *apiextensionsv1.ValidationRule, sc *scope, at place) {
	var v verdict
	if strings.TrimSpace(rule.Rule) != "" {
		v = sc.judge(rule.Rule, variant{c.stored.rules[rule.Rule], isOptional(rule)}, ruleKind)
	}
	c.limit(path.Child("rule"), "estimated rule cost", at.cardinality.of(v.cost, at.d))
	if v.err != "" {
		c.errs = append(c.errs, field.Invalid(path.Child("rule"), shown(rule), v.err))
	} else if rule.MessageExpression != "" && strings.TrimSpace(rule.Rule) != "" {
		m := sc.judge(rule.MessageExpression, variant{c.stored.messages[rule.MessageExpression], isOptional(rule)}, messageKind)
		if m.err != "" {
			c.errs = append(c.errs, field.Invalid(path.Child("messageExpression"), shown(rule), m.err))
		} else {
			c.limit(path.Child("messageExpression"), "estimated messageExpression cost", m.cost)
		}
	}
	switch {
	case v.usesOldSelf && at.uncorrelatable != nil:
		c.errs = append(c.errs, field.Invalid(path.Child("rule"), rule.Rule,
			"oldSelf cannot be used on the uncorrelatable portion of the schema within "+at.uncorrelatable.String()))
	case !v.usesOldSelf && rule.OptionalOldSelf != nil:
		c.errs = append(c.errs, field.Invalid(path.Child("optionalOldSelf"), *rule.OptionalOldSelf,
			"may not be set if oldSelf is not used in rule"))
	}
}

func (c *ruleChecker) limit(path *field.Path, what string, cost uint64) {
	if cost > ruleLimit && !c.Unchanged {
		c.errs = append(c.errs, field.Forbidden(path, excess(what, cost, ruleLimit)))
	}
	c.total.add(path, cost)
	if c.see != nil {
		c.see(path, cost)
	}
}

// Costs calls see with the path of each expression in the structural schema root, which stands at path, and with the
// cost that ValidateRules holds against the limit; 0 for those that do not compile.
func Costs(path *field.Path, root *schema.Schema, see func(path *field.Path, cost uint64)) {
	c := ruleChecker{stored: storedIn(nil), see: see}
	c.node(path, root, place{root: true, cardinality: cardinality{1, true}})
}

// shown is how errors show a rule: in the server's internal form.
func shown(rule *apiextensionsv1.ValidationRule) any {
	var out apiextensions.ValidationRule
	if err := apiextensionsv1.Convert_v1_ValidationRule_To_apiextensions_ValidationRule(rule.DeepCopy(), &out, nil); err != nil {
		return rule.Rule
	}
	return out
}

// known are the expressions that are in the store already. They are compiled with all that it may hold.
type known struct{ rules, messages map[string]bool }

func storedIn(schemas []*apiextensionsv1.JSONSchemaProps) known {
	k := known{map[string]bool{}, map[string]bool{}}
	for _, p := range schemas {
		eachNode(p, func(p *apiextensionsv1.JSONSchemaProps) {
			for i := range p.XValidations {
				k.rules[p.XValidations[i].Rule] = true
				k.messages[p.XValidations[i].MessageExpression] = true
			}
		})
	}
	return k
}

// eachNode visits the nodes of p that may have rules.
func eachNode(p *apiextensionsv1.JSONSchemaProps, visit func(*apiextensionsv1.JSONSchemaProps)) {
	if p == nil {
		return
	}
	visit(p)
	if p.Items != nil {
		eachNode(p.Items.Schema, visit)
	}
	if p.AdditionalProperties != nil {
		eachNode(p.AdditionalProperties.Schema, visit)
	}
	for name := range p.Properties {
		child := p.Properties[name]
		eachNode(&child, visit)
	}
}
