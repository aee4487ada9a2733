package diff_test

import (
	"fmt"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/crd/diff"
)

// of reads CustomResourceDefinitions from YAML.
func of(t testing.TB, text string) []*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	c := &apiextensionsv1.CustomResourceDefinition{}
	if err := sigsyaml.UnmarshalStrict([]byte(text), c); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return []*apiextensionsv1.CustomResourceDefinition{c}
}

// withSpec is a CRD of one version whose field .spec.f has a schema.
func withField(schema string) string { return withSpec("properties: {f: " + schema + "}") }

func withSpec(spec string) string {
	return `
metadata: {name: as.b.c}
spec:
  group: b.c
  scope: Namespaced
  names: {plural: as, kind: A}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, ` + spec + `}}}}`
}

// TestFields: both directions of each change of a field, "" for none.
func TestFields(t *testing.T) {
	for _, tc := range []struct{ before, after, there, back string }{
		{"{type: string}", "{type: integer}", "BREAKING type changed from string to integer", "BREAKING type changed from integer to string"},
		{"{type: integer}", "{x-kubernetes-int-or-string: true}", "BREAKING type changed from integer to int-or-string", "BREAKING type changed from int-or-string to integer"},
		{"{type: string}", "{x-kubernetes-preserve-unknown-fields: true}", "BREAKING type changed from string to any value", "BREAKING type changed from any value to string"},
		{"{type: string}", "{type: string, nullable: true}", "compatible nullable now", "BREAKING not nullable any more"},
		{"{type: string}", "{type: string, default: a}", `compatible default "a" added`, `BREAKING default "a" removed`},
		{"{type: string, default: b}", "{type: string, default: a}", `BREAKING default changed from "b" to "a"`, `BREAKING default changed from "a" to "b"`},
		{"{type: object, default: {a: 1, b: 2}}", "{type: object, default: {b: 2, a: 1}}", "", ""},
		{"{type: string}", "{type: string, format: uuid}", "BREAKING format uuid added", `compatible format changed from "uuid" to ""`},
		{"{type: integer, format: int32}", "{type: integer, format: int64}", `compatible format changed from "int32" to "int64"`, "BREAKING format changed from int64 to int32"},
		{"{type: string}", "{type: string, enum: [a]}", "BREAKING enum added", "compatible enum removed"},
		{"{type: string, enum: [a, b]}", "{type: string, enum: [b]}", `BREAKING enum value "a" removed`, `compatible enum value "a" added`},
		{"{type: string, enum: [a, b]}", "{type: string, enum: [b, a]}", "", ""},
		{"{type: integer}", "{type: integer, minimum: 1}", "BREAKING minimum 1 added", "compatible minimum 1 removed"},
		{"{type: integer, minimum: 1}", "{type: integer, minimum: 2}", "BREAKING minimum raised from 1 to 2", "compatible minimum lowered from 2 to 1"},
		{"{type: integer, maximum: 2}", "{type: integer, maximum: 1}", "BREAKING maximum lowered from 2 to 1", "compatible maximum raised from 1 to 2"},
		{"{type: integer, maximum: 2}", "{type: integer, maximum: 2, exclusiveMaximum: true}", "BREAKING maximum is exclusive now", "compatible maximum is not exclusive any more"},
		{"{type: number}", "{type: number, multipleOf: 0.5}", "BREAKING multipleOf 0.5 added", "compatible multipleOf removed"},
		{"{type: string, maxLength: 10}", "{type: string, maxLength: 5}", "BREAKING maxLength lowered from 10 to 5", "compatible maxLength raised from 5 to 10"},
		{"{type: string}", "{type: string, minLength: 1}", "BREAKING minLength 1 added", "compatible minLength 1 removed"},
		{"{type: string}", "{type: string, pattern: a}", `BREAKING pattern "a" added`, "compatible pattern removed"},
		{"{type: string, pattern: a}", "{type: string, pattern: b}", `BREAKING pattern changed from "a" to "b"`, `BREAKING pattern changed from "b" to "a"`},
		{"{type: array, items: {type: string}}", "{type: array, items: {type: string}, maxItems: 3}", "BREAKING maxItems 3 added", "compatible maxItems 3 removed"},
		{"{type: array, items: {type: string}}", "{type: array, items: {type: string}, x-kubernetes-list-type: set}", "BREAKING list type changed from atomic to set", "BREAKING list type changed from set to atomic"},
		{"{type: array, items: {type: string}}", "{type: array, items: {type: string}, x-kubernetes-list-type: atomic}", "", ""},
		{"{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a], items: {type: object}}", "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a, b], items: {type: object}}", "BREAKING list map keys changed from [a] to [a b]", "BREAKING list map keys changed from [a b] to [a]"},
		{"{type: object}", "{type: object, x-kubernetes-map-type: atomic}", "BREAKING map type changed from granular to atomic", "BREAKING map type changed from atomic to granular"},
		{"{type: object, x-kubernetes-preserve-unknown-fields: true}", "{type: object}", "BREAKING unknown fields are not preserved any more", "compatible unknown fields are preserved now"},
		{"{type: object, x-kubernetes-preserve-unknown-fields: true}", "{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}", "BREAKING .a field is described now", "compatible .a field is not described any more"},
		{"{type: object}", "{type: object, properties: {a: {type: string}}}", "compatible .a field added", "BREAKING .a field removed"},
		{"{type: object, properties: {a: {type: string}}}", "{type: object, required: [a], properties: {a: {type: string}}}", "BREAKING .a required now", "compatible .a not required any more"},
		{"{type: object, properties: {a: {type: string, default: x}}}", "{type: object, required: [a], properties: {a: {type: string, default: x}}}", "compatible .a required now", "compatible .a not required any more"},
		{"{type: object, additionalProperties: {type: string}}", "{type: object}", "BREAKING .* additionalProperties removed", "compatible .* additionalProperties added"},
		{"{type: object, additionalProperties: {type: string}}", "{type: object, additionalProperties: {type: string, maxLength: 1}}", "BREAKING .* maxLength 1 added", "compatible .* maxLength 1 removed"},
		{"{type: object, additionalProperties: {type: string}}", "{type: object, properties: {a: {type: string}}}", "BREAKING .* additionalProperties removed", "compatible .* additionalProperties added"},
		{"{type: object, additionalProperties: {type: string}}", "{type: object, x-kubernetes-preserve-unknown-fields: true}", "compatible unknown fields are preserved now; compatible .* values are not described any more", "BREAKING unknown fields are not preserved any more; BREAKING .* values are described now"},
		{"{type: array, items: {type: string}}", "{type: array, items: {type: string, maxLength: 1}}", "BREAKING [] maxLength 1 added", "compatible [] maxLength 1 removed"},
		{"{type: string}", "{type: string, x-kubernetes-validations: [{rule: self != ''}]}", `BREAKING rule "self != ''" added`, `compatible rule "self != ''" removed`},
		{"{type: string, x-kubernetes-validations: [{rule: self != '', message: a}]}", "{type: string, x-kubernetes-validations: [{rule: self != ''}]}", "", ""},
		{"{type: string}", "{type: string, allOf: [{maxLength: 1}]}", "BREAKING allOf has another branch", "compatible allOf has fewer branches"},
		{"{type: string, anyOf: [{maxLength: 1}]}", "{type: string, anyOf: [{maxLength: 1}, {minLength: 3}]}", "compatible anyOf has another branch", "BREAKING anyOf lacks a branch that it had"},
		{"{type: string}", "{type: string, oneOf: [{maxLength: 1}]}", "BREAKING oneOf changed", "compatible oneOf removed"},
		{"{type: string}", "{type: string, not: {maxLength: 1}}", "BREAKING not changed", "compatible not removed"},
		{"{type: string, description: a}", "{type: string, description: b}", "", ""},
	} {
		for _, way := range []struct{ before, after, want string }{{tc.before, tc.after, tc.there}, {tc.after, tc.before, tc.back}} {
			changes := diff.Compare(of(t, withField(way.before)), of(t, withField(way.after)))
			if way.want == "" {
				if len(changes) != 0 {
					t.Errorf("%s -> %s: %v", way.before, way.after, changes)
				}
				continue
			}
			var list []string
			for _, c := range changes {
				verdict := map[bool]string{true: "BREAKING", false: "compatible"}[c.Breaking]
				list = append(list, strings.Join(strings.Fields(verdict+" "+strings.TrimPrefix(c.Path, ".spec.f")+" "+c.What), " "))
				if c.CRD != "as.b.c" || c.Version != "v1" || c.Breaking && c.Why == "" {
					t.Errorf("%+v", c)
				}
			}
			if got := strings.Join(list, "; "); got != way.want {
				t.Errorf("%s -> %s: %v\nwant %s", way.before, way.after, changes, way.want)
			}
		}
	}
}

