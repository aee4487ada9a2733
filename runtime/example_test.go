package runtime_test

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/runtime"
)

func ExampleAddFinalizer() {
	obj := &corev1.ConfigMap{}
	fmt.Println(runtime.AddFinalizer(obj, "example.com/index"), runtime.AddFinalizer(obj, "example.com/index"))
	fmt.Println(obj.Finalizers)
	// Output:
	// true false
	// [example.com/index]
}
