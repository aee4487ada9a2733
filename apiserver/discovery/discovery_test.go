package discovery_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	discoveryv2 "k8s.io/api/apidiscovery/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientdiscovery "k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/discovery"
	"github.com/keelson-project/keelson/apiserver/resource"
)

const (
	v2      = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
	v2beta1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
)

func custom(group, plural, kind string, versions ...string) *resource.Definition {
	d := &resource.Definition{
		Group: group, Namespaced: true, Custom: true, Storage: versions[0],
		Names: resource.Names{
			Plural: plural, Singular: strings.ToLower(kind), Kind: kind, ListKind: kind + "List",
			ShortNames: []string{"w"}, Categories: []string{"all"},
		},
	}
	for _, v := range versions {
		d.Versions = append(d.Versions, resource.Version{
			Name: v, Served: v != "v1alpha1", Subresources: map[string]*resource.Subresource{"status": {}, "scale": {Scale: &resource.Scale{}}},
		})
	}
	return d
}

func newCatalog() *resource.Catalog {
	c := resource.NewCatalog()
	for _, d := range builtin.Definitions(builtin.Options{}) {
		c.Put(d)
	}
	c.Put(custom("stable.example.com", "widgets", "Widget", "v1beta1", "v1", "v2alpha1", "v1alpha1"))
	return c
}

