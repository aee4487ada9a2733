package cel

import (
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

// nested has rules at each kind of place: most of them fail now and then, some compare with the old value.
const nested = `{
  "type": "object",
  "x-kubernetes-validations": [{"rule": "!has(self.a) || self.a != 1", "message": "a is 1"}, {"rule": "self.metadata.name != 'x'"}],
  "properties": {
    "a": {"type": "integer", "nullable": true, "x-kubernetes-validations": [{"rule": "self < 3", "messageExpression": "'is ' + string(self)"},
      {"rule": "self >= oldSelf"}, {"rule": "oldSelf.orValue(2) < 3 || self != oldSelf.value()", "optionalOldSelf": true}]},
    "s": {"type": "string", "x-kubernetes-validations": [{"rule": "self != 'b'", "reason": "FieldValueDuplicate"}]},
    "a b": {"type": "string", "x-kubernetes-validations": [{"rule": "self != 'b'", "reason": "FieldValueRequired"}]},
    "namespace": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
    "o": {"type": "object", "x-kubernetes-validations": [{"rule": "self.x != 2", "fieldPath": ".x", "reason": "FieldValueForbidden"},
      {"rule": "self.x == self.y", "fieldPath": ".m['k']"}],
      "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}, "m": {"type": "object", "additionalProperties": {"type": "integer",
        "x-kubernetes-validations": [{"rule": "self < 3"}, {"rule": "self > oldSelf"}]}}}},
    "atomic": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"x": {"type": "integer",
      "x-kubernetes-validations": [{"rule": "self > oldSelf"}, {"rule": "self != 1"}]}}},
    "list": {"type": "array", "items": {"type": "integer", "x-kubernetes-validations": [{"rule": "self != 2"}]},
      "x-kubernetes-validations": [{"rule": "self.size() < 3"}, {"rule": "self == oldSelf"}]},
    "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer", "x-kubernetes-validations": [{"rule": "self != 2"}]},
      "x-kubernetes-validations": [{"rule": "self == oldSelf"}, {"rule": "self + oldSelf == oldSelf + self"}]},
    "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
      "x-kubernetes-validations": [{"rule": "self == oldSelf"}, {"rule": "self.all(i, has(i.v) && i.v != 2)"}],
      "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer",
        "x-kubernetes-validations": [{"rule": "self > oldSelf"}, {"rule": "self != 1"}]}},
        "x-kubernetes-validations": [{"rule": "self == oldSelf"}, {"rule": "!has(self.v) || self.v != 3"}]}},
    "map2": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "j"],
      "items": {"type": "object", "required": ["k", "j"], "properties": {"k": {"type": "string"}, "j": {"type": "integer"}, "v": {"type": "integer",
        "x-kubernetes-validations": [{"rule": "self > oldSelf"}, {"rule": "self != 1"}]}}}},
    "any": {"x-kubernetes-preserve-unknown-fields": true, "properties": {"x": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 9"}]}}},
    "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"x": {"type": "integer"}},
      "x-kubernetes-validations": [{"rule": "self == oldSelf"}, {"rule": "!has(self.x) || self.x > 2"}]},
    "opens": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"x": {"type": "integer"}}},
      "x-kubernetes-validations": [{"rule": "self == oldSelf"}, {"rule": "self.indexOf(self[0]) == 0"}]},
    "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
      "properties": {"x": {"type": "integer", "x-kubernetes-validations": [{"rule": "self != 1"}]}},
      "x-kubernetes-validations": [{"rule": "self.kind != 'b' && self.metadata.name != 'b'"}, {"rule": "self == oldSelf"}]},
    "ios": {"x-kubernetes-int-or-string": true, "x-kubernetes-validations": [{"rule": "self > 1"}, {"rule": "self == oldSelf"}]},
    "t": {"type": "string", "format": "duration", "x-kubernetes-validations": [{"rule": "self > duration('1m')"}]}
  }
}`

// TestRandomObjects compares creations and updates of random objects of that schema.
func TestRandomObjects(t *testing.T) {
	b, err := newBoth([]byte(nested))
	if err != nil {
		t.Fatal(err)
	}
	b.compile()
	r := rand.New(rand.NewPCG(1, 2))
	failed := 0
	for range 1500 {
		obj := randomObject(r)
		old := runtime.DeepCopyJSON(obj)
		for name, value := range randomObject(r) { // some members are other ones
			if r.IntN(3) == 0 {
				old[name] = value
			}
		}
		if r.IntN(4) == 0 {
			old = nil
		}
		if !b.compare(t, "random", obj, old) {
			if failed++; failed == 5 {
				t.Fatal("and so on")
			}
		}
	}
	t.Logf("%d errors, %d warnings", b.errs, b.warnings)
	if b.errs == 0 || b.warnings == 0 {
		t.Error("there is nothing to compare")
	}
}

func randomObject(r *rand.Rand) map[string]any {
	num := func() any { return int64(r.IntN(4)) }
	text := func() any { return []any{"a", "b", "x"}[r.IntN(3)] }
	either := func(a, b any) any {
		if r.IntN(2) == 0 {
			return a
		}
		return b
	}
	nums := func() (l []any) {
		l = []any{}
		for _, n := range r.Perm(4)[:r.IntN(4)] {
			l = append(l, int64(n))
		}
		return l
	}
	objects := func(n int, make func(i int) map[string]any) (l []any) {
		l = []any{}
		for _, i := range r.Perm(n)[:r.IntN(n)+1] {
			l = append(l, make(i))
		}
		return l
	}
	item := func(i int) map[string]any { return map[string]any{"k": string(rune('a' + i)), "v": num()} }
	all := map[string]any{
		"a": either(num(), nil), "s": text(), "a b": text(), "namespace": text(),
		"o":      map[string]any{"x": num(), "y": num(), "m": map[string]any{"k": num(), "l": num()}},
		"atomic": map[string]any{"x": num()}, "list": nums(), "set": nums(),
		"map": objects(3, item), "map2": objects(3, func(i int) map[string]any { m := item(i); m["j"] = num(); return m }),
		"any": map[string]any{"x": num()}, "open": map[string]any{"x": num(), "u": text()},
		"opens": []any{map[string]any{"x": num(), "u": text()}},
		"pod":   map[string]any{"apiVersion": "v1", "kind": text(), "metadata": map[string]any{"name": text(), "labels": map[string]any{"a": text()}}, "x": num(), "u": text()},
		"ios":   either(num(), text()), "t": either("30s", "2h"),
	}
	obj := map[string]any{"apiVersion": "v1", "kind": "K"}
	if r.IntN(2) == 0 {
		obj["metadata"] = map[string]any{"name": text(), "labels": map[string]any{"a": text()}}
	}
	for name, value := range all {
		if r.IntN(3) > 0 {
			obj[name] = value
		}
	}
	return obj
}

// TestBudgets compares what happens at the limits of runtime costs.
func TestBudgets(t *testing.T) {
	long := make([]any, 900)
	for i := range long {
		long[i] = int64(i)
	}
	obj := map[string]any{"l": long, "m": map[string]any{"a": "b"}}
	for _, rules := range []string{
		`[{"rule": "self.l.all(x, self.l.all(y, x + y >= 0))"}, {"rule": "false"}]`,
		`[{"rule": "self.l.all(x, self.l.filter(y, y == x).size() == 1)"}, {"rule": "false"}]`,
		`[{"rule": "false", "messageExpression": "self.l.map(x, self.l.map(y, string(y)).join()).join()"}, {"rule": "false"}]`,
		`[{"rule": "false", "messageExpression": "self.l.map(x, string(x)).join()"}, {"rule": "false"}]`,
		`[{"rule": "false", "messageExpression": "self.l.map(x, 'abcdefghi' + string(x)).join()"}, {"rule": "false"}]`,
		`[{"rule": "false", "messageExpression": "'a\\nb'"}, {"rule": "false", "messageExpression": "'  '"}, {"rule": "false", "messageExpression": "' a '"}]`,
	} {
		b, err := newBoth([]byte(`{"type": "object", "x-kubernetes-validations": ` + rules + `, "properties": {
			"l": {"type": "array", "maxItems": 1000, "items": {"type": "integer"}},
			"m": {"type": "object", "additionalProperties": {"type": "string"}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		b.compile()
		b.compare(t, rules, obj, nil)
	}
	// Each item's rule costs a little less than a rule may; together they are over the budget of the object.
	b, err := newBoth([]byte(`{"type": "object", "properties": {"l": {"type": "array", "items": {"type": "object",
		"properties": {"l": {"type": "array", "items": {"type": "integer"}}},
		"x-kubernetes-validations": [{"rule": "self.l.all(x, self.l.exists(y, x == y))"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	b.compile()
	inner := make([]any, 600)
	for i := range inner {
		inner[i] = int64(i)
	}
	outer := make([]any, 15)
	for i := range outer {
		outer[i] = map[string]any{"l": inner}
	}
	b.compare(t, "all together", map[string]any{"l": outer}, nil)
	if b.errs == 0 {
		t.Error("the budget was enough")
	}
}