func TestKinds(t *testing.T) {
	base := withField("{type: string}")
	edit := func(old, by string) string {
		if !strings.Contains(base, old) {
			t.Fatalf("there is no %s", old)
		}
		return strings.Replace(base, old, by, 1)
	}
	for _, tc := range []struct{ after, want string }{
		{base, ""},
		{edit("scope: Namespaced", "scope: Cluster"), `BREAKING as.b.c spec.scope: changed from "Namespaced" to "Cluster"`},
		{edit("group: b.c", "group: b.d"), `BREAKING as.b.c spec.group: changed from "b.c" to "b.d"`},
		{edit("plural: as", "plural: bs"), `BREAKING as.b.c spec.names.plural: changed from "as" to "bs"`},
		{edit("kind: A", "kind: A, singular: a, listKind: AList"), ""}, // the defaults
		{edit("kind: A", "kind: A, shortNames: [x]"), "compatible as.b.c spec.names.shortNames: short name x added"},
		{edit("kind: A", "kind: A, categories: [all]"), "compatible as.b.c spec.names.categories: category all added"},
		{edit("served: true", "served: false"), "BREAKING as.b.c v1 served: not served any more"},
		{edit("served: true", "served: true\n    deprecated: true"), "compatible as.b.c v1 deprecated: deprecated now"},
		{edit("- name: v1", "- name: v2"), "BREAKING as.b.c v1: version removed; compatible as.b.c v2: version added; compatible as.b.c v2 storage: this is the storage version now"},
		{base + "\n  - {name: v2, served: true, storage: false}", "compatible as.b.c v2: version added"},
		{edit("served: true", "served: true\n    subresources: {status: {}}"), "BREAKING as.b.c v1 subresources: status added"},
		{edit("served: true", "served: true\n    subresources: {scale: {specReplicasPath: .spec.f, statusReplicasPath: .status.f}}"), "compatible as.b.c v1 subresources: scale added"},
		{edit("served: true", "served: true\n    selectableFields: [{jsonPath: .spec.f}]"), "compatible as.b.c v1 selectableFields: .spec.f added"},
		{edit("served: true", "served: true\n    additionalPrinterColumns: [{name: F, type: string, jsonPath: .spec.f}]"), "compatible as.b.c v1 additionalPrinterColumns: printer columns changed"},
		{edit("scope:", "conversion: {strategy: Webhook}\n  scope:"), "compatible as.b.c spec.conversion.strategy: changed from None to Webhook"},
		{edit("schema:", "x-:")[:strings.Index(base, "schema:")-1], "compatible as.b.c v1: unknown fields are preserved now; compatible as.b.c v1 .spec: field is not described any more"},
		{strings.ReplaceAll(base, "as.b.c", "ds.b.c"), "BREAKING as.b.c: CustomResourceDefinition removed; compatible ds.b.c: CustomResourceDefinition added"},
	} {
		var got []string
		for _, c := range diff.Compare(of(t, base), of(t, tc.after)) {
			text := c.String()
			if c.Why != "" {
				text = strings.TrimSuffix(text, ": "+c.Why)
			}
			got = append(got, text)
		}
		if strings.Join(got, "; ") != tc.want {
			t.Errorf("%s\nwant %s", strings.Join(got, "; "), tc.want)
		}
	}
}

