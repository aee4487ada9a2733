package lint_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/crd/lint"
	"github.com/keelson-project/keelson/crd/source"
	"github.com/keelson-project/keelson/internal/corpus"
)

// clean is a definition that nobody has anything to say of.
const clean = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shirts.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: shirts, singular: shirt, kind: Shirt, listKind: ShirtList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
    additionalPrinterColumns:
    - {name: Size, type: string, jsonPath: .spec.size}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        description: Shirt is a piece of cloth.
        properties:
          spec:
            type: object
            description: What is wanted.
            properties:
              size: {type: string, description: How large., enum: [S, M, L], default: M}
              # here
          status:
            type: object
            description: What there is.
            properties:
              ready: {type: boolean, description: Whether it is done.}
`

func parse(t testing.TB, text string) []*source.Document {
	t.Helper()
	docs, err := source.Parse("crd.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func findings(t testing.TB, text string, o lint.Options) []string {
	t.Helper()
	list, err := lint.Lint(context.Background(), parse(t, text), o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range list {
		out = append(out, f.String())
	}
	return out
}

// here is the clean definition with another field in spec, in line 27.
func here(field string) string {
	return strings.Replace(clean, "              # here\n", "              "+field+"\n", 1)
}

func edit(old, by string) string {
	if strings.Count(clean, old) != 1 {
		panic(old)
	}
	return strings.Replace(clean, old, by, 1)
}

// TestRules: each case draws the findings that it is for and no other. They are given as line, rule, and a part of
// the text.
func TestRules(t *testing.T) {
	cases := []struct {
		text string
		want []string
	}{
		{clean, nil},
		// What the server refuses.
		{edit("scope: Namespaced", "scope: Everywhere"), []string{`6 refused spec.scope: the server refuses it: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"`}},
		{here("a: {description: x}"), []string{"27 refused spec.validation.openAPIV3Schema.properties[spec].properties[a].type: the server refuses it: Required value: must not be empty for specified object fields"}},
		{here("a: {type: string, maxLength: 9, description: x, x-kubernetes-validations: [{rule: 'self.b', message: bad}]}"),
			[]string{"27 refused spec.validation.openAPIV3Schema.properties[spec].properties[a].x-kubernetes-validations[0].rule: the server refuses it: Invalid value: {\"Rule\":\"self.b\""}},
		{edit("metadata: {name: shirts.example.com}", `metadata: {name: shirts.example.com, annotations: {keelson.dev/conversion-rules: "hub: v2"}}`),
			[]string{`3 refused metadata.annotations[keelson.dev/conversion-rules]: the server refuses it: Invalid value: "hub": "v2" is no version of this kind`}},
		{edit("apiextensions.k8s.io/v1\n", "apiextensions.k8s.io/v1beta1\n"), []string{"1 refused apiextensions.k8s.io/v1beta1 is not served any more"}},
		{here("a: {type: string, description: x, maxLenght: 9}"), []string{`27 unknown-field spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.a.maxLenght: there is no such field`}},
		// Kinds and versions.
		{edit("kind: Shirt, ", "kind: shirt, "), []string{"7 kind-name spec.names.kind: kinds start with a capital; name it Shirt"}},
		{edit("name: v1\n", "name: vone\n"), []string{"9 version-name vone: clients take versions"}},
		{edit("    subresources:\n      status: {}\n", ""), []string{"26 status-subresource v1 .status: whoever writes"}},
		{clean[:strings.Index(clean, "          status:\n")], []string{"12 status-subresource v1: the schema has no status"}},
		{edit("    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}\n", ""), []string{"14 printer-columns v1: kubectl get does not show the age"}},
		{edit("    additionalPrinterColumns:\n    - {name: Size, type: string, jsonPath: .spec.size}\n    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}\n", ""),
			[]string{"9 printer-columns v1: kubectl get shows nothing"}},
		{edit(".spec.size}", ".spec.sizes}"), []string{"15 column-path v1: column Size is always empty: the schema has no .spec.sizes"}},
		{edit("status: {}", "status: {}\n      scale: {specReplicasPath: .spec.n, statusReplicasPath: .status.n}"),
			[]string{"14 column-path v1: scale does not work: the schema has no .spec.n", "14 column-path v1: scale does not work: the schema has no .status.n"}},
		{edit("description: What is wanted.\n            ", ""), []string{"22 description v1 .spec: 1 of 4 fields have no description"}},
		{clean + `  - name: v2
    served: true
    storage: false
    additionalPrinterColumns: [{name: Age, type: date, jsonPath: .metadata.creationTimestamp}]
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, description: x, properties: {length: {type: boolean, description: x}}}}}}
`, []string{"33 conversion .spec.length of v2 is lost, since objects are stored as v1, where it does not exist (1 such field)"}},
		{edit("            description: What is wanted.\n", "            description: "+strings.Repeat("x", 300<<10)+"\n"), []string{"1 size 300 KiB do not fit into the annotation"}},
		// Fields.
		{here("a: {type: array, description: x, items: {type: object}}"), []string{"27 list-type v1 .spec.a: server-side apply takes the list for one value"}},
		{here("a: {type: array, description: x, x-kubernetes-list-type: atomic, items: {type: object}}"), nil},
		{here("a: {type: array, description: x, items: {type: string}}"), nil},
		{here("a: {type: array, description: x, x-kubernetes-list-type: set, items: {type: object, x-kubernetes-map-type: atomic}}"), []string{"27 set-items v1 .spec.a: a set of items of type object"}},
		{here("a: {type: object, description: x, additionalProperties: {type: string}}"), []string{"27 unbounded-keys v1 .spec.a: there may be as many keys"}},
		{here("a: {type: object, description: x, maxProperties: 9, additionalProperties: {type: string}}"), nil},
		{here("a: {type: object, description: x, x-kubernetes-preserve-unknown-fields: true}"), []string{"27 preserve-unknown v1 .spec.a: what is in here"}},
		{edit("            description: What is wanted.\n", "            description: x\n            x-kubernetes-preserve-unknown-fields: true\n"), []string{"22 preserve-unknown v1 .spec: nothing is checked"}},
		{here("a: {type: string, description: x, enum: [a, b]}"), []string{"27 enum-default v1 .spec.a: say what the absence"}},
		{here("a: {type: integer, description: x}"), []string{"27 integer-format v1 .spec.a: set format"}},
		{here("a: {type: integer, description: x, minimum: 0, maximum: 9}"), nil},
		{here("a: {type: number, description: x}"), []string{"27 float v1 .spec.a: clients round"}},
		{here("a: {type: string, description: x, format: phone}"), []string{"27 format v1 .spec.a: format phone is not checked"}},
		{here("a: {type: string, description: x, pattern: '[a-z]+'}"), []string{"27 pattern-anchor v1 .spec.a: the pattern accepts anything"}},
		{here("snake_case: {type: string, description: x}"), []string{"27 field-name v1 .spec.snake_case: fields are named"}},
		{here("a: {type: string, description: x, maxLength: 9, x-kubernetes-validations: [{rule: self != 'a'}]}"), []string{"27 rule-message v1 .spec.a: users are shown the rule"}},
		// What rules look at.
		{here("a: {type: string, description: x, x-kubernetes-validations: [{rule: self != 'a', message: bad}]}"), []string{"27 rule-bounds v1 .spec.a: its rule is charged for the largest string"}},
		{here("a: {type: string, description: x, format: uuid, x-kubernetes-validations: [{rule: self != 'a', message: bad}]}"), nil},
		{here("a: {type: array, description: x, items: {type: string, maxLength: 9, x-kubernetes-validations: [{rule: self != 'a', message: bad}]}}"),
			[]string{"27 rule-bounds v1 .spec.a: the rule at .spec.a[], run for each item, is charged for the largest list"}},
		{here("a: {type: object, description: x, x-kubernetes-validations: [{rule: self.b != 'a', message: bad}], properties: {b: {type: string, description: x}, c: {type: string, description: x}}}"),
			[]string{"27 rule-bounds v1 .spec.a.b: the rule at .spec.a is charged for the largest string"}},
		{here("a: {type: object, description: x, x-kubernetes-validations: [{rule: has(self.b), message: bad}], properties: {b: {type: string, description: x}}}"), nil},
		{here("a: {type: array, maxItems: 500, description: x, x-kubernetes-validations: [{rule: 'self.all(x, self.exists(y, x == y))', message: bad}], items: {type: string, maxLength: 9}}"), nil},
		{here("a: {type: array, maxItems: 1200, description: x, x-kubernetes-validations: [{rule: 'self.all(x, self.exists(y, x == y))', message: bad}], items: {type: integer, format: int32}}"),
			[]string{"27 rule-cost v1 .spec.a: its rule's estimated cost is"}},
	}
	hit := map[string]bool{}
	for _, tc := range cases {
		got := findings(t, tc.text, lint.Options{})
		ok := len(got) == len(tc.want)
		for i := 0; ok && i < len(got); i++ {
			line, rest, _ := strings.Cut(tc.want[i], " ")
			rule, text, _ := strings.Cut(rest, " ")
			hit[rule] = true
			ok = strings.HasPrefix(got[i], "crd.yaml:"+line+": ") && strings.HasSuffix(got[i], " ("+rule+")") && strings.Contains(got[i], text)
		}
		if !ok {
			t.Errorf("%.3000s\nfinds\n%s\nwant\n%s", tc.text, strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
		}
	}
	for _, r := range lint.Rules() {
		if !hit[r.ID] && r.ID != "spec-type" {
			t.Errorf("no case is about %s", r.ID)
		}
	}
}

