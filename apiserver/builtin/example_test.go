package builtin_test

import (
	"fmt"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func Example() {
	catalog := resource.NewCatalog()
	for _, d := range builtin.Definitions(builtin.Options{}) {
		catalog.Put(d)
	}
	d := catalog.Lookup("", "services")
	service := resource.Object{
		"apiVersion": "v1", "kind": "Service",
		"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}, "tpye": "ClusterIP"},
	}
	schema := d.Version("v1").Schema
	fmt.Println("unknown:", schema.Prune(service))
	schema.Default(service)
	fmt.Println("type:", service["spec"].(map[string]any)["type"])
	fmt.Println("stored at:", d.Key("default", "web"))
	// Output:
	// unknown: [spec.tpye]
	// type: ClusterIP
	// stored at: /registry/services/specs/default/web
}
