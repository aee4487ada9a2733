package certs_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// crd is the one in testdata.
func crd(t testing.TB) *unstructured.Unstructured {
	t.Helper()
	data, err := os.ReadFile("testdata/websites.yaml")
	ok(t, err)
	u := &unstructured.Unstructured{}
	ok(t, yaml.Unmarshal(data, &u.Object))
	return u
}

// refusing lets CRDs be read and not be written.
type refusing struct{ next http.RoundTripper }

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPatch && strings.Contains(req.URL.Path, "customresourcedefinitions") {
		return &http.Response{
			StatusCode: http.StatusForbidden, Request: req, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"no"}`)),
		}, nil
	}
	return r.next.RoundTrip(req)
}
