package validation_test

import (
	"fmt"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
)

func Example() {
	s, err := schema.Parse([]byte(`{"type":"object","properties":{"spec":{"type":"object","required":["host"],"properties":{
		"host":{"type":"string","minLength":3},"replicas":{"type":"integer","minimum":0}}}}}`))
	if err != nil {
		panic(err)
	}
	v, err := validation.New(s)
	if err != nil {
		panic(err)
	}
	old := map[string]any{"spec": map[string]any{"host": "a", "replicas": int64(-1)}}
	fmt.Println(v.Validate(nil, old).ToAggregate())

	// Nobody touches host, so the update may keep it.
	obj := map[string]any{"spec": map[string]any{"host": "a", "replicas": int64(-2)}}
	fmt.Println(v.ValidateUpdate(nil, obj, old).ToAggregate())
	// Output:
	// [spec.host: Invalid value: "a": spec.host in body should be at least 3 chars long, spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0]
	// spec.replicas: Invalid value: -2: spec.replicas in body should be greater than or equal to 0
}
