package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/crd/source"
)

const two = `# a comment
---
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: as.example.com
  annotations:
    a.b/c: d
spec:
  versions:
  - name: v1
    schema: &schema
      openAPIV3Schema:
        properties:
          "a[0].b": {type: on}
  - {name: v2, schema: *schema}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: first, namespace: ns}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: second}
  data:
    a: b
`

func TestParse(t *testing.T) {
	docs, err := source.Parse("x.yaml", []byte(two))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range docs {
		got = append(got, fmt.Sprintf("%s:%d %s %s/%s %t", d.File, d.Line, d.Kind, d.Namespace, d.Name, d.IsCRD()))
	}
	want := []string{
		"x.yaml:4 CustomResourceDefinition /as.example.com true",
		"x.yaml:22 ConfigMap ns/first false",
		"x.yaml:23 ConfigMap /second false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	for path, line := range map[string]int{
		"":                            4,
		"metadata.name":               7,
		"metadata.annotations[a.b/c]": 9,
		"spec.versions[0].name":       12,
		"spec.versions[0].missing":    12,
		"spec.versions[7]":            11,
		"spec.versions[0].schema.openAPIV3Schema.properties[a[0].b].type": 16,
		"spec.versions[1].schema.openAPIV3Schema.properties":              15, // behind an alias
		"spec.validation.openAPIV3Schema":                                 14,
	} {
		if n := docs[0].LineOf(path); n != line {
			t.Errorf("%s is in line %d, want %d", path, n, line)
		}
	}
	if n := docs[2].LineOf("data.a"); n != 27 {
		t.Errorf("in a List: line %d", n)
	}
	if !strings.Contains(string(docs[0].JSON), `{"type":true}`) {
		t.Errorf("%s: Kubernetes reads on as true", docs[0].JSON)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.yaml": "kind: B", "a.yml": "kind: A\n---\nkind: A2", "sub/c.json": `{"kind": "C"}`, "README.md": "# no", "empty.yaml": "---\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	docs, err := source.Read([]string{"-", dir}, strings.NewReader("kind: In"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, d := range docs {
		kinds = append(kinds, d.Kind)
	}
	if got := strings.Join(kinds, " "); got != "In A A2 B C" || docs[0].File != "<stdin>" {
		t.Errorf("%s from %s", got, docs[0].File)
	}
	if _, err := source.ReadCRDs([]string{dir}, nil); err == nil || err.Error() != "there is no CustomResourceDefinition in "+dir {
		t.Error(err)
	}
	if _, err := source.Read([]string{filepath.Join(dir, "none")}, nil); !os.IsNotExist(err) {
		t.Error(err)
	}
	if _, err := source.Parse("x", []byte("a: b\n---\na: [")); err == nil || !strings.HasPrefix(err.Error(), "x: the document at line 3: ") {
		t.Error(err)
	}
}

func TestCRD(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: v1\nkind: Pod": "x:1: want a CustomResourceDefinition, got v1 Pod",
		"\napiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition": "x:2: apiextensions.k8s.io/v1beta1 is not served any more; write it as apiextensions.k8s.io/v1",
	} {
		docs, err := source.Parse("x", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := docs[0].CRD(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(two), "spec.versions[0]")
	f.Add([]byte("a: &a [*a]"), "a[0]")
	f.Fuzz(func(t *testing.T, raw []byte, path string) {
		docs, err := source.Parse("x", raw)
		if err != nil {
			return
		}
		for _, d := range docs {
			if n := d.LineOf(path); n < 1 {
				t.Errorf("line %d", n)
			}
			_, _ = d.CRD()
		}
	})
}

func ExampleDocument_LineOf() {
	docs, err := source.Parse("web.yaml", []byte("kind: Website\nspec:\n  pages:\n  - title: Home\n  - title: 42\n"))
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s:%d\n", docs[0].File, docs[0].LineOf("spec.pages[1].title"))
	// Output: web.yaml:5
}
