// Command answers writes what kube-apiserver says of validation rules, for the tests of crd/cel:
//
//	go -C compat/answers run . ../../crd/cel/testdata
//
// It is a module of its own, because it needs the release of cel-go that kube-apiserver is built with, where Keelson
// has a newer one. It reads schema.json, object.json, old.json and rules.txt of the folder and writes answers.tsv.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: answers DIR")
		os.Exit(2)
	}
	if err := answer(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "answers:", err)
		os.Exit(1)
	}
}

func answer(dir string) error {
	var object, old map[string]any
	for name, into := range map[string]*map[string]any{"object.json": &object, "old.json": &old} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := utiljson.Unmarshal(raw, into); err != nil {
			return err
		}
	}
	schema, err := os.ReadFile(filepath.Join(dir, "schema.json"))
	if err != nil {
		return err
	}
	rules, err := os.Open(filepath.Join(dir, "rules.txt"))
	if err != nil {
		return err
	}
	defer func() { _ = rules.Close() }()
	var out strings.Builder
	for lines := bufio.NewScanner(rules); lines.Scan(); {
		rule := lines.Text()
		if rule == "" || strings.HasPrefix(rule, "#") {
			continue
		}
		line, err := one(schema, rule, object, old)
		if err != nil {
			return fmt.Errorf("%s: %w", rule, err)
		}
		out.WriteString(line + "\n")
	}
	return os.WriteFile(filepath.Join(dir, "answers.tsv"), []byte(out.String()), 0o644)
}

// one returns a line: the expression; estimated cost and error as a rule; estimated cost and error as a message; and
// what is left of the budget, and the errors of evaluation, after object is created, and after it is updated. Errors are
// quoted.
func one(raw []byte, expression string, object, old map[string]any) (string, error) {
	var v1 apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(raw, &v1); err != nil {
		return "", err
	}
	v1.XValidations = apiextensionsv1.ValidationRules{
		{Rule: expression},
		{Rule: "1 == 2", Message: "otherwise", MessageExpression: expression},
		{Rule: "[" + expression + "].size() == 0", Message: "one"}, // evaluates those that give no bool, too
		{Rule: "1 == 2", Message: "no text", MessageExpression: "string(" + expression + ")"},
	}
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&v1, &props, nil); err != nil {
		return "", err
	}
	s, err := structuralschema.NewStructural(&props)
	if err != nil {
		return "", err
	}
	results, err := cel.Compile(s, model.SchemaDeclType(s, true), celconfig.PerCallLimit,
		environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()), cel.NewExpressionsEnvLoader())
	if err != nil {
		return "", err
	}
	ruleErr, messageErr := "", ""
	if e := results[0].Error; e != nil {
		ruleErr = e.Detail
	}
	if e := results[1].MessageExpressionError; e != nil {
		messageErr = e.Detail
	}
	columns := []string{expression,
		fmt.Sprint(results[0].MaxCost), quote(ruleErr), fmt.Sprint(results[1].MessageExpressionMaxCost), quote(messageErr)}
	v := cel.NewValidator(s, true, celconfig.PerCallLimit)
	for _, before := range []map[string]any{nil, old} {
		var o any
		if before != nil {
			o = before
		}
		errs, left := v.Validate(context.Background(), nil, s, object, o, celconfig.RuntimeCELCostBudget)
		columns = append(columns, fmt.Sprint(left), quote(text(errs)))
	}
	return strings.Join(columns, "\t"), nil
}

func text(errs field.ErrorList) string {
	var out []string
	for _, err := range errs {
		if !strings.HasPrefix(err.Detail, "rule compile error") { // it is told already
			out = append(out, err.Error())
		}
	}
	return strings.Join(out, "\n")
}

var selfType = regexp.MustCompile(`selfType\d+`)

func quote(s string) string { return fmt.Sprintf("%q", selfType.ReplaceAllString(s, "selfType")) }
