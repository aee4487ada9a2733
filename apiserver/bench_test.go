package apiserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

// serve calls the server as a listener would, without a socket: what is measured is the server's own work.
func serve(b *testing.B, s *apiservertest.Server, method, path, body string) *httptest.ResponseRecorder {
	return serveAs(b, s, method, path, body, "application/json")
}

func serveAs(b *testing.B, s *apiservertest.Server, method, path, body, media string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.Token)
	r.Header.Set("Content-Type", media)
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, r)
	if w.Code >= 300 {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w
}

// configMap of about 1.6 KB.
func configMap(name string) string {
	var d strings.Builder
	for i := range 40 {
		fmt.Fprintf(&d, `,"property%02d":"a value of a usual length"`, i)
	}
	return `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"` + name + `","labels":{"app":"bench"}},"data":{` + d.String()[1:] + `}}`
}

const benchMaps = "/api/v1/namespaces/default/configmaps"

func BenchmarkCreate(b *testing.B) {
	s := apiservertest.Start(b, apiservertest.Options{})
	b.ReportAllocs()
	var n atomic.Int64
	for b.Loop() {
		serve(b, s, http.MethodPost, benchMaps, configMap(fmt.Sprintf("m%d", n.Add(1))))
	}
}

func BenchmarkGet(b *testing.B) {
	s := apiservertest.Start(b, apiservertest.Options{})
	serve(b, s, http.MethodPost, benchMaps, configMap("a"))
	b.ReportAllocs()
	for b.Loop() {
		serve(b, s, http.MethodGet, benchMaps+"/a", "")
	}
}

func BenchmarkList10000(b *testing.B) {
	s := apiservertest.Start(b, apiservertest.Options{})
	for i := range 10000 {
		serve(b, s, http.MethodPost, benchMaps, configMap(fmt.Sprintf("m%d", i)))
	}
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, benchMaps, nil)
		r.Header.Set("Authorization", "Bearer "+s.Token)
		w := &discard{header: http.Header{}}
		s.Handler.ServeHTTP(w, r)
		b.SetBytes(w.n)
	}
}

// discard is a ResponseWriter that counts.
type discard struct {
	header http.Header
	n      int64
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return io.Discard.Write(p)
}

// BenchmarkListConverted lists 10,000 custom objects in a version that they are not stored in, by conversion rules: the
// first time each is converted, from then on what was made is sent again.
func BenchmarkListConverted(b *testing.B) {
	s := apiservertest.Start(b, apiservertest.Options{})
	const spec = `{"type":"object","properties":{"spec":{"type":"object","properties":{"%s":{"type":"string"},"data":{"type":"object","additionalProperties":{"type":"string"}}}}}}`
	version := func(name, field string, storage bool) string {
		return fmt.Sprintf(`{"name":"%s","served":true,"storage":%t,"schema":{"openAPIV3Schema":`+spec+`}}`, name, storage, field)
	}
	serve(b, s, http.MethodPost, crds, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"sites.bench.example.com",
		"annotations":{"keelson.dev/conversion-rules":"hub: v1\nversions: {v2: [{move: {v1: spec.host, v2: spec.hostname}}]}"}},
		"spec":{"group":"bench.example.com","scope":"Namespaced","names":{"plural":"sites","kind":"Site"},"versions":[`+version("v1", "host", true)+`,`+version("v2", "hostname", false)+`]}}`)
	var data strings.Builder
	for i := range 40 {
		fmt.Fprintf(&data, `,"property%02d":"a value of a usual length"`, i)
	}
	path := "/apis/bench.example.com/v1/namespaces/default/sites"
	for i := range 10000 {
		serve(b, s, http.MethodPost, path, fmt.Sprintf(`{"apiVersion":"bench.example.com/v1","kind":"Site","metadata":{"name":"s%d"},"spec":{"host":"a.com","data":{%s}}}`, i, data.String()[1:]))
	}
	list := func(b *testing.B, path string) {
		b.ReportAllocs()
		for b.Loop() {
			serve(b, s, http.MethodGet, path, "")
		}
	}
	b.Run("stored", func(b *testing.B) { list(b, path) })
	b.Run("first", func(b *testing.B) {
		converted := strings.Replace(path, "/v1/", "/v2/", 1)
		for i := 0; b.Loop(); i++ {
			b.StopTimer() // another schema: nothing that was converted before is of use
			serveAs(b, s, http.MethodPatch, crds+"/sites.bench.example.com", fmt.Sprintf(`{"spec":{"names":{"categories":["c%d"]}}}`, i), "application/merge-patch+json")
			b.StartTimer()
			serve(b, s, http.MethodGet, converted, "")
		}
	})
	b.Run("again", func(b *testing.B) { list(b, strings.Replace(path, "/v1/", "/v2/", 1)) })
}