func serve(t testing.TB, c *resource.Catalog) string {
	t.Helper()
	s := discovery.New(c, discovery.Options{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch served, err := s.Serve(w, r); {
		case err != nil:
			status := err.(apierrors.APIStatus).Status()
			http.Error(w, status.Message, int(status.Code))
		case !served:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func get(t testing.TB, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

// TestClientGo reads everything with client-go, by the aggregated documents and by the legacy ones: both must tell the
// same.
func TestClientGo(t *testing.T) {
	url := serve(t, newCatalog())
	read := func(legacy bool) ([]*metav1.APIGroup, []*metav1.APIResourceList) {
		client, err := clientdiscovery.NewDiscoveryClientForConfig(&rest.Config{Host: url})
		if err != nil {
			t.Fatal(err)
		}
		client.UseLegacyDiscovery = legacy
		groups, resources, err := client.ServerGroupsAndResources()
		if err != nil {
			t.Fatal(err)
		}
		return groups, resources
	}
	groups, resources := read(false)
	legacyGroups, legacyResources := read(true)
	names := func(groups []*metav1.APIGroup) (out []string) {
		for _, g := range groups {
			for _, v := range g.Versions {
				out = append(out, v.GroupVersion)
			}
		}
		return out
	}
	want := []string{
		"v1", "apps/v1", "events.k8s.io/v1", "batch/v1", "coordination.k8s.io/v1", "storagemigration.k8s.io/v1", "stable.example.com/v1", "stable.example.com/v1beta1",
		"stable.example.com/v2alpha1",
	}
	if got := names(groups); !slices.Equal(got, want) {
		t.Errorf("aggregated: got %v", got)
	}
	if got := names(legacyGroups); !slices.Equal(got, want) {
		t.Errorf("legacy: got %v", got)
	}
	summary := func(lists []*metav1.APIResourceList) (out []string) {
		for _, l := range lists {
			for _, r := range l.APIResources {
				out = append(out, fmt.Sprint(l.GroupVersion, " ", r.Name, " ", r.Kind, " ", r.Namespaced, " ", r.Verbs, r.ShortNames, r.Categories))
			}
		}
		slices.Sort(out)
		return out
	}
	a, b := summary(resources), summary(legacyResources)
	if !slices.Equal(a, b) {
		t.Errorf("aggregated:\n%s\nlegacy:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	for _, want := range []string{
		"v1 namespaces Namespace false [create delete get list patch update watch] [ns] []",
		"v1 namespaces/finalize Namespace false [update] [] []",
		"apps/v1 deployments/scale Scale true [get patch update] [] []",
		"stable.example.com/v1 widgets Widget true [delete deletecollection get list patch create update watch] [w] [all]",
	} {
		if !slices.Contains(a, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(a, "\n"))
		}
	}
}

func TestLegacyDocuments(t *testing.T) {
	url := serve(t, newCatalog())
	for path, want := range map[string]string{
		"/api":            `{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"`,
		"/apis":           `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}},`,
		"/apis/apps":      `{"kind":"APIGroup","apiVersion":"v1","name":"apps","versions":[`,
		"/api/v1":         `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"configmaps","singularName":"configmap","namespaced":true,"kind":"ConfigMap",`,
		"/apis/apps/v1":   `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[{"name":"deployments",`,
		"/apis/apps/v1/":  `{"kind":"APIResourceList","apiVersion":"v1",`,
		"/api/v1?foo=bar": `{"kind":"APIResourceList","groupVersion":"v1",`,
	} {
		res, body := get(t, url+path)
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), want) {
			t.Errorf("%s: %s %.300s", path, res.Status, body)
		}
	}
	for _, path := range []string{"/apis/none", "/apis/apps/v2", "/api/v2", "/apis//v1", "/apis/stable.example.com/v1alpha1", "/healthz"} {
		if res, _ := get(t, url+path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

// TestStorageVersionHashes are those that real servers show.
func TestStorageVersionHashes(t *testing.T) {
	url := serve(t, newCatalog())
	want := map[string]string{"pods": "xPOwRZ+Yhw8=", "configmaps": "qFsyl6wFWjQ=", "events": "r2yiGXH7wu8=", "deployments": "8aSe+NMegvE=", "storageversionmigrations": "pCjmmKOkLy4="}
	for _, path := range []string{"/api/v1", "/apis/apps/v1", "/apis/events.k8s.io/v1", "/apis/storagemigration.k8s.io/v1"} {
		var list metav1.APIResourceList
		_, body := get(t, url+path)
		if err := json.Unmarshal(body, &list); err != nil {
			t.Fatal(err)
		}
		for _, r := range list.APIResources {
			if w := want[r.Name]; w != "" && r.StorageVersionHash != w {
				t.Errorf("%s %s: got %s, want %s", path, r.Name, r.StorageVersionHash, w)
			}
		}
	}
}

func TestNegotiation(t *testing.T) {
	url := serve(t, newCatalog())
	for accept, want := range map[string]string{
		"":                                       "application/json",
		"*/*":                                    "application/json",
		v2 + "," + v2beta1 + ",application/json": v2,
		v2beta1 + ",application/json":            v2beta1,
		"application/json;q=0.9," + v2:           v2,
		v2 + ";q=0.5,application/json":           "application/json",
		"application/yaml":                       "application/yaml",
		"application/vnd.kubernetes.protobuf,application/json":                                  "application/json",
		"application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json": "application/json",
	} {
		res, _ := get(t, url+"/apis", "Accept", accept)
		if got := res.Header.Get("Content-Type"); got != want {
			t.Errorf("Accept %q: got %q, want %q", accept, got, want)
		}
	}
	const routed, plain = "406: Not Acceptable\n\nAvailable representations: application/json, ", "only the following media types are accepted: application/json, "
	for path, want := range map[string]string{"/api": routed, "/apis": plain, "/api/v1": routed, "/apis/apps": plain, "/apis/apps/v1": routed} {
		res, body := get(t, url+path, "Accept", "image/png")
		if res.StatusCode != http.StatusNotAcceptable || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
}

func TestETagMovesWithTheCatalog(t *testing.T) {
	c := newCatalog()
	url := serve(t, c)
	first, _ := get(t, url+"/apis", "Accept", v2)
	etag := first.Header.Get("ETag")
	if res, body := get(t, url+"/apis", "Accept", v2, "If-None-Match", etag); res.StatusCode != http.StatusNotModified || len(body) > 0 {
		t.Errorf("unchanged: %s %s", res.Status, body)
	}
	c.Put(custom("stable.example.com", "gadgets", "Gadget", "v1"))
	res, body := get(t, url+"/apis", "Accept", v2, "If-None-Match", etag)
	if res.StatusCode != http.StatusOK || !strings.Contains(string(body), `"resource":"gadgets"`) {
		t.Errorf("changed: %s", res.Status)
	}
	core, _ := get(t, url+"/api", "Accept", v2)
	c.Remove("stable.example.com", "gadgets")
	if res, _ := get(t, url+"/apis", "Accept", v2); res.Header.Get("ETag") != etag {
		t.Error("the ETag did not return with the content")
	}
	if res, _ := get(t, url+"/api", "Accept", v2); res.Header.Get("ETag") != core.Header.Get("ETag") {
		t.Error("the core group's ETag moved with another group")
	}
}

func TestAggregatedIsTheType(t *testing.T) {
	_, body := get(t, serve(t, newCatalog())+"/apis", "Accept", v2)
	var list discoveryv2.APIGroupDiscoveryList
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	apps := list.Items[0]
	if apps.Name != "apps" || apps.Versions[0].Freshness != discoveryv2.DiscoveryFreshnessCurrent || apps.Versions[0].Resources[0].ResponseKind.Kind != "Deployment" {
		t.Errorf("got %+v", apps)
	}
}

func TestTerminatingKindTakesNoWrites(t *testing.T) {
	d := custom("stable.example.com", "widgets", "Widget", "v1")
	d.Terminating = true
	c := resource.NewCatalog()
	c.Put(d)
	_, body := get(t, serve(t, c)+"/apis/stable.example.com/v1")
	if !strings.Contains(string(body), `"verbs":["delete","deletecollection","get","list","watch"]`) {
		t.Errorf("got %s", body)
	}
}

func BenchmarkAggregatedOf10000(b *testing.B) {
	c := resource.NewCatalog()
	for i := range 10000 {
		c.Put(custom(fmt.Sprintf("g%d.example.com", i%2000), fmt.Sprintf("widgets%d", i), fmt.Sprintf("Widget%d", i), "v1"))
	}
	s := discovery.New(c, discovery.Options{})
	r := httptest.NewRequest(http.MethodGet, "/apis", nil)
	r.Header.Set("Accept", v2)
	request := func() {
		if _, err := s.Serve(httptest.NewRecorder(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("unchanged", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			request()
		}
	})
	b.Run("one more kind each time", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			c.Put(custom("new.example.com", "widgets", fmt.Sprintf("Widget%d", i), "v1"))
			i++
			request()
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := discovery.New(c, discovery.Options{}).Serve(httptest.NewRecorder(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
