package patch_test

import (
	"fmt"

	"github.com/keelson-project/keelson/apiserver/patch"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func Example() {
	p, err := patch.Parse(patch.Merge, []byte(`{"spec":{"replicas":3,"paused":null}}`), patch.Options{})
	if err != nil {
		panic(err)
	}
	obj, err := p.Apply(resource.Object{"spec": map[string]any{"replicas": int64(1), "paused": true, "host": "a"}})
	fmt.Println(obj, err)
	// Output: map[spec:map[host:a replicas:3]] <nil>
}