// TestStoredVersions: a version that is not served may go, but not while objects are stored in it.
func TestStoredVersions(t *testing.T) {
	two := withField("{type: string}") + "\n  - {name: v1alpha1, served: false, storage: false}"
	after := of(t, withField("{type: string}"))
	if c := diff.Compare(of(t, two), after); len(c) != 1 || c[0].Breaking {
		t.Errorf("%v", c)
	}
	if c := diff.Compare(of(t, two+"\nstatus: {storedVersions: [v1alpha1, v1]}"), after); len(c) != 1 || !c[0].Breaking {
		t.Errorf("%v", c)
	}
}

func Example() {
	read := func(schema string) []*apiextensionsv1.CustomResourceDefinition {
		c := &apiextensionsv1.CustomResourceDefinition{}
		if err := sigsyaml.Unmarshal([]byte(withField(schema)), c); err != nil {
			panic(err)
		}
		return []*apiextensionsv1.CustomResourceDefinition{c}
	}
	changes := diff.Compare(
		read("{type: integer, maximum: 10}"),
		read("{type: integer, maximum: 5, description: How many.}"))
	for _, c := range changes {
		fmt.Println(c)
	}
	fmt.Println(diff.Breaking(changes))
	// Output:
	// BREAKING as.b.c v1 .spec.f: maximum lowered from 10 to 5: what has another value is refused; stored objects stay as they are as long as the value is not changed
	// true
}
