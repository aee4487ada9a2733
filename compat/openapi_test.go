package compat

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	openapi_v3 "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/proto"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

const (
	openapiV2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
	openapiV3 = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
)

// TestOpenAPIForms has client-go's discovery read the documents in both forms, which have to say the same, from Keelson
// or from a kube-apiserver.
func TestOpenAPIForms(t *testing.T) {
	config := restConfig(t)
	client, err := discovery.NewDiscoveryClientForConfig(config)
	check(t, err)
	paths, err := client.OpenAPIV3().Paths()
	check(t, err)
	for _, path := range []string{"api/v1", "apis/apps/v1", "apis/apiextensions.k8s.io/v1", "apis/coordination.k8s.io/v1"} {
		if paths[path] == nil {
			t.Fatalf("no document %s in %v", path, paths)
		}
		text, err := paths[path].Schema("application/json")
		check(t, err)
		want, err := openapi_v3.ParseDocument(text)
		check(t, err)
		raw, err := paths[path].Schema(openapiV3)
		check(t, err)
		got := &openapi_v3.Document{}
		check(t, proto.Unmarshal(raw, got))
		if a, b := canonicalYAML(t, got), canonicalYAML(t, want); a != b {
			t.Errorf("%s: the forms differ: %d bytes and %d", path, len(a), len(b))
		}
	}

	doc, err := client.OpenAPISchema() // by way of a transport that takes gzip
	check(t, err)
	transport, err := rest.TransportFor(config)
	check(t, err)
	want, err := openapi_v2.ParseDocument(compressed(t, transport, config.Host+"/openapi/v2", "application/json"))
	check(t, err)
	got := &openapi_v2.Document{}
	check(t, proto.Unmarshal(compressed(t, transport, config.Host+"/openapi/v2", openapiV2), got))
	if a, b := canonicalYAML(t, got), canonicalYAML(t, want); a != b || a != canonicalYAML(t, doc) {
		t.Errorf("v2: the forms differ: %d bytes and %d", len(a), len(b))
	}
}

// compressed gets what must come compressed.
func compressed(t *testing.T, transport http.RoundTripper, url, accept string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	check(t, err)
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := transport.RoundTrip(req)
	check(t, err)
	defer resp.Body.Close()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s as %s is not compressed: %s %v", url, accept, resp.Status, resp.Header)
	}
	z, err := gzip.NewReader(resp.Body)
	check(t, err)
	data, err := io.ReadAll(z)
	check(t, err)
	return data
}

// canonicalYAML returns m as text. Values inside it are YAML, of which there are several forms: they become JSON.
func canonicalYAML(t *testing.T, m proto.Message) string {
	t.Helper()
	raw, err := json.Marshal(m)
	check(t, err)
	var v any
	check(t, json.Unmarshal(raw, &v))
	parseYAML(t, v)
	raw, err = json.Marshal(v)
	check(t, err)
	return string(raw)
}

func parseYAML(t *testing.T, v any) {
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["yaml"].(string); ok {
			var value any
			check(t, yaml.Unmarshal([]byte(text), &value))
			v["yaml"] = value
			return
		}
		for _, member := range v {
			parseYAML(t, member)
		}
	case []any:
		for _, element := range v {
			parseYAML(t, element)
		}
	}
}
