package rules_test

import (
	"context"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/crd/rules"
)

// What a server would say of a file, without a server.
func ExampleCheck() {
	var c apiextensionsv1.CustomResourceDefinition
	err := yaml.Unmarshal([]byte(`
metadata: {name: websites.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: websites, kind: Website}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          hosts: {type: array}
          replicas: {type: integer, minimum: 1, default: 0}
  - {name: v1beta1, served: true, storage: false}
`), &c)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range rules.Check(context.Background(), &c) {
		fmt.Println(e)
	}
	// Output:
	// spec.versions[1].schema.openAPIV3Schema: Required value
	// spec.versions[0].schema.openAPIV3Schema.properties[hosts].items: Required value: must be specified
}
