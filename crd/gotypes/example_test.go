package gotypes_test

import (
	"fmt"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/crd/gotypes"
	"github.com/keelson-project/keelson/crd/source"
)

func Example() {
	docs, err := source.Parse("crd.yaml", []byte(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, listKind: CronTabList}
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
            required: [schedule]
            properties:
              schedule: {type: string, minLength: 1, description: When to run.}
              replicas: {type: integer, format: int32}
`))
	if err != nil {
		panic(err)
	}
	crd, err := docs[0].CRD()
	if err != nil {
		panic(err)
	}
	files, err := gotypes.Generate([]*apiextensionsv1.CustomResourceDefinition{crd}, gotypes.Options{})
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		fmt.Println(f.Path)
	}
	_, spec, _ := strings.Cut(string(files[0].Data), "type CronTabSpec struct")
	spec, _, _ = strings.Cut(spec, "\n}")
	fmt.Println("type CronTabSpec struct" + spec + "\n}")
	// Output:
	// example.com/v1/crontab_types.go
	// example.com/v1/groupversion_info.go
	// example.com/v1/zz_generated.deepcopy.go
	// type CronTabSpec struct {
	// 	// +optional
	// 	Replicas *int32 `json:"replicas,omitempty"`
	//
	// 	// When to run.
	// 	// +required
	// 	// +kubebuilder:validation:MinLength=1
	// 	Schedule string `json:"schedule"`
	// }
}
