package cel_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
)

// TestAnswers compares what is said of each expression of testdata/rules.txt, which use the whole library, with what
// kube-apiserver said (compat/answers has asked it): costs and errors when it is compiled, and when it is evaluated.
func TestAnswers(t *testing.T) {
	object, old := decode(t, read(t, "object.json")), decode(t, read(t, "old.json"))
	props := read(t, "schema.json")
	n := 0
	for line := range strings.Lines(string(read(t, "answers.tsv"))) {
		want := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		got := answer(t, props, want[0], object, old)
		for i, column := range []string{"rule cost", "rule error", "message cost", "message error",
			"budget after create", "errors of create", "budget after update", "errors of update"} {
			if i >= 4 && i%2 == 0 && hasFailed(want, i+2) || want[0] == "double('NaN') < 1" {
				// Newer releases of cel-go give up earlier where a value is an error, so that less is counted, and
				// nothing is less than NaN, where it was an error.
				continue
			}
			if got[i+1] != want[i+1] {
				t.Errorf("%s: %s is\n%s\nand in kube-apiserver\n%s", want[0], column, got[i+1], want[i+1])
			}
		}
		n++
	}
	t.Logf("%d expressions", n)
}

// hasFailed says whether a rule or a message could not be evaluated, from the errors in a column of answers.tsv.
func hasFailed(answers []string, column int) bool {
	errs := answers[column]
	return strings.Contains(errs, " evaluating rule: ") || strings.Contains(errs, "did not match a supported operator") ||
		answers[4] == `""` && strings.Contains(errs, "otherwise") || strings.HasPrefix(answers[0], "oldSelf ") || strings.HasPrefix(answers[0], "oldSelf.")
}

// answer makes the line of answers.tsv for an expression.
func answer(t *testing.T, raw []byte, expression string, object, old map[string]any) []string {
	s := parse(t, raw, apiextensionsv1.ValidationRules{
		{Rule: expression},
		{Rule: "1 == 2", Message: "otherwise", MessageExpression: expression},
		{Rule: "[" + expression + "].size() == 0", Message: "one"},
		{Rule: "1 == 2", Message: "no text", MessageExpression: "string(" + expression + ")"},
	})
	costs := map[string]uint64{}
	cel.Costs(field.NewPath("root"), s, func(path *field.Path, cost uint64) { costs[path.String()] = cost })
	errs := map[string]string{}
	for _, err := range cel.ValidateRules(field.NewPath("root"), s, nil, cel.Update{Unchanged: true}) {
		if err.Type == field.ErrorTypeInvalid { // the others speak of costs
			errs[err.Field] = err.Detail
		}
	}
	const rule, message = "root.x-kubernetes-validations[0].rule", "root.x-kubernetes-validations[1].messageExpression"
	columns := []string{expression,
		fmt.Sprint(costs[rule]), quote(errs[rule]), fmt.Sprint(costs[message]), quote(errs[message])}
	v := cel.New(s)
	for _, before := range []any{nil, old} {
		budget := cel.NewBudget()
		errs := v.Validate(t.Context(), nil, object, before, cel.Options{Budget: &budget})
		columns = append(columns, fmt.Sprint(budget), quote(texts(errs)))
	}
	return columns
}

func texts(errs field.ErrorList) string {
	var out []string
	for _, err := range errs {
		if !strings.HasPrefix(err.Detail, "rule compile error") {
			out = append(out, err.Error())
		}
	}
	return strings.Join(out, "\n")
}

func quote(s string) string {
	return fmt.Sprintf("%q", regexp.MustCompile(`selfType\d+`).ReplaceAllString(s, "selfType"))
}

func read(t testing.TB, name string) []byte {
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func decode(t testing.TB, raw []byte) (obj map[string]any) {
	if err := utiljson.Unmarshal(raw, &obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

// parse returns the schema in raw with rules at its root.
func parse(t testing.TB, raw []byte, rules apiextensionsv1.ValidationRules) *schema.Schema {
	var props apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(raw, &props); err != nil {
		t.Fatal(err)
	}
	props.XValidations = append(props.XValidations, rules...)
	s, err := schema.New(&props)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
