package cel

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	peercel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/warning"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
)

// both are the two implementations on one schema.
type both struct {
	ours   *schema.Schema
	theirs *structuralschema.Structural

	validator *cel.Validator
	peer      *peercel.Validator

	errs, warnings int // that kube-apiserver has had so far
}

func newBoth(raw []byte) (*both, error) {
	var v1 apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(raw, &v1); err != nil {
		return nil, err
	}
	ours, err := schema.New(&v1)
	if err != nil {
		return nil, err
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&v1, internal, nil); err != nil {
		return nil, err
	}
	theirs, err := structuralschema.NewStructural(internal)
	if err != nil {
		return nil, err
	}
	return &both{ours: ours, theirs: theirs}, nil
}

func (b *both) compile() {
	b.validator = cel.New(b.ours)
	b.peer = peercel.NewValidator(b.theirs, true, celconfig.PerCallLimit)
}

var selfType = regexp.MustCompile(`selfType\d+`)

// said is what an implementation says of an object, and what budget it leaves.
type said struct {
	errs, warnings []string
	budget         int64
}

func texts(errs field.ErrorList) []string {
	var out []string
	for _, err := range errs {
		out = append(out, string(err.Type)+" "+selfType.ReplaceAllString(err.Error(), "selfType"))
	}
	slices.Sort(out) // kube-apiserver walks maps as they come
	return out
}

func (b *both) validate(ctx context.Context, obj, old map[string]any) (ours, theirs said) {
	var before any
	if old != nil {
		before = old
	}
	budget := cel.NewBudget()
	var unchanged field.ErrorList
	errs := b.validator.Validate(ctx, nil, obj, before, cel.Options{
		Budget: &budget, Unchanged: func(err *field.Error) { unchanged = append(unchanged, err) },
	})
	ours = said{texts(errs), texts(unchanged), int64(budget)}
	var options []peercel.Option
	if old != nil {
		options = append(options, peercel.WithRatcheting(common.NewCorrelatedObject(obj, old, &model.Structural{Structural: b.theirs})))
	}
	warned := &recorder{}
	var peerErrs field.ErrorList
	peerErrs, theirs.budget = b.peer.Validate(warning.WithWarningRecorder(ctx, warned), nil, b.theirs, obj, before, celconfig.RuntimeCELCostBudget, options...)
	theirs.errs, theirs.warnings = texts(peerErrs), warned.texts
	slices.Sort(theirs.warnings)
	for i, w := range ours.warnings {
		_, ours.warnings[i], _ = strings.Cut(w, " ") // a warning has no type
	}
	slices.Sort(ours.warnings)
	return ours, theirs
}

type recorder struct{ texts []string }

func (r *recorder) AddWarning(_, text string) { r.texts = append(r.texts, text) }

// compare reports where the two differ on obj.
func (b *both) compare(t *testing.T, what string, obj, old map[string]any) bool {
	t.Helper()
	ours, theirs := b.validate(t.Context(), obj, old)
	b.errs += len(theirs.errs)
	b.warnings += len(theirs.warnings)
	if slices.Equal(ours.errs, theirs.errs) && slices.Equal(ours.warnings, theirs.warnings) && ours.budget == theirs.budget {
		return true
	}
	t.Errorf("%s:\n keelson        %d %q, warnings %q\n kube-apiserver %d %q, warnings %q",
		what, ours.budget, ours.errs, ours.warnings, theirs.budget, theirs.errs, theirs.warnings)
	return false
}

// costs are what each expression of a schema costs by estimation, and what is wrong with it.
func (b *both) ourCosts() (costs map[string]uint64, errs map[string]string) {
	costs, errs = map[string]uint64{}, map[string]string{}
	cel.Costs(field.NewPath("root"), b.ours, func(path *field.Path, cost uint64) { costs[path.String()] = cost })
	for _, err := range cel.ValidateRules(field.NewPath("root"), b.ours, nil, cel.Update{Unchanged: true}) {
		if err.Type == field.ErrorTypeInvalid {
			errs[err.Field] = selfType.ReplaceAllString(err.Detail, "selfType")
		}
	}
	return costs, errs
}

// theirCosts walks a structural schema as kube-apiserver does when a definition is created, with the cardinality of
// each place.
func (b *both) theirCosts() (costs map[string]uint64, errs map[string]string) {
	costs, errs = map[string]uint64{}, map[string]string{}
	one := uint64(1)
	w := peerWalk{costs, errs}
	w.node(field.NewPath("root"), b.theirs, nil, &one, true, nil)
	return costs, errs
}

type peerWalk struct {
	costs map[string]uint64
	errs  map[string]string
}

func (w peerWalk) node(path *field.Path, s *structuralschema.Structural, d *decl, n *uint64, root bool, lost *field.Path) {
	if s == nil {
		return
	}
	if d == nil && len(s.XValidations) > 0 {
		d = &decl{model.SchemaDeclType(s, root || s.XEmbeddedResource)}
	}
	below := n
	switch {
	case s.Type == "array":
		below = multiply(n, maxItems(s))
	case s.Type == "object" && s.AdditionalProperties != nil:
		below = multiply(n, maxProperties(s))
	}
	if s.AdditionalProperties != nil {
		w.node(path.Child("additionalProperties"), s.AdditionalProperties.Structural, d.elem(), below, false, lost)
	}
	for name, p := range s.Properties {
		w.node(path.Child("properties").Key(name), &p, d.field(name), below, false, lost)
	}
	inList := lost
	if s.XListType == nil || *s.XListType != "map" {
		inList = path
	}
	w.node(path.Child("items"), s.Items, d.elem(), below, false, inList)
	if len(s.XValidations) == 0 {
		return
	}
	results, err := peercel.Compile(s, d.t, celconfig.PerCallLimit, environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()), peercel.NewExpressionsEnvLoader())
	if err != nil {
		w.errs[path.String()] = err.Error()
		return
	}
	for i, r := range results {
		w.result(path.Child("x-kubernetes-validations").Index(i), r, s, i, n, lost)
	}
}

func (w peerWalk) result(at *field.Path, r peercel.CompilationResult, s *structuralschema.Structural, i int, n *uint64, lost *field.Path) {
	cardinality := r.MaxCardinality
	if n != nil {
		cardinality = *n
	}
	w.costs[at.Child("rule").String()] = *multiply(&r.MaxCost, &cardinality)
	clean := func(s string) string { return selfType.ReplaceAllString(s, "selfType") }
	if r.Error != nil {
		w.errs[at.Child("rule").String()] = clean(r.Error.Detail)
	}
	if r.MessageExpressionError != nil {
		w.errs[at.Child("messageExpression").String()] = clean(r.MessageExpressionError.Detail)
	} else if r.MessageExpression != nil {
		w.costs[at.Child("messageExpression").String()] = r.MessageExpressionMaxCost
	}
	switch rule := s.XValidations[i]; {
	case r.UsesOldSelf && lost != nil:
		w.errs[at.Child("rule").String()] = fmt.Sprintf("oldSelf cannot be used on the uncorrelatable portion of the schema within %v", lost)
	case !r.UsesOldSelf && rule.OptionalOldSelf != nil:
		w.errs[at.Child("optionalOldSelf").String()] = "may not be set if oldSelf is not used in rule"
	}
}
