package cel_test

import (
	"context"
	"fmt"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
)

func Example() {
	s, err := schema.Parse([]byte(`{
		"type": "object",
		"properties": {"spec": {
			"type": "object",
			"properties": {"min": {"type": "integer"}, "max": {"type": "integer"}},
			"x-kubernetes-validations": [{"rule": "self.min <= self.max", "fieldPath": ".min",
				"messageExpression": "'must not be above max, which is %d'.format([self.max])"}]
		}}
	}`))
	if err != nil {
		panic(err)
	}
	rules := cel.New(s) // for all objects of the kind
	obj := map[string]any{"spec": map[string]any{"min": int64(3), "max": int64(2)}}
	for _, err := range rules.Validate(context.Background(), nil, obj, nil, cel.Options{}) {
		fmt.Println(err)
	}
	// Output: spec.min: Invalid value: must not be above max, which is 2
}
