package offline_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/apiserver/offline"
	"github.com/keelson-project/keelson/crd/source"
	"github.com/keelson-project/keelson/internal/corpus"
)

const crd = `apiVersion: apiextensions.k8s.io/v1
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
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [size]
            x-kubernetes-validations: [{rule: "self.size != 'L' || self.buttons > 5", message: large ones have more buttons}]
            properties:
              size: {type: string, enum: [S, M, L]}
              buttons: {type: integer, maximum: 10, default: 5}
`

func parse(t testing.TB, text string) []*source.Document {
	t.Helper()
	docs, err := source.Parse("file.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// lines validates objects and returns the verdicts' text.
func lines(t *testing.T, crds, objects string, o offline.Options) string {
	t.Helper()
	verdicts, err := offline.Validate(t.Context(), parse(t, crds), parse(t, objects), o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range verdicts {
		out = append(out, v.String())
	}
	return strings.Join(out, "\n")
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name, crds, objects, want string
		o                         offline.Options
	}{
		{"accepted", crd, "apiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: a}\nspec: {size: S}",
			"file.yaml:1: accepted: Shirt a", offline.Options{}},
		{"two causes, each with its line", crd, "# one\napiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: a}\nspec:\n  size: XL\n  buttons: 11",
			`file.yaml:7: refused: Shirt a: spec.buttons: Invalid value: 11: spec.buttons in body should be less than or equal to 10
file.yaml:6: refused: Shirt a: spec.size: Unsupported value: "XL": supported values: "S", "M", "L"
file.yaml:2: refused: Shirt a: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation`, offline.Options{}},
		{"a rule, on a default", crd, "apiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: a, namespace: other}\nspec: {size: L}",
			"file.yaml:4: refused: Shirt a: spec: Invalid value: large ones have more buttons", offline.Options{}},
		{"unknown field, twice the same key", crd, "---\napiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: a}\nspec:\n  size: S\n  pocket: 1\n  size: M",
			"file.yaml:7: refused: Shirt a: unknown field \"spec.pocket\"\nfile.yaml:8: refused: Shirt a: key \"size\" already set in map", offline.Options{}},
		{"the same, with warnings", crd, "apiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: a}\nspec: {size: S, pocket: 1}",
			"file.yaml:1: accepted: Shirt a\nfile.yaml:1: warning: Shirt a: unknown field \"spec.pocket\"", offline.Options{FieldValidation: "Warn"}},
		{"not served", crd, "apiVersion: example.com/v2\nkind: Shirt\n---\nkind: A\n---\napiVersion: v1",
			`file.yaml:1: refused: Shirt: no matches for kind "Shirt" in version "example.com/v2"
file.yaml:4: refused: A: apiVersion not set
file.yaml:6: refused: : kind not set`, offline.Options{}},
		{"built in, in a List", "", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: A}}",
			`file.yaml:4: refused: ConfigMap A: metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`, offline.Options{}},
		{"a CRD among the objects, behind one of its kind", "", "apiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: a}\nspec: {size: S}\n---\n" + crd,
			"file.yaml:6: accepted: CustomResourceDefinition shirts.example.com\nfile.yaml:1: accepted: Shirt a", offline.Options{}},
		{"the same CRD in both places", crd, crd, "file.yaml:1: accepted: CustomResourceDefinition shirts.example.com", offline.Options{}},
		{"another one of the same name", crd, strings.Replace(crd, "[S, M, L]", "[S]", 1),
			`file.yaml:1: refused: CustomResourceDefinition shirts.example.com: customresourcedefinitions.apiextensions.k8s.io "shirts.example.com" already exists`, offline.Options{}},
		{"a CRD that is refused", strings.Replace(crd, "type: integer", "type: number, pattern: '('", 1), "",
			`file.yaml:23: refused: CustomResourceDefinition shirts.example.com: spec.validation.openAPIV3Schema.properties[spec].properties[buttons].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): ` + "`(`", offline.Options{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := lines(t, tc.crds, tc.objects, tc.o); got != tc.want {
				t.Errorf("\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
	if _, err := offline.Validate(t.Context(), nil, nil, offline.Options{FieldValidation: "strict"}); err == nil {
		t.Error("strict is not Strict")
	}
}

// TestWebhooks: nobody is asked unless that is wished.
func TestWebhooks(t *testing.T) {
	two := strings.Replace(crd, "  scope:", "  conversion:\n    strategy: Webhook\n    webhook: {conversionReviewVersions: [v1], clientConfig: {url: 'https://127.0.0.1:1/'}}\n  scope:", 1) +
		"  - name: v2\n    served: true\n    storage: false\n    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {length: {type: integer}}}}}}\n"
	object := "apiVersion: example.com/v2\nkind: Shirt\nmetadata: {name: a}\nspec: {length: %s}"
	if got := lines(t, two, fmt.Sprintf(object, "1"), offline.Options{}); got != "file.yaml:1: accepted: Shirt a" {
		t.Error(got)
	}
	if got := lines(t, two, fmt.Sprintf(object, "long"), offline.Options{}); !strings.HasPrefix(got, "file.yaml:4: refused: Shirt a: spec.length: Invalid value") {
		t.Error(got)
	}
	if got := lines(t, two, fmt.Sprintf(object, "1"), offline.Options{Webhooks: true}); !strings.Contains(got, "conversion webhook for example.com/v2, Kind=Shirt failed") {
		t.Error(got)
	}
}

// TestCorpus compares the verdicts on all samples of the corpus with kube-apiserver's.
func TestCorpus(t *testing.T) {
	dir := corpus.Dir(t)
	f, err := os.Open(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var crds, objects []string
	type answer struct{ code, reason string }
	want := map[string]answer{}
	rows := bufio.NewScanner(f)
	rows.Buffer(nil, 1<<20)
	for rows.Scan() {
		c := strings.Split(rows.Text(), "\t")
		file := filepath.Join(dir, c[0])
		switch c[1] {
		case "crd":
			crds = append(crds, file)
		case "create":
			objects = append(objects, file)
			want[file] = answer{c[3], c[4]}
		}
	}
	read := func(files []string) []*source.Document {
		docs, err := source.Read(files, nil)
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
	verdicts, err := offline.Validate(t.Context(), read(crds), read(objects), offline.Options{Webhooks: true})
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, v := range verdicts {
		if v.Kind == "CustomResourceDefinition" {
			if !v.Accepted {
				t.Errorf("%s is refused: %s", v.File, v.Message)
			}
			continue
		}
		judged++
		if got := (answer{strconv.Itoa(v.Code), v.Reason}); got != want[v.File] {
			t.Errorf("%s: %v, kube-apiserver says %v", v.File, got, want[v.File])
		}
		for _, c := range v.Causes {
			if c.Line < v.Line {
				t.Errorf("%s: line %d of %s is before the object", v.File, c.Line, c.Field)
			}
		}
	}
	t.Logf("%d verdicts on objects", judged)
	if judged != len(objects) {
		t.Errorf("%d verdicts on %d objects", judged, len(objects))
	}
}

func ExampleValidate() {
	crds, err := source.Parse("crd.yaml", []byte(crd))
	if err != nil {
		panic(err)
	}
	objects, err := source.Parse("shirts.yaml", []byte("apiVersion: example.com/v1\nkind: Shirt\nmetadata:\n  name: mine\nspec:\n  size: S\n  buttons: 12\n"))
	if err != nil {
		panic(err)
	}
	verdicts, err := offline.Validate(context.Background(), crds, objects, offline.Options{})
	if err != nil {
		panic(err)
	}
	for _, v := range verdicts {
		fmt.Println(v)
	}
	// Output:
	// shirts.yaml:7: refused: Shirt mine: spec.buttons: Invalid value: 12: spec.buttons in body should be less than or equal to 10
}
