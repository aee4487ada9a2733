package gotypes_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/crd/gotypes"
)

// FuzzGenerate: whatever a schema says, the files parse, and declare and contain nothing twice.
func FuzzGenerate(f *testing.F) {
	for _, doc := range parse(f, string(read(f, "testdata/odd.yaml"))) {
		raw, err := json.Marshal(doc.Spec.Versions[0].Schema.OpenAPIV3Schema)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "Kind")
	}
	f.Add([]byte(`{"properties":{"spec":{"type":"object","properties":{"a-b":{"type":"string","enum":["x","X"]},"aB":{"type":"string","enum":["x"]},"a_b":{"type":"object"}}}}}`), "Nullable")
	f.Add([]byte(`{"description":"a\n\t+b\n * c\n//go:build x","properties":{"items":{"type":"array","items":{"type":"array","items":{"type":"string","enum":["1","-1","\u00e9"]}}}}}`), "GroupVersion")
	f.Fuzz(func(t *testing.T, raw []byte, kind string) {
		var schema apiextensionsv1.JSONSchemaProps
		if sigsyaml.Unmarshal(raw, &schema) != nil {
			return
		}
		c := &apiextensionsv1.CustomResourceDefinition{}
		c.Spec.Group, c.Spec.Names.Kind = "example.com", kind
		c.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: "v1", Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &schema},
			Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
		}}
		files, err := gotypes.Generate([]*apiextensionsv1.CustomResourceDefinition{c}, gotypes.Options{})
		if err != nil {
			if strings.Contains(err.Error(), "is no valid kind") {
				return
			}
			t.Fatal(err)
		}
		seen := map[string]bool{}
		once := func(name string) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file.Path, file.Data, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			declared(parsed, once)
		}
	})
}

// declared calls once with each name that a file declares: types with their fields and methods, constants, functions.
func declared(file *ast.File, once func(string)) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				t := d.Recv.List[0].Type
				if star, ok := t.(*ast.StarExpr); ok {
					t = star.X
				}
				if generic, ok := t.(*ast.IndexExpr); ok {
					t = generic.X
				}
				name = t.(*ast.Ident).Name + "." + name
			}
			once(name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					once(s.Names[0].Name)
				case *ast.TypeSpec:
					once(s.Name.Name)
					if body, ok := s.Type.(*ast.StructType); ok {
						for _, field := range body.Fields.List {
							for _, n := range field.Names {
								once(s.Name.Name + "." + n.Name)
							}
						}
					}
				}
			}
		}
	}
}
