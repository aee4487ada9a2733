package apiservertest_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/internal/exampletest"
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
	exampletest.Run(test)
	// Output: 200 OK {"apiVersion":"v1
}
