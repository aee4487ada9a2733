// Package exampletest lets an Example show a test.
package exampletest

import (
	"os"
	"testing"
)

// Run does what `go test` does with a test; what it prints of its own is dropped, what the test prints is not.
func Run(test func(*testing.T)) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	os.Stdout, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "Test", F: func(t *testing.T) {
		os.Stdout = stdout
		test(t)
	}}})
}
