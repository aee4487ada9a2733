package gotypes

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-tools/pkg/crd"
	"sigs.k8s.io/controller-tools/pkg/genall"
	"sigs.k8s.io/controller-tools/pkg/loader"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/crd/gotypes"
	"github.com/keelson-project/keelson/crd/source"
	"github.com/keelson-project/keelson/internal/corpus"
)

// TestCorpus takes all definitions of the corpus to Go and back.
func TestCorpus(t *testing.T) { roundTrip(t, corpus.CRDs(t)) }

// TestHard does it with what is hard to say in Go, and still can be said.
func TestHard(t *testing.T) { roundTrip(t, []string{filepath.Join("testdata", "hard.yaml")}) }

func roundTrip(t *testing.T, files []string) {
	t.Helper()
	docs, err := source.ReadCRDs(files, nil)
	check(t, err)
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, d := range docs {
		c, err := d.CRD()
		check(t, err)
		crds = append(crds, c)
	}
	again := generate(t, crds)
	excused := map[string]int{}
	schemas := 0
	for _, was := range crds {
		is := again[was.Name]
		if is == nil {
			t.Errorf("%s is not made again", was.Name)
			continue
		}
		schemas += len(was.Spec.Versions)
		if was.Spec.Conversion != nil && was.Spec.Conversion.Webhook != nil {
			excused["a webhook, which no marker configures"]++
		}
		was.Spec.Conversion = nil
		for _, v := range was.Spec.Versions {
			if v.Schema != nil && v.Schema.OpenAPIV3Schema != nil {
				excuse(v.Schema.OpenAPIV3Schema, excused)
			}
		}
		tidy(was)
		tidy(is)
		if diff := gocmp.Diff(generic(t, was.Spec), generic(t, is.Spec)); diff != "" {
			t.Errorf("%s (-) as controller-gen makes it of the types (+):\n%s", was.Name, diff)
		}
	}
	t.Logf("%d schemas of %d definitions", schemas, len(crds))
	for why, n := range excused {
		t.Logf("left out %d times: %s", n, why)
	}
}

// generate writes types for crds and has controller-gen make CustomResourceDefinitions of them.
func generate(t *testing.T, crds []*apiextensionsv1.CustomResourceDefinition) map[string]*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	files, err := gotypes.Generate(crds, gotypes.Options{})
	check(t, err)
	check(t, os.MkdirAll("testdata", 0o755))
	dir, err := os.MkdirTemp("testdata", "types-") // inside of this module, whose dependencies they have
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	check(t, gotypes.Write(dir, files))
	var roots []string
	for _, f := range files {
		roots = append(roots, "./"+filepath.ToSlash(filepath.Join(dir, filepath.Dir(f.Path))))
	}
	slices.Sort(roots)
	floats := true
	var generator genall.Generator = crd.Generator{AllowDangerousTypes: &floats}
	runtime, err := genall.Generators{&generator}.ForRoots(slices.Compact(roots)...)
	check(t, err)
	made := memoryFiles{}
	var problems bytes.Buffer
	runtime.OutputRules.Default, runtime.ErrorWriter = made, &problems
	if runtime.Run() {
		t.Errorf("controller-gen is not content; its complaints are above. %s", problems.String())
	}
	out := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, text := range made {
		c := &apiextensionsv1.CustomResourceDefinition{}
		check(t, yaml.UnmarshalStrict(text.Bytes(), c))
		out[c.Name] = c
	}
	return out
}

// excuse takes out of a schema what controller-gen cannot be told, and counts it.
func excuse(p *apiextensionsv1.JSONSchemaProps, excused map[string]int) {
	if n := len(p.AllOf) + len(p.OneOf) + len(p.AnyOf); (n > 0 || p.Not != nil) && !p.XIntOrString {
		excused["allOf, anyOf, oneOf or not, for which there is no marker"]++
		p.AllOf, p.OneOf, p.AnyOf, p.Not = nil, nil, nil, nil
	}
	below(p, func(child *apiextensionsv1.JSONSchemaProps) { excuse(child, excused) })
}

// tidy brings what can be said in several ways into one of them.
func tidy(c *apiextensionsv1.CustomResourceDefinition) {
	slices.SortFunc(c.Spec.Versions, func(a, b apiextensionsv1.CustomResourceDefinitionVersion) int { return strings.Compare(a.Name, b.Name) })
	c.Spec.Names.ListKind, c.Spec.Names.Singular = names(c)
	c.Spec.PreserveUnknownFields = false
	for _, v := range c.Spec.Versions {
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			continue
		}
		root := v.Schema.OpenAPIV3Schema
		dropCommon(root)
		tidySchema(root)
	}
}

// dropCommon drops the members that every object has.
func dropCommon(p *apiextensionsv1.JSONSchemaProps) {
	for _, name := range []string{"apiVersion", "kind", "metadata"} {
		delete(p.Properties, name)
		p.Required = slices.DeleteFunc(p.Required, func(r string) bool { return r == name })
	}
}

func names(c *apiextensionsv1.CustomResourceDefinition) (list, singular string) {
	list, singular = c.Spec.Names.ListKind, c.Spec.Names.Singular
	if list == "" {
		list = c.Spec.Names.Kind + "List"
	}
	if singular == "" {
		singular = strings.ToLower(c.Spec.Names.Kind)
	}
	return list, singular
}

func tidySchema(p *apiextensionsv1.JSONSchemaProps) {
	p.Description = "" // words of the types are among them
	slices.Sort(p.Required)
	if len(p.Properties) == 0 {
		p.Properties = nil
	}
	if p.XIntOrString {
		p.AnyOf = nil // which says the same again
	}
	if p.XEmbeddedResource {
		dropCommon(p)
	}
	if p.XPreserveUnknownFields != nil && p.Items != nil {
		p.Items.Schema.XPreserveUnknownFields = p.XPreserveUnknownFields // as a list passes it on
	}
	below(p, tidySchema)
}

// below has each schema below p changed.
func below(p *apiextensionsv1.JSONSchemaProps, change func(*apiextensionsv1.JSONSchemaProps)) {
	for name, child := range p.Properties {
		change(&child)
		p.Properties[name] = child
	}
	if p.Items != nil && p.Items.Schema != nil {
		change(p.Items.Schema)
	}
	if p.AdditionalProperties != nil && p.AdditionalProperties.Schema != nil {
		change(p.AdditionalProperties.Schema)
	}
}

func generic(t *testing.T, v any) (out any) {
	t.Helper()
	raw, err := json.Marshal(v)
	check(t, err)
	check(t, json.Unmarshal(raw, &out))
	return out
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memoryFiles keeps what a generator writes.
type memoryFiles map[string]*bytes.Buffer

func (m memoryFiles) Open(_ *loader.Package, path string) (io.WriteCloser, error) {
	m[path] = &bytes.Buffer{}
	return closer{m[path]}, nil
}

type closer struct{ io.Writer }

func (closer) Close() error { return nil }
