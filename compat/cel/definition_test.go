package cel

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	peervalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"

	"github.com/keelson-project/keelson/crd/rules"
)

// places puts RULES where costs, correlation and types differ.
var places = []string{
	`{"a": {"type": "integer", RULES}}`,
	`{"a": {"type": "string", "default": "hello", RULES}}`,
	`{"a": {"type": "integer", "default": 1, RULES}}`,
	`{"a": {"type": "array", "items": {"type": "string", RULES}}}`,
	`{"a": {"type": "array", "maxItems": 20, "items": {"type": "string", "maxLength": 10, RULES}}}`,
	`{"a": {"type": "array", "maxItems": 20, "items": {"type": "integer"}, RULES}}`,
	`{"a": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set", RULES}}`,
	`{"a": {"type": "array", "items": {"type": "string", RULES}, "x-kubernetes-list-type": "set"}}`,
	`{"a": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object", "required": ["k"],
		"properties": {"k": {"type": "string"}, "v": {"type": "integer", RULES}}, RULES}}}`,
	`{"a": {"type": "object", "additionalProperties": {"type": "string", RULES}}}`,
	`{"a": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "string", RULES}}}}`,
	`{"a": {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "array", "items": {"type": "integer"}}}, RULES}}`,
	`{"a": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, RULES}}`,
	`{"a": {"x-kubernetes-preserve-unknown-fields": true, RULES}}`,
	`{"a": {"x-kubernetes-int-or-string": true, RULES}}`,
	`{"a b": {"type": "object", "properties": {"x": {"type": "string"}}, RULES}}`,
	`{"a": {"type": "string", "format": "date-time", RULES}}`,
	`{"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9, RULES}}, RULES}}`,
}

// candidates are what is tried there: the rules of one node, without brackets.
var candidates = []string{
	`{"rule": "true"}`, `{"rule": ""}`, `{"rule": "self =="}`, `{"rule": "self"}`, `{"rule": "self == 'a'"}`, `{"rule": "self > 1"}`,
	`{"rule": "self == oldSelf"}`, `{"rule": "true", "optionalOldSelf": true}`, `{"rule": "true", "optionalOldSelf": false}`,
	`{"rule": "oldSelf.hasValue()", "optionalOldSelf": true}`, `{"rule": "self.orValue(1) == oldSelf", "optionalOldSelf": true}`,
	`{"rule": "self.all(x, self.all(y, x == y))"}`, `{"rule": "self.all(x, self.all(y, self.all(z, x == y || y == z)))"}`,
	`{"rule": "self.matches('^[a-z]*$') && self.size() < 7"}`, `{"rule": "self.contains(self)"}`, `{"rule": "self.find(self) == self"}`,
	`{"rule": "self.x > 1", "fieldPath": ".x"}`, `{"rule": "self.x > 1", "fieldPath": ".z"}`, `{"rule": "self.y.all(y, y > self.x)", "reason": "FieldValueForbidden"}`,
	`{"rule": "true", "messageExpression": "1"}`, `{"rule": "true", "messageExpression": "self"}`, `{"rule": "true", "messageExpression": "self +"}`,
	`{"rule": "true", "messageExpression": "'x'.replace('', self.replace('', self))"}`, `{"rule": "1 +", "messageExpression": "1"}`,
	`{"rule": "has(self.kind) && self.metadata.name.size() > 1"}`, `{"rule": "self.startsWith('x')"}, {"rule": "false"}, {"rule": "self.size() > 100"}`,
	`{"rule": "self.includes('a')"}`, `{"rule": "self.?x.orValue(2) > 1"}`, `{"rule": "self != null"}`, `{"rule": "self.name != 'x'"}`,
	`{"rule": "type(self) == string ? self == 'x' : self > 3"}`, `{"rule": "self.getFullYear() > 2000"}`,
	`{"rule": "true", "message": " "}`, `{"rule": "true\n", "message": "a\nb"}`, `{"rule": "1 ==\n1"}`, `{"rule": "true", "reason": "Bad"}`,
}

// TestDefinitions compares what definitions with those rules in those places are refused for: when they are created,
// and when they replace one that had no rules, or the same.
func TestDefinitions(t *testing.T) {
	n := 0
	for _, place := range places {
		for _, c := range candidates {
			text := strings.ReplaceAll(place, "RULES", `"x-kubernetes-validations": [`+c+`]`)
			n += compareDefinitions(t, text, strings.ReplaceAll(place, ", RULES", ""))
		}
	}
	t.Logf("%d errors", n)
	if n == 0 {
		t.Error("there is nothing to compare")
	}
}

func compareDefinitions(t *testing.T, properties, before string) (n int) {
	t.Helper()
	c, internal := definition(t, properties)
	old, oldInternal := definition(t, before)
	ctx := t.Context()
	check := func(what string, ours, theirs []string) {
		n += len(theirs)
		if !slices.Equal(ours, theirs) {
			t.Errorf("%s %s:\n keelson        %q\n kube-apiserver %q", what, properties, ours, theirs)
		}
	}
	check("create", texts(rules.ValidateCreate(ctx, c)), texts(peervalidation.ValidateCustomResourceDefinition(ctx, internal)))
	check("change", texts(rules.ValidateUpdate(ctx, c, old)), texts(peervalidation.ValidateCustomResourceDefinitionUpdate(ctx, internal, oldInternal)))
	same, sameInternal := definition(t, properties)
	check("keep", texts(rules.ValidateUpdate(ctx, c, same)), texts(peervalidation.ValidateCustomResourceDefinitionUpdate(ctx, internal, sameInternal)))
	return n
}

func definition(t *testing.T, properties string) (*apiextensionsv1.CustomResourceDefinition, *apiextensions.CustomResourceDefinition) {
	t.Helper()
	raw := `{"metadata": {"name": "things.example.com", "resourceVersion": "1"}, "spec": {"group": "example.com", "scope": "Namespaced",
		"names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}, "conversion": {"strategy": "None"},
		"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": ` + properties + `}}}]},
		"status": {"storedVersions": ["v1"]}}`
	c, out := &apiextensionsv1.CustomResourceDefinition{}, &apiextensions.CustomResourceDefinition{}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(raw, "\n", " ")), c); err != nil {
		t.Fatal(raw, err)
	}
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(c.DeepCopy(), out, nil); err != nil {
		t.Fatal(err)
	}
	return c, out
}
