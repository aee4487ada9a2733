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
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.Token)
	r.Header.Set("Content-Type", "application/json")
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
