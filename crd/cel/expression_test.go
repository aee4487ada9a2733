package cel_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/crd/cel"
)

func TestExpression(t *testing.T) {
	self := map[string]any{"spec": map[string]any{
		"address": "a.com:80", "n": int64(3), "f": 1.5, "on": true, "list": []any{"x", int64(1)}, "m": map[string]any{"k": "v"},
	}}
	for text, want := range map[string]any{
		`self.spec.address.split(":")[0]`:               "a.com",
		`int(self.spec.address.split(":")[1])`:          int64(80),
		`self.spec.n + 1`:                               int64(4),
		`self.spec.f * 2.0`:                             3.0,
		`!self.spec.on`:                                 false,
		`self.spec.list`:                                []any{"x", int64(1)},
		`self.spec.m`:                                   map[string]any{"k": "v"},
		`{"host": dyn("a"), "port": dyn(80)}`:           map[string]any{"host": "a", "port": int64(80)},
		`self.spec.list.map(i, string(i) + "!")`:        []any{"x!", "1!"},
		`has(self.spec.none) ? self.spec.none : "none"`: "none",
		`self.spec.?address.orValue("")`:                "a.com:80",
		`self.spec.?m`:                                  map[string]any{"k": "v"},
		`quantity("1Gi").asInteger()`:                   int64(1 << 30),
		`null`:                                          nil,
	} {
		e, err := cel.CompileExpression(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, present, err := e.Eval(t.Context(), self); err != nil || !present || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v (%t, %v), want %#v", text, got, present, err, want)
		}
	}
	absent, err := cel.CompileExpression(`self.spec.?none`)
	if err != nil {
		t.Fatal(err)
	}
	if _, present, err := absent.Eval(t.Context(), self); present || err != nil {
		t.Error("an optional without a value is there", err)
	}
	for text, want := range map[string]string{
		`self.spec.none`: "no such key: none", `type(self)`: "is none of JSON", `{1: 2}`: "keys of an object are strings", `1.0 / 0.0`: "no number of JSON",
		`self.spec.list.all(a, [1,2,3,4,5,6,7,8,9,0].all(b, [1,2,3,4,5,6,7,8,9,0].all(c, [1,2,3,4,5,6,7,8,9,0].all(d, [1,2,3,4,5,6,7,8,9,0].all(e, [1,2,3,4,5,6,7,8,9,0].all(f, [1,2,3,4,5,6,7,8,9,0].all(g, true)))))))`: "cost limit",
	} {
		e, err := cel.CompileExpression(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, _, err := e.Eval(t.Context(), self); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := cel.CompileExpression(`self.`); err == nil {
		t.Error("half an expression compiles")
	}
}
