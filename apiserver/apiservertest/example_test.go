package apiservertest_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

func ExampleStart() {
	test := func(t *testing.T) { // func TestNamespaces(t *testing.T), in a file of one's own
		srv := apiservertest.Start(t, apiservertest.Options{})
		res, err := srv.Client().Get("http://server/api/v1/namespaces/default?pretty=false")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		fmt.Println(res.Status, string(body[:17]))
	}
	goTest(test)
	// Output: 200 OK {"apiVersion":"v1
}

// goTest does what `go test` does with a test, so that an example can show one; what it prints of its own is dropped.
func goTest(test func(*testing.T)) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	os.Stdout, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "Test", F: func(t *testing.T) {
		os.Stdout = stdout
		test(t)
	}}})
}
