package schemas

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	"k8s.io/kube-openapi/pkg/handler"

	"github.com/keelson-project/keelson/apiserver/openapi"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/internal/corpus"
	"github.com/keelson-project/keelson/internal/randschema"
)

// TestDocuments compares the OpenAPI documents of the corpus' CustomResourceDefinitions with those that kube-apiserver's
// own code makes of them, whole.
func TestDocuments(t *testing.T) {
	for _, file := range files(t, corpus.Dir(t), "crds") {
		var c apiextensionsv1.CustomResourceDefinition
		read(t, file, &c)
		compareDocuments(t, &c)
		if t.Failed() {
			t.Fatal(file)
		}
	}
}

// TestRandomDocuments does the same with schemas that nobody has written.
func TestRandomDocuments(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		noise := make([]byte, 600)
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		compareDocuments(t, randomKind(randschema.New(noise).Root()))
		if t.Failed() {
			t.FailNow()
		}
	}
}

func randomKind(props *apiextensionsv1.JSONSchemaProps) *apiextensionsv1.CustomResourceDefinition {
	c := &apiextensionsv1.CustomResourceDefinition{}
	c.Spec.Group, c.Spec.Scope = group, apiextensionsv1.ClusterScoped
	c.Spec.Names = apiextensionsv1.CustomResourceDefinitionNames{Plural: "things", Singular: "thing", Kind: kind, ListKind: "ThingList"}
	c.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{
		Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: props},
	}}
	return c
}

func compareDocuments(t *testing.T, c *apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	if c.Spec.Names.ListKind == "" {
		c.Spec.Names.ListKind = c.Spec.Names.Kind + "List"
	}
	d, err := crd.NewDefinition(c)
	if err != nil {
		t.Fatal(err)
	}
	catalog := resource.NewCatalog()
	catalog.Put(d)
	server := openapi.New(catalog, openapi.Options{})
	v2 := document(t, server, "/openapi/v2")
	for _, v := range c.Spec.Versions {
		if !v.Served {
			continue
		}
		theirs, err := builder.BuildOpenAPIV3(c, v.Name, builder.Options{IncludeSelectableFields: true})
		if err != nil {
			t.Fatal(err)
		}
		same(t, document(t, server, "/openapi/v3/apis/"+c.Spec.Group+"/"+v.Name), decoded(t, theirs))

		swagger, err := builder.BuildOpenAPIV2(c, v.Name, builder.Options{V2: true, IncludeSelectableFields: true})
		if err != nil {
			t.Fatal(err)
		}
		swagger.Definitions = handler.PruneDefaults(swagger.Definitions)
		want := decoded(t, swagger)
		// What all kinds have is theirs too, but for the kinds of DeleteOptions: the static document goes before it.
		for name, definition := range want["definitions"].(map[string]any) {
			got := v2["definitions"].(map[string]any)[name]
			if name == "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions" {
				continue
			}
			same(t, map[string]any{name: got}, map[string]any{name: definition})
		}
		for _, section := range []string{"paths", "parameters"} {
			for name, w := range want[section].(map[string]any) {
				same(t, map[string]any{name: v2[section].(map[string]any)[name]}, map[string]any{name: w})
			}
		}
	}
}

func same(t *testing.T, got, want map[string]any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-kube-apiserver +keelson)\n%.6000s", diff)
	}
}

func document(t *testing.T, s *openapi.Server, path string) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	if served, err := s.Serve(w, httptest.NewRequest(http.MethodGet, path, nil)); err != nil || !served {
		t.Fatal(path, served, err)
	}
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(path, err)
	}
	return out
}

func decoded(t *testing.T, v any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
