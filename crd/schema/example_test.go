package schema_test

import (
	"fmt"

	"github.com/keelson-project/keelson/crd/schema"
)

func Example() {
	s, err := schema.Parse([]byte(`{"type":"object","properties":{"spec":{"type":"object","default":{},"properties":{
		"host":{"type":"string"},"replicas":{"type":"integer","default":2}}}}}`))
	if err != nil {
		panic(err)
	}
	obj := map[string]any{"kind": "Website", "spec": map[string]any{"host": "example.com", "hots": "typo"}}
	fmt.Println("unknown:", schema.Prune(obj, s))
	schema.Default(obj, s)
	fmt.Println(obj)
	// Output:
	// unknown: [spec.hots]
	// map[kind:Website spec:map[host:example.com replicas:2]]
}
