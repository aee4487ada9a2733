package typed_test

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/builtin/typed"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func Example() {
	c := typed.NewCompiler(models.Embedded(), map[string]typed.Defaulter{
		"io.k8s.api.apps.v1.DeploymentSpec": func(spec map[string]any) {
			if spec["replicas"] == nil {
				spec["replicas"] = int64(1)
			}
		},
	})
	s := c.Schema("io.k8s.api.apps.v1.Deployment", &appsv1.Deployment{}, nil)

	fmt.Println(s.CheckTypes(resource.Object{"spec": map[string]any{"paused": "yes"}}))
	obj := resource.Object{"spec": map[string]any{"paused": false, "minReadySecond": int64(3)}}
	fmt.Println(s.Prune(obj))
	s.Default(obj)
	data, _ := json.Marshal(obj)
	fmt.Println(string(data))
	// Output:
	// json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool
	// [spec.minReadySecond]
	// {"metadata":{},"spec":{"replicas":1,"strategy":{},"template":{"metadata":{},"spec":{}}},"status":{}}
}
