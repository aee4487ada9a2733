package discovery_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/keelson-project/keelson/apiserver/discovery"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func Example() {
	catalog := resource.NewCatalog()
	catalog.Put(&resource.Definition{
		Group: "example.com", Storage: "v1",
		Names:    resource.Names{Plural: "widgets", Singular: "widget", Kind: "Widget"},
		Versions: []resource.Version{{Name: "v1", Served: true}},
	})
	s := discovery.New(catalog, discovery.Options{})

	w := httptest.NewRecorder()
	served, err := s.Serve(w, httptest.NewRequest(http.MethodGet, "/apis/example.com", nil))
	fmt.Println(served, err)
	fmt.Print(w.Body)
	// Output:
	// true <nil>
	// {"kind":"APIGroup","apiVersion":"v1","name":"example.com","versions":[{"groupVersion":"example.com/v1","version":"v1"}],"preferredVersion":{"groupVersion":"example.com/v1","version":"v1"}}
}
