package cel_test

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
)

const hint = " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"

// TestValidateRules is about what a definition is refused for.
func TestValidateRules(t *testing.T) {
	const loop = `"x-kubernetes-validations":[{"rule":"self.all(a, self.all(b, a == b))"}]`
	for _, test := range []struct{ properties, want string }{
		{`{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1"}]}}`, ``},
		{`{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self >"}]}}`,
			`s.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self \u003e","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:7: Syntax error:`},
		{`{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1","messageExpression":"1"}]}}`,
			`s.properties[a].x-kubernetes-validations[0].messageExpression: Invalid value: {"Rule":"self \u003e 1","Message":"","MessageExpression":"1","Reason":null,"FieldPath":"","OptionalOldSelf":null}: messageExpression must evaluate to a string`},
		{`{"l":{"type":"array","items":{"type":"string"},` + loop + `}}`,
			`s.properties[l].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x` + hint},
		{`{"l":{"type":"array","maxItems":1000,"items":{"type":"integer"},` + loop + `}}`, ``},
		{`{"l":{"type":"array","maxItems":3000,"items":{"type":"string","maxLength":1},` + loop + `}}`,
			`s.properties[l].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of`},
		{`{"l":{"type":"array","items":{"type":"integer","x-kubernetes-validations":[{"rule":"self >= oldSelf"}]}}}`,
			`s.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[l]`},
		{`{"l":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1","optionalOldSelf":true}]}}`,
			`s.properties[l].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`},
		{`{"a":{"type":"array","items":{"type":"integer"},"x-kubernetes-validations":[{"rule":"self.includes(1)"}]}}`,
			`s.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.includes(1)","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:14: undeclared reference to 'includes'`},
	} {
		s := mustParse(t, `{"type":"object","properties":`+test.properties+`}`)
		errs := cel.ValidateRules(field.NewPath("s"), s, nil, cel.Update{})
		got := ""
		if len(errs) > 0 {
			got = errs[0].Error()
		}
		if !strings.HasPrefix(got, test.want) || (test.want == "") != (got == "") {
			t.Errorf("%s:\n%s\nwant %s", test.properties, got, test.want)
		}
	}
}

// TestTotalCost refuses rules that are cheap each, and expensive together.
func TestTotalCost(t *testing.T) {
	var rules []string
	for range 20 {
		rules = append(rules, `{"rule":"self.all(a, self.all(b, a == b || a != b))"}`)
	}
	s := mustParse(t, `{"type":"object","properties":{"l":{"type":"array","maxItems":900,"items":{"type":"integer"},"x-kubernetes-validations":[`+strings.Join(rules, ",")+`]}}}`)
	errs := cel.ValidateRules(field.NewPath("s"), s, nil, cel.Update{})
	if len(errs) != 5 {
		t.Fatal(errs)
	}
	for _, err := range errs[:4] {
		if err.Detail != "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema" {
			t.Error(err)
		}
	}
	if last := errs[4].Error(); !strings.HasPrefix(last, "s: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1.") {
		t.Error(last)
	}
}

// TestUpdatedRules is about what a stored definition may have that a new one may not.
func TestUpdatedRules(t *testing.T) {
	props := apiextensionsv1.JSONSchemaProps{Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{Type: "string"}},
		XValidations: apiextensionsv1.ValidationRules{
			{Rule: "self.includes('a')"},                             // of the next release
			{Rule: "self.all(a, self.all(b, a.size() >= b.size()))"}, // too expensive
		}}
	s, err := schema.New(&props)
	if err != nil {
		t.Fatal(err)
	}
	path := field.NewPath("s")
	if errs := cel.ValidateRules(path, s, nil, cel.Update{}); len(errs) < 3 {
		t.Error(errs)
	}
	old := []*apiextensionsv1.JSONSchemaProps{&props}
	errs := cel.ValidateRules(path, s, nil, cel.Update{Old: old, Unchanged: true})
	for _, err := range errs { // the total stays
		if !strings.Contains(err.Detail, "for entire OpenAPIv3 schema") {
			t.Error(err)
		}
	}
	found := field.ErrorList{field.Required(path.Child("items"), "")}
	if errs := cel.ValidateRules(path, s, found, cel.Update{}); len(errs) > 0 {
		t.Errorf("rules of a faulty node are judged: %v", errs)
	}
}
