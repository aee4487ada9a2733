package crd_test

import (
	"context"
	"fmt"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
)

// A stored CustomResourceDefinition becomes a Definition, by which a server serves its objects: the schema is compiled
// when the first one comes.
func Example() {
	websites, err := crd.ParseDefinition([]byte(`{
		"metadata": {"name": "websites.example.com"},
		"spec": {
			"group": "example.com", "scope": "Namespaced",
			"names": {"plural": "websites", "kind": "Website"},
			"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
				"type": "object",
				"properties": {"spec": {"type": "object", "properties": {
					"host": {"type": "string", "minLength": 4},
					"replicas": {"type": "integer", "default": 2}
				}}}
			}}}]
		}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	obj := resource.Object{
		"apiVersion": "example.com/v1", "kind": "Website", "metadata": map[string]any{"name": "a"},
		"spec": map[string]any{"host": "a.b", "hots": "a.c"},
	}
	v1 := websites.Version("v1").Schema
	fmt.Println("unknown:", v1.Prune(obj))
	v1.Default(obj)
	fmt.Println("spec:", obj["spec"])
	for _, e := range v1.Validate(context.Background(), obj, nil) {
		fmt.Println(e)
	}
	// Output:
	// unknown: [spec.hots]
	// spec: map[host:a.b replicas:2]
	// spec.host: Invalid value: "a.b": spec.host in body should be at least 4 chars long
}
