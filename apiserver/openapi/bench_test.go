package openapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/builtin"
	keelsonopenapi "github.com/keelson-project/keelson/apiserver/openapi"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/internal/corpus"
)

// sink is a client that reads and forgets.
type sink struct {
	header http.Header
	bytes  int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(b []byte) (int, error) { s.bytes += len(b); return len(b), nil }

// corpusCatalog serves n kinds, each in a group of its own, made of the corpus' CustomResourceDefinitions of about 40 KB
// of JSON.
func corpusCatalog(b *testing.B, n int) *resource.Catalog {
	b.Helper()
	var all []map[string]any
	for _, f := range corpus.CRDs(b) {
		raw, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		c := map[string]any{}
		if err := yaml.Unmarshal(raw, &c); err != nil {
			b.Fatal(err)
		}
		if j, err := json.Marshal(c); err == nil && len(j) > 20<<10 && len(j) < 80<<10 {
			all = append(all, c)
		}
	}
	c, size := resource.NewCatalog(), 0
	for _, d := range builtin.Definitions(builtin.Options{}) {
		c.Put(d)
	}
	for i := range n {
		from := all[i%len(all)]
		group := fmt.Sprintf("g%d.example.com", i)
		from["spec"].(map[string]any)["group"] = group
		raw, err := json.Marshal(from)
		if err != nil {
			b.Fatal(err)
		}
		size += len(raw)
		d, err := crd.ParseDefinition(raw)
		if err != nil {
			b.Fatal(err)
		}
		c.Put(d)
	}
	b.Logf("%d kinds of %d KB", n, size/n/1024)
	return c
}

// BenchmarkDocuments tells what a kind costs in each document, whenever a client reads it.
func BenchmarkDocuments(b *testing.B) {
	const kinds = 200
	c := corpusCatalog(b, kinds)
	per := func(name, accept string, paths func() []string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s := keelsonopenapi.New(c, keelsonopenapi.Options{})
			read := func() (size int) {
				for _, p := range paths() {
					w := &sink{header: http.Header{}}
					r := httptest.NewRequest(http.MethodGet, p, nil)
					r.Header.Set("Accept", accept)
					if served, err := s.Serve(w, r); err != nil || !served {
						b.Fatal(p, served, err)
					}
					size += w.bytes
				}
				return size
			}
			read() // what is made once for all kinds
			size, before := 0, cpu(b)
			for b.Loop() {
				if name == "index" {
					s = keelsonopenapi.New(c, keelsonopenapi.Options{})
				}
				size = read()
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N)/kinds, "µs-CPU/kind")
			b.ReportMetric(float64(size)/kinds/1024, "KiB/kind")
		})
	}
	one := func(p string) func() []string { return func() []string { return []string{p} } }
	per("v2", "application/json", one("/openapi/v2"))
	per("v2 as protobuf", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", one("/openapi/v2"))
	per("index", "application/json", one("/openapi/v3"))
	v3 := v3Paths(b, c)
	per("v3", "application/json", func() []string { return v3 })
	per("v3 as protobuf", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf", func() []string { return v3 })
}

// cpu is the time that all processors have spent on this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func v3Paths(b *testing.B, c *resource.Catalog) []string {
	w := httptest.NewRecorder()
	if _, err := keelsonopenapi.New(c, keelsonopenapi.Options{}).Serve(w, httptest.NewRequest(http.MethodGet, "/openapi/v3", nil)); err != nil {
		b.Fatal(err)
	}
	var ix struct {
		Paths map[string]struct{ ServerRelativeURL string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &ix); err != nil {
		b.Fatal(err)
	}
	var out []string
	for p, e := range ix.Paths {
		if strings.Contains(p, "example.com") {
			out = append(out, e.ServerRelativeURL)
		}
	}
	return out
}

// BenchmarkKept tells what stays in memory of a kind after someone has read all documents.
func BenchmarkKept(b *testing.B) {
	const kinds = 2000
	c := corpusCatalog(b, kinds)
	s := keelsonopenapi.New(c, keelsonopenapi.Options{})
	for b.Loop() {
		before := live()
		for _, p := range []string{"/openapi/v3", "/openapi/v2"} {
			if _, err := s.Serve(&sink{header: http.Header{}}, httptest.NewRequest(http.MethodGet, p, nil)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(live()-before)/kinds/1024, "KiB-kept/kind")
		goruntime.KeepAlive(s)
	}
}

func live() int64 {
	goruntime.GC()
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
