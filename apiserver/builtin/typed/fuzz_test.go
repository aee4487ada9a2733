package typed_test

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// FuzzPod holds the schema to what decoding into the Go type and encoding again does.
func FuzzPod(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a","labels":{"a":null}},"spec":{"containers":[{"name":"a","ports":[{"containerPort":1}]}]}}`))
	f.Add([]byte(`{"spec":{"containers":[null],"overhead":{"cpu":0.5},"tolerations":[{"tolerationSeconds":1}]},"status":{"startTime":"2026-01-01T00:00:00+01:00"}}`))
	f.Add([]byte(`{"spec":{"volumes":[{"downwardAPI":{"items":[{"mode":0}]}}],"activeDeadlineSeconds":0}}`))
	s := compiler().Schema("io.k8s.api.core.v1.Pod", &corev1.Pod{}, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		obj, err := resource.Decode(data)
		if err != nil {
			return
		}
		encoded, err := resource.Encode(obj)
		if err != nil {
			return
		}
		want := kjson.Unmarshal(encoded, reflect.New(reflect.TypeFor[corev1.Pod]()).Interface())
		if got := s.CheckTypes(obj); (got == nil) != (want == nil) {
			t.Fatalf("CheckTypes says %v, the decoder %v", got, want)
		}
		if want != nil {
			return
		}
		expected := roundTrip(t, obj, &corev1.Pod{})
		s.Prune(obj)
		s.Default(obj)
		dropDeclared(obj)
		dropDeclared(expected)
		diff(t, obj, expected)
	})
}
