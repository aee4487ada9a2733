package apiserver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
	"github.com/keelson-project/keelson/internal/corpus"
)

// BenchmarkCRD creates CRDs of the corpus again and again under new names, and tells what one costs: time, CPU of the
// whole process (the client's included, which is little) and memory allocated, its size, and what stays in memory while
// nobody uses it. Each was created once before, so that the compiling of rules, which equal ones share, is left out.
// STORE=embedded takes the embedded etcd instead of the memory store; OPENAPI=1 reads all OpenAPI documents at the end.
func BenchmarkCRD(b *testing.B) {
	g := NewWithT(b)
	all := corpusCRDs(b)
	s := apiservertest.Start(b, apiservertest.Options{Store: benchStore(b)})
	for i := range all {
		body := renamed(all[i], "warm", i)
		g.Expect(sendTo(g, s, http.MethodPost, crds, body).code).To(Equal(201))
	}
	bodies := make([]string, b.N)
	size := 0
	for n := range bodies {
		bodies[n] = renamed(all[n%len(all)], "g", n)
		size += len(bodies[n])
	}
	before, cpu := heap(), cpuTime()
	b.ReportAllocs()
	b.ResetTimer()
	for n := range bodies {
		if a := sendTo(g, s, http.MethodPost, crds, bodies[n]); a.code != 201 {
			b.Fatalf("%s", a.body)
		}
		bodies[n] = ""
	}
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/n, "us-cpu/op")
	b.ReportMetric(float64(size)/n/1024, "KiB-sent/op")
	b.ReportMetric((float64(heap()-before)+float64(size))/n/1024, "KiB-kept/op")
	if os.Getenv("OPENAPI") != "" {
		for _, path := range []string{"/openapi/v2", "/openapi/v3", "/openapi/v3/apis/*"} {
			cpu = cpuTime()
			readDocuments(g, s, path)
			b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/(n+float64(len(all))), "us-cpu-of-"+path+"/op")
		}
		b.ReportMetric((float64(heap()-before)+float64(size))/n/1024, "KiB-kept-after-openapi/op")
	}
}

// readDocuments reads a document and forgets it. A path that ends in a star is of all v3 documents that begin so.
func readDocuments(g *WithT, s *apiservertest.Server, path string) {
	prefix, several := strings.CutSuffix(path, "*")
	if !several {
		res, err := s.Client().Get("http://keelson" + path)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = io.Copy(io.Discard, res.Body)
		g.Expect(errors.Join(err, res.Body.Close())).To(Succeed())
		return
	}
	index := sendTo(g, s, http.MethodGet, "/openapi/v3", "")
	for gv := range index.object["paths"].(map[string]any) {
		if path := "/openapi/v3/" + gv; strings.HasPrefix(path, prefix) {
			readDocuments(g, s, path)
		}
	}
}

// corpusCRDs are the CRDs of the corpus, as JSON.
func corpusCRDs(b *testing.B) []apiextensionsv1.CustomResourceDefinition {
	var all []apiextensionsv1.CustomResourceDefinition
	for _, f := range corpus.CRDs(b) {
		raw, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		var c apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(raw, &c); err != nil {
			b.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// renamed is the JSON of c in a group of its own.
func renamed(c apiextensionsv1.CustomResourceDefinition, prefix string, n int) string {
	if strings.HasSuffix(c.Spec.Group, "k8s.io") {
		c.Annotations = nil
	}
	c.Spec.Group = fmt.Sprintf("%s%d.example.com", prefix, n)
	c.Name = c.Spec.Names.Plural + "." + c.Spec.Group
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func benchStore(b *testing.B) storage.Store {
	if os.Getenv("STORE") != "embedded" {
		return nil
	}
	s, err := embedded.Open(b.Context(), embedded.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() int64 {
	goruntime.GC()
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkCRDLimit tells what no server can avoid that takes CRDs of the corpus and keeps them safely: the exchange of
// each by TLS and HTTP/2, sent and answered (both ends are in this process), decoding it once by encoding/json into the Go
// type, and etcd's part.
func BenchmarkCRDLimit(b *testing.B) {
	g := NewWithT(b)
	var bodies [][]byte
	for i, c := range corpusCRDs(b) {
		bodies = append(bodies, []byte(renamed(c, "g", i)))
	}
	each := func(b *testing.B, f func(n int, body []byte)) {
		cpu := cpuTime()
		b.ResetTimer()
		for n := range b.N {
			f(n, bodies[n%len(bodies)])
		}
		b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "us-cpu/op")
	}
	b.Run("exchange", func(b *testing.B) {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write(body)
		}))
		s.EnableHTTP2 = true
		s.StartTLS()
		defer s.Close()
		each(b, func(_ int, body []byte) {
			res, err := s.Client().Post(s.URL, "application/json", bytes.NewReader(body))
			g.Expect(err).NotTo(HaveOccurred())
			_, err = io.Copy(io.Discard, res.Body)
			g.Expect(errors.Join(err, res.Body.Close())).To(Succeed())
		})
	})
	b.Run("decode", func(b *testing.B) {
		each(b, func(_ int, body []byte) {
			g.Expect(json.Unmarshal(body, &apiextensionsv1.CustomResourceDefinition{})).To(Succeed())
		})
	})
	b.Run("etcd", func(b *testing.B) {
		s, err := embedded.Open(b.Context(), embedded.Config{Dir: b.TempDir()})
		g.Expect(err).NotTo(HaveOccurred())
		defer func() { _ = s.Close() }()
		each(b, func(n int, body []byte) {
			_, err := s.Put(b.Context(), fmt.Sprintf("/registry/crds/%s/%d", b.Name(), n), body, 0, storage.PutOptions{})
			g.Expect(err).NotTo(HaveOccurred())
		})
	})
}
