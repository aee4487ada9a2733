package openapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/keelson-project/keelson/apiserver/builtin"
	keelsonopenapi "github.com/keelson-project/keelson/apiserver/openapi"
	"github.com/keelson-project/keelson/apiserver/resource"
)

func Example() {
	catalog := resource.NewCatalog()
	for _, d := range builtin.Definitions(builtin.Options{}) {
		catalog.Put(d)
	}
	s := keelsonopenapi.New(catalog, keelsonopenapi.Options{Version: "v1.37.2"})

	w := httptest.NewRecorder()
	if _, err := s.Serve(w, httptest.NewRequest(http.MethodGet, "/openapi/v3", nil)); err != nil {
		fmt.Println(err)
	}
	var index struct {
		Paths map[string]struct{ ServerRelativeURL string }
	}
	_ = json.Unmarshal(w.Body.Bytes(), &index)
	url, _, _ := strings.Cut(index.Paths["apis/apps/v1"].ServerRelativeURL, "=")
	fmt.Println(url)
	// Output: /openapi/v3/apis/apps/v1?hash
}