// TestSpecType is by itself, since such a definition draws more.
func TestSpecType(t *testing.T) {
	text := edit("            type: object\n            description: What is wanted.\n            properties:\n              size: {type: string, description: How large., enum: [S, M, L], default: M}\n              # here\n",
		"            type: string\n            description: x\n")
	if got := findings(t, text, lint.Options{Disable: []string{"column-path"}}); len(got) != 1 || !strings.HasSuffix(got[0], "(spec-type)") {
		t.Errorf("%q", got)
	}
	if _, err := lint.Lint(t.Context(), nil, lint.Options{Disable: []string{"nonsense"}}); err == nil || err.Error() != `there is no rule "nonsense"` {
		t.Error(err)
	}
}

// TestCorpus: kube-apiserver accepts all definitions of the corpus, so nothing is an error.
func TestCorpus(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(corpus.Dir(t), "*", "crds"))
	if err != nil {
		t.Fatal(err)
	}
	lintCorpus(t, folders)
}

func lintCorpus(t *testing.T, folders []string) {
	docs, err := source.ReadCRDs(folders, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := lint.Lint(t.Context(), docs, lint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Severity == lint.Error {
			t.Error(f)
		}
		if f.Line < 1 || f.Message == "" {
			t.Errorf("%+v", f)
		}
	}
	if !slices.ContainsFunc(list, func(f lint.Finding) bool {
		return f.Rule == "column-path" && f.CRD == "podvolumebackups.velero.io" && strings.Contains(f.Message, ".status.node")
	}) {
		t.Error("velero's column of a field that is nowhere is not found")
	}
	t.Logf("%d findings in %d definitions", len(list), len(docs))
}

func Example() {
	docs, err := source.Parse("shirts.yaml", []byte(here("buttons: {type: array, description: Large to small., items: {type: object}}")))
	if err != nil {
		panic(err)
	}
	findings, err := lint.Lint(context.Background(), docs, lint.Options{})
	if err != nil {
		panic(err)
	}
	for _, f := range findings {
		fmt.Printf("%s:%d %s %s %s\n", f.File, f.Line, f.Severity, f.Rule, f.Where())
	}
	// Output:
	// shirts.yaml:27 warning list-type v1 .spec.buttons
}
