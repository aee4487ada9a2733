package cel

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// longestMessage is the length of what messageExpression may give, in bytes.
const longestMessage = 5 << 10

// failure words the error for a rule that value does not satisfy. Evaluation has ended where messageExpression went
// over the budget.
func (e *evaluation) failure(c *compiled, rule *apiextensionsv1.ValidationRule, n *node, path *field.Path, value any, vars *variables) *field.Error {
	if c.fieldPath != "" {
		path = path.Child(c.fieldPath)
	}
	detail := ""
	if c.message != nil {
		var err *field.Error
		if detail, err = e.message(c.message.program, rule.MessageExpression, n, path, vars); err != nil {
			e.remaining = -1
			return err
		}
	}
	switch {
	case detail != "":
	case rule.Message != "":
		detail = strings.TrimSpace(rule.Message)
	default:
		detail = "failed rule: " + strings.TrimSpace(rule.Rule)
	}
	if n.s.Type == "object" || n.s.Type == "array" {
		value = field.OmitValueType{}
	}
	reason := apiextensionsv1.FieldValueInvalid
	if rule.Reason != nil {
		reason = *rule.Reason
	}
	switch reason {
	case apiextensionsv1.FieldValueForbidden:
		return field.Forbidden(path, detail)
	case apiextensionsv1.FieldValueRequired:
		return field.Required(path, detail)
	case apiextensionsv1.FieldValueDuplicate:
		return field.Duplicate(path, value)
	}
	return field.Invalid(path, value, detail)
}

// message evaluates messageExpression. It gives "" where that fails or gives nothing that could be shown in a line;
// the error is set where no budget is left.
func (e *evaluation) message(program cel.Program, source string, n *node, path *field.Path, vars *variables) (string, *field.Error) {
	result, details, err := program.ContextEval(e.ctx, vars)
	cost := details.ActualCost()
	switch {
	case cost == nil:
		return "", field.InternalError(path, fmt.Errorf("runtime cost could not be calculated for messageExpression: %q", source))
	case *cost > math.MaxInt64 || int64(*cost) > e.remaining:
		return "", field.Invalid(path, n.s.Type, "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run")
	case err != nil && strings.HasPrefix(err.Error(), costExceeded):
		return "", field.Invalid(path, n.s.Type, fmt.Sprintf("no further validation rules will be run due to call cost exceeds limit for messageExpression: %q", source))
	}
	e.remaining -= int64(*cost)
	if err == nil {
		text, _ := result.Value().(string)
		text = strings.TrimSpace(text)
		if len(text) <= longestMessage && !strings.Contains(text, "\n") {
			return text, nil
		}
	}
	return "", nil
}

func sortedNames(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
