package openapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientdiscovery "k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/rest"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/discovery"
	keelsonopenapi "github.com/keelson-project/keelson/apiserver/openapi"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
)

// widget is a custom kind, as a CustomResourceDefinition makes it.
func widget(t testing.TB, group, plural, kind string) *resource.Definition {
	t.Helper()
	number, text := apiextensionsv1.JSONSchemaProps{Type: "integer", Description: "How many there are to be."}, apiextensionsv1.JSONSchemaProps{Type: "string"}
	d, err := crd.NewDefinition(&apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group, UID: types.UID(plural)},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Singular: strings.ToLower(kind), Kind: kind, ListKind: kind + "List"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", Description: "A Widget is an example.",
					Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": {
						Type: "object", Description: "What is wanted.", Required: []string{"replicas"},
						Properties: map[string]apiextensionsv1.JSONSchemaProps{
							"replicas": number,
							"size":     {XIntOrString: true, AnyOf: []apiextensionsv1.JSONSchemaProps{{Type: "integer"}, {Type: "string"}}},
							"color":    {Type: "string", Nullable: true, Default: &apiextensionsv1.JSON{Raw: []byte(`"red"`)}},
							"note":     text,
						},
					}},
				}},
			}},
		},
		Status: apiextensionsv1.CustomResourceDefinitionStatus{
			AcceptedNames: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Singular: strings.ToLower(kind), Kind: kind, ListKind: kind + "List"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newCatalog(t testing.TB) *resource.Catalog {
	c := resource.NewCatalog()
	for _, d := range builtin.Definitions(builtin.Options{}) {
		c.Put(d)
	}
	c.Put(widget(t, "example.com", "widgets", "Widget"))
	return c
}

// serve starts a server of both kinds of documents, and returns a client of it.
func serve(t testing.TB, c *resource.Catalog) (string, *clientdiscovery.DiscoveryClient) {
	t.Helper()
	docs, disco := keelsonopenapi.New(c, keelsonopenapi.Options{Version: "1.37"}), discovery.New(c, discovery.Options{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served, err := docs.Serve(w, r)
		if !served && err == nil {
			served, err = disco.Serve(w, r)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		} else if !served {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	client, err := clientdiscovery.NewDiscoveryClientForConfig(&rest.Config{Host: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	return srv.URL, client
}

func TestEveryGroupVersionHasADocument(t *testing.T) {
	c := newCatalog(t)
	_, client := serve(t, c)
	root := openapi3.NewRoot(client.OpenAPIV3())
	gvs, err := root.GroupVersions()
	if err != nil {
		t.Fatal(err)
	}
	if len(gvs) != 7 {
		t.Errorf("got %v", gvs)
	}
	for _, gv := range gvs {
		doc, err := root.GVSpec(gv)
		if err != nil {
			t.Errorf("%s: %v", gv, err)
			continue
		}
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range strings.Split(string(raw), `"$ref":"#/components/schemas/`)[1:] {
			name, _, _ := strings.Cut(ref, `"`)
			if doc.Components.Schemas[name] == nil {
				t.Errorf("%s: no schema %s", gv, name)
			}
		}
	}
}

// TestTypeConverter builds what server-side apply's managed fields are computed with.
func TestTypeConverter(t *testing.T) {
	_, client := serve(t, newCatalog(t))
	if _, err := openapi.NewTypeConverter(client.OpenAPIV3(), false); err != nil {
		t.Fatal(err)
	}
}

func TestHashesAndCaching(t *testing.T) {
	c := newCatalog(t)
	url, _ := serve(t, c)
	var ix struct {
		Paths map[string]struct{ ServerRelativeURL string }
	}
	read := func() http.Header {
		body, h := get(t, url+"/openapi/v3", nil)
		if err := json.Unmarshal([]byte(body), &ix); err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := read()
	before := ix.Paths["apis/example.com/v1"].ServerRelativeURL
	if !strings.HasPrefix(before, "/openapi/v3/apis/example.com/v1?hash=") {
		t.Fatalf("got %q", before)
	}
	if res := do(t, url+"/openapi/v3", map[string]string{"If-None-Match": h.Get("ETag")}); res.StatusCode != http.StatusNotModified {
		t.Errorf("same index: %s", res.Status)
	}
	res := do(t, url+before, nil)
	if got := res.Header.Get("Cache-Control"); got != "public, immutable" || res.Header.Get("Expires") == "" {
		t.Errorf("Cache-Control %q", got)
	}
	if res := do(t, url+before, map[string]string{"If-None-Match": res.Header.Get("ETag")}); res.StatusCode != http.StatusNotModified {
		t.Errorf("same document: %s", res.Status)
	}
	if res := do(t, url+before+"x", nil); res.StatusCode != http.StatusMovedPermanently || res.Header.Get("Location") != before {
		t.Errorf("another hash: %s %s", res.Status, res.Header.Get("Location"))
	}
	if res := do(t, url+before, map[string]string{"Accept": "image/png"}); res.StatusCode != http.StatusNotAcceptable {
		t.Errorf("image/png: %s", res.Status)
	}
	apps := ix.Paths["apis/apps/v1"].ServerRelativeURL
	c.Put(widget(t, "example.com", "gadgets", "Gadget"))
	read()
	if ix.Paths["apis/example.com/v1"].ServerRelativeURL == before {
		t.Error("the hash did not change with the group")
	}
	if ix.Paths["apis/apps/v1"].ServerRelativeURL != apps {
		t.Error("the hash of another group changed")
	}
	if res := do(t, url+"/openapi/v3/apis/none/v1", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("unknown group: %s", res.Status)
	}
}

func do(t testing.TB, url string, header map[string]string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func get(t testing.TB, url string, header map[string]string) (string, http.Header) {
	t.Helper()
	res := do(t, url, header)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, res.Status)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), res.Header
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func BenchmarkIndexOf10000(b *testing.B) {
	c := resource.NewCatalog()
	for i := range 10000 {
		c.Put(widget(b, fmt.Sprintf("g%d.example.com", i%100), fmt.Sprintf("widgets%d", i), fmt.Sprintf("Widget%d", i)))
	}
	r := httptest.NewRequest(http.MethodGet, "/openapi/v3", nil)
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := keelsonopenapi.New(c, keelsonopenapi.Options{}).Serve(httptest.NewRecorder(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
	s := keelsonopenapi.New(c, keelsonopenapi.Options{})
	if _, err := s.Serve(httptest.NewRecorder(), r); err != nil {
		b.Fatal(err)
	}
	b.Run("one more kind each time", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			c.Put(widget(b, "new.example.com", "widgets", fmt.Sprintf("Widget%d", i)))
			i++
			if _, err := s.Serve(httptest.NewRecorder(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCoreDocument(b *testing.B) {
	c := newCatalog(b)
	s := keelsonopenapi.New(c, keelsonopenapi.Options{CacheBytes: 1})
	r := httptest.NewRequest(http.MethodGet, "/openapi/v3/api/v1", nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Serve(httptest.NewRecorder(), r); err != nil {
			b.Fatal(err)
		}
	}
}
