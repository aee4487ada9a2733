package cel_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
)

func mustParse(t testing.TB, raw string) *schema.Schema {
	s, err := schema.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate gives the errors, and after "warning: " what is forgiven because it is as it was.
func validate(t testing.TB, s *schema.Schema, obj, old string) string {
	var before any
	if old != "" {
		before = decode(t, []byte(old))
	}
	var out []string
	errs := cel.New(s).Validate(t.Context(), nil, decode(t, []byte(obj)), before, cel.Options{
		Unchanged: func(err *field.Error) { out = append(out, "warning: "+err.Error()) },
	})
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return strings.Join(out, "\n")
}

func TestNoRules(t *testing.T) {
	if v := cel.New(mustParse(t, `{"type":"object"}`)); v != nil {
		t.Error("a schema without rules has a validator")
	}
	if errs := (*cel.Validator)(nil).Validate(t.Context(), nil, map[string]any{}, nil, cel.Options{}); errs != nil {
		t.Error(errs)
	}
}

// TestTransitions is about oldSelf: where there is one, and what may stay as it was.
func TestTransitions(t *testing.T) {
	const grows = `"x-kubernetes-validations":[{"rule":"self >= oldSelf","message":"shrinks"}]`
	for _, test := range []struct{ schema, obj, old, want string }{
		{`{"a":{"type":"integer",` + grows + `}}`, `{"a":1}`, ``, ``},
		{`{"a":{"type":"integer",` + grows + `}}`, `{"a":1}`, `{}`, ``},
		{`{"a":{"type":"integer",` + grows + `}}`, `{"a":1}`, `{"a":2}`, `a: Invalid value: 1: shrinks`},
		{`{"l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","properties":{"k":{"type":"string"},"v":{"type":"integer",` + grows + `}}}}}`,
			`{"l":[{"k":"b","v":1},{"k":"a","v":1},{"k":"c","v":0}]}`, `{"l":[{"k":"a","v":2},{"k":"b","v":1}]}`, `l[1].v: Invalid value: 1: shrinks`},
		{`{"m":{"type":"object","additionalProperties":{"type":"integer",` + grows + `}}}`, `{"m":{"b":1,"a":1}}`, `{"m":{"a":2,"c":3}}`, `m[a]: Invalid value: 1: shrinks`},
		{`{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"oldSelf.hasValue() || self == 1","optionalOldSelf":true}]}}`, `{"a":2}`, ``,
			`a: Invalid value: 2: failed rule: oldSelf.hasValue() || self == 1`},
		{`{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"oldSelf.hasValue() || self == 1","optionalOldSelf":true}]}}`, `{"a":2}`, `{"a":3}`, ``},
		{`{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 2"}]},"b":{"type":"integer"}}`, `{"a":1,"b":2}`, `{"a":1,"b":1}`,
			`warning: a: Invalid value: 1: failed rule: self > 2`},
		{`{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 2"}]},"b":{"type":"integer"}}`, `{"a":1,"b":2}`, `{"a":0,"b":2}`,
			`a: Invalid value: 1: failed rule: self > 2`},
		{`{"l":{"type":"array","items":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 2"}]}}}`, `{"l":[1]}`, `{"l":[1]}`,
			`warning: l[0]: Invalid value: 1: failed rule: self > 2`},
		{`{"l":{"type":"array","items":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 2"}]}}}`, `{"l":[1,3]}`, `{"l":[1]}`,
			`l[0]: Invalid value: 1: failed rule: self > 2`},
	} {
		s := mustParse(t, `{"type":"object","properties":`+test.schema+`}`)
		if got := validate(t, s, test.obj, test.old); got != test.want {
			t.Errorf("%s: %s after %q: %q, want %q", test.schema, test.obj, test.old, got, test.want)
		}
	}
}

// TestMessages is about what is said of a value that breaks a rule, and where.
func TestMessages(t *testing.T) {
	for rule, want := range map[string]string{
		`{"rule":" self.a > 1 "}`:                                                       `<nil>: Invalid value: failed rule: self.a > 1`,
		`{"rule":"self.a > 1","message":" too small "}`:                                 `<nil>: Invalid value: too small`,
		`{"rule":"self.a > 1","messageExpression":"'is %d'.format([self.a])"}`:          `<nil>: Invalid value: is 1`,
		`{"rule":"self.a > 1","messageExpression":"'x'.substring(3)","message":"else"}`: `<nil>: Invalid value: else`,
		`{"rule":"self.a > 1","messageExpression":"'a\\nb'","message":"else"}`:          `<nil>: Invalid value: else`,
		`{"rule":"self.a > 1","messageExpression":"' '","message":"else"}`:              `<nil>: Invalid value: else`,
		`{"rule":"self.a > 1","reason":"FieldValueForbidden","fieldPath":".a"}`:         `a: Forbidden: failed rule: self.a > 1`,
		`{"rule":"self.a > 1","reason":"FieldValueRequired","fieldPath":".m['x.y']"}`:   `m[x.y]: Required value: failed rule: self.a > 1`,
		`{"rule":"self.a > 1","reason":"FieldValueDuplicate"}`:                          `<nil>: Duplicate value`,
		`{"rule":"self.a / 0 == 1"}`:                                                    `<nil>: Invalid value: "object": division by zero evaluating rule: self.a / 0 == 1`,
		`{"rule":"self.i + 1 == 2"}`:                                                    `<nil>: Invalid value: "object": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self.i + 1 == 2`,
		`{"rule":"self.b"}`:                                                             `<nil>: Invalid value: "object": rule compile error: cel expression must evaluate to a bool`,
	} {
		s := mustParse(t, `{"type":"object","x-kubernetes-validations":[`+rule+`],"properties":{"a":{"type":"integer"},"b":{"type":"string"},
			"i":{"x-kubernetes-int-or-string":true},"m":{"type":"object","additionalProperties":{"type":"string"}}}}`)
		if got := validate(t, s, `{"a":1,"b":"x","i":"x"}`, ""); got != want {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
}

// TestBudget stops a rule, and all rules of an object, where they cost too much.
func TestBudget(t *testing.T) {
	s := mustParse(t, `{"type":"object","properties":{"l":{"type":"array","items":{"type":"integer"}}},
		"x-kubernetes-validations":[{"rule":"self.l.all(x, self.l.all(y, x + y >= 0))"},{"rule":"false"}]}`)
	items := make([]any, 1000)
	for i := range items {
		items[i] = int64(i)
	}
	obj := map[string]any{"l": items}
	got := cel.New(s).Validate(t.Context(), nil, obj, nil, cel.Options{}).ToAggregate().Error()
	if want := `<nil>: Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self.l.all(x, self.l.all(y, x + y >= 0))`; got != want {
		t.Errorf("got %s", got)
	}
	obj["l"] = items[:100]
	budget := cel.Budget(1000)
	got = cel.New(s).Validate(t.Context(), nil, obj, nil, cel.Options{Budget: &budget}).ToAggregate().Error()
	if want := `<nil>: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run`; got != want || budget >= 0 {
		t.Errorf("got %s, budget %d", got, budget)
	}
}

// TestCancelled says that an object has not been validated, instead of that it is valid.
func TestCancelled(t *testing.T) {
	s := mustParse(t, `{"type":"object","x-kubernetes-validations":[{"rule":"true"}]}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	errs := cel.New(s).Validate(ctx, nil, map[string]any{}, nil, cel.Options{})
	if got := fmt.Sprint(errs); got != "[<nil>: Internal error: context canceled]" {
		t.Error(got)
	}
}

// TestDefault evaluates rules on a default, as a value that stays and as one that is new.
func TestDefault(t *testing.T) {
	for rule, want := range map[string]string{
		`{"rule":"self.a > 1"}`:                                `d: Invalid value: failed rule: self.a > 1`,
		`{"rule":"self.a == 1"}`:                               ``,
		`{"rule":"oldSelf.hasValue()","optionalOldSelf":true}`: `d: Invalid value: failed rule: oldSelf.hasValue()`,
		`{"rule":"self != oldSelf"}`:                           `d: Invalid value: failed rule: self != oldSelf`,
	} {
		s := mustParse(t, `{"type":"object","default":{"a":1},"properties":{"a":{"type":"integer"}},"x-kubernetes-validations":[`+rule+`]}`)
		budget := cel.NewBudget()
		got := ""
		if errs := cel.ValidateDefault(t.Context(), field.NewPath("d"), s, false, &budget); len(errs) > 0 {
			got = errs.ToAggregate().Error()
		}
		if got != want || budget >= cel.NewBudget() {
			t.Errorf("%s: %q, want %q; budget %d", rule, got, want, budget)
		}
	}
}
