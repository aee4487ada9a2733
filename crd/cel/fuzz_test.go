package cel_test

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
)

// FuzzRule compiles any text as a rule and as a message, and evaluates what compiles. It must end, with verdicts that
// do not depend on when they are asked for.
func FuzzRule(f *testing.F) {
	for line := range strings.Lines(string(read(f, "rules.txt"))) {
		f.Add(strings.TrimSpace(line))
	}
	raw, obj, old := read(f, "schema.json"), decode(f, read(f, "object.json")), decode(f, read(f, "old.json"))
	f.Fuzz(func(t *testing.T, text string) {
		s := parse(t, raw, apiextensionsv1.ValidationRules{{Rule: text}, {Rule: "1 == 2", MessageExpression: text}})
		first := cel.ValidateRules(field.NewPath("x"), s, nil, cel.Update{})
		second := cel.ValidateRules(field.NewPath("x"), s, nil, cel.Update{})
		if texts(first) != texts(second) {
			t.Errorf("%q: %v, and then %v", text, first, second)
		}
		cel.New(s).Validate(t.Context(), nil, obj, nil, cel.Options{})
		errs := cel.New(s).Validate(t.Context(), nil, obj, old, cel.Options{})
		again := cel.New(s).Validate(t.Context(), nil, obj, old, cel.Options{})
		if texts(errs) != texts(again) {
			t.Errorf("%q: %v, and then %v", text, errs, again)
		}
	})
}
