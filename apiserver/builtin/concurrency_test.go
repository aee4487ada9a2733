package builtin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/discovery"
	"github.com/keelson-project/keelson/apiserver/openapi"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// TestFirstUseByManyAtOnce is for the race detector: everything that is made on first use is used first by many.
func TestFirstUseByManyAtOnce(t *testing.T) {
	catalog := resource.NewCatalog()
	defs := builtin.Definitions(builtin.Options{Models: models.New()}) // of which nobody has used anything
	for _, d := range defs {
		catalog.Put(d)
	}
	disco, docs := discovery.New(catalog, discovery.Options{}), openapi.New(catalog, openapi.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range defs {
				d := defs[(i+j)%len(defs)]
				schema := d.Versions[0].Schema
				obj := resource.Object{"metadata": map[string]any{"name": "a", "namespace": "b"}, "spec": map[string]any{}}
				schema.Prune(obj)
				schema.Default(obj)
				schema.Validate(context.Background(), obj, nil)
				catalog.Put(d)
			}
			for _, path := range []string{"/apis", "/openapi/v3", "/openapi/v3/apis/coordination.k8s.io/v1"} {
				r, w := httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder()
				served, err := disco.Serve(w, r)
				if !served && err == nil {
					served, err = docs.Serve(w, r)
				}
				if !served || err != nil {
					t.Errorf("%s: %v %v", path, served, err)
				}
			}
		})
	}
	wg.Wait()
}
