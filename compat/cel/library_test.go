package cel

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
)

// folder has the rules, and the schema and object that they are tried on.
const folder = "../../crd/cel/testdata/"

func read(name string) []byte {
	raw, err := os.ReadFile(folder + name)
	if err != nil {
		panic(err)
	}
	return raw
}

func sample() map[string]any { return object(read("old.json")) }

// changed is sample with one change of each kind.
func changed() map[string]any {
	obj := sample()
	obj["int"], obj["str"] = int64(4), "changed"
	obj["mlist"].([]any)[1].(map[string]any)["n"] = int64(5)
	delete(obj, "obj")
	obj["set"] = []any{"c", "b", "a"}
	return obj
}

// TestLibrary evaluates each of rules.txt as a rule, as part of several other ones, and as the text of a message.
func TestLibrary(t *testing.T) {
	n := 0
	for line := range strings.Lines(string(read("rules.txt"))) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || newer(line) {
			continue
		}
		n++
		compareRule(t, line)
	}
	t.Logf("%d rules", n)
}

// newer says whether an expression means something else in the release of cel-go that is linked here than in that of
// kube-apiserver, where Keelson keeps to the latter. compat/answers has the answers of that.
func newer(expression string) bool {
	return strings.Contains(expression, "optMap(") || strings.Contains(expression, "optFlatMap(") ||
		strings.Contains(expression, "timestamp(self.str)") || strings.Contains(expression, "timestamp('2024-01-01T")
}

// compareRule compares expression as a rule if it gives a bool, and else inside of one. Also as a message.
func compareRule(t *testing.T, expression string) bool {
	t.Helper()
	rules := []map[string]any{
		{"rule": expression},
		{"rule": "string(" + expression + ") == ''"},
		{"rule": "type(" + expression + ") == string", "message": "its type"},
		{"rule": "[" + expression + "].size() == 0"},
		{"rule": "dyn(" + expression + ") == dyn(" + expression + ") && false"},
		{"rule": "1 == 2", "messageExpression": expression, "message": "otherwise"},
		{"rule": "1 == 2", "messageExpression": "string(" + expression + ")", "reason": "FieldValueForbidden", "fieldPath": ".obj.a"},
		{"rule": "oldSelf.int == self.int && (" + expression + ")", "reason": "FieldValueDuplicate"},
		{"rule": "oldSelf.hasValue() && (" + expression + ")", "optionalOldSelf": true},
	}
	b := withRules(t, rules)
	ours, ourErrs := b.ourCosts()
	theirs, theirErrs := b.theirCosts()
	same := true
	for path, cost := range theirs {
		if ours[path] != cost {
			same = false
			t.Errorf("%s: %s costs %d, in kube-apiserver %d", expression, path, ours[path], cost)
		}
	}
	if !maps.Equal(ourErrs, theirErrs) {
		same = false
		t.Errorf("%s: errors\n keelson        %q\n kube-apiserver %q", expression, ourErrs, theirErrs)
	}
	b.compile()
	same = b.compare(t, expression, sample(), nil) && same
	same = b.compare(t, expression+" (empty)", map[string]any{}, nil) && same
	return b.compare(t, expression+" (changed)", changed(), sample()) && same
}

func withRules(t *testing.T, rules any) *both {
	t.Helper()
	s := object(read("schema.json"))
	s["x-kubernetes-validations"] = rules
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBoth(raw)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func object(raw []byte) map[string]any {
	obj, err := decode(raw)
	if err != nil {
		panic(err)
	}
	return obj
}
