package exampletest_test

import (
	"fmt"
	"testing"

	"github.com/keelson-project/keelson/internal/exampletest"
)

func ExampleRun() {
	exampletest.Run(func(t *testing.T) {
		fmt.Println(t.Name(), "prints this")
		t.Log("and this is for go test")
	})
	// Output: Test prints this
}
