package client_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keelson-project/keelson/runtime/client"
)

func TestResources(t *testing.T) {
	served, err := start(t).Resources(t.Context())
	ok(t, err)
	found := map[string]string{}
	for _, s := range served {
		found[s.Resource.Resource+"."+s.Resource.Group] = fmt.Sprint(s.Kind, s.Namespaced, s.Can("list", "watch", "delete"), s.Can("deletecollection"))
	}
	for name, want := range map[string]string{
		"configmaps.":                        "/v1, Kind=ConfigMap true true true",
		"namespaces.":                        "/v1, Kind=Namespace false true false",
		"deployments.apps":                   "apps/v1, Kind=Deployment true true true",
		"tokenreviews.authentication.k8s.io": "",
	} {
		if found[name] != want {
			t.Errorf("%s is %q, want %q", name, found[name], want)
		}
	}
}

// A server behind which another is away says so, and tells of the rest.
func TestStaleResources(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api" {
			_, _ = io.WriteString(w, `{"kind":"APIGroupDiscoveryList","items":[]}`)
			return
		}
		_, _ = io.WriteString(w, `{"kind":"APIGroupDiscoveryList","items":[
			{"metadata":{"name":"metrics.example.com"},"versions":[{"version":"v1","freshness":"Stale"}]},
			{"metadata":{"name":"a.example.com"},"versions":[
				{"version":"v2","freshness":"Current","resources":[{"resource":"as","scope":"Cluster","responseKind":{"kind":"A"},"verbs":["get"]}]},
				{"version":"v1","freshness":"Current","resources":[{"resource":"as","scope":"Cluster","responseKind":{"kind":"A"},"verbs":["get"]}]}]}]}`)
	}))
	defer srv.Close()
	c, err := client.New(client.Config{Host: srv.URL}, client.Options{})
	ok(t, err)
	served, err := c.Resources(t.Context())
	if len(served) != 1 || served[0].Kind.Version != "v2" {
		t.Errorf("served: %+v", served)
	}
	want := "unable to retrieve the complete list of server APIs: metrics.example.com/v1: stale GroupVersion discovery: metrics.example.com/v1"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
