package apiserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	goruntime "runtime"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/internal/corpus"
)

// BenchmarkCRD creates CRDs of the corpus again and again under new names, and tells what one costs: time and memory
// allocated, its size, and what stays in memory while nobody uses it.
func BenchmarkCRD(b *testing.B) {
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
	g := NewWithT(b)
	s := apiservertest.Start(b, apiservertest.Options{})
	before, size := heap(), 0
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		c := all[n%len(all)].DeepCopy()
		c.Spec.Group = fmt.Sprintf("g%d.example.com", n)
		if strings.HasSuffix(all[n%len(all)].Spec.Group, "k8s.io") {
			c.Annotations = nil
		}
		c.Name = c.Spec.Names.Plural + "." + c.Spec.Group
		raw, err := json.Marshal(c)
		g.Expect(err).NotTo(HaveOccurred())
		size += len(raw)
		n++
		b.StartTimer()
		a := sendTo(g, s, http.MethodPost, crds, string(raw))
		if a.code != 201 {
			b.Fatalf("%s", a.body)
		}
	}
	b.ReportMetric(float64(size)/float64(n)/1024, "KiB-sent/op")
	b.ReportMetric(float64(heap()-before)/float64(n)/1024, "KiB-kept/op")
	if os.Getenv("OPENAPI") != "" {
		sendTo(g, s, http.MethodGet, "/openapi/v2", "")
		b.ReportMetric(float64(heap()-before)/float64(n)/1024, "KiB-kept-after-openapi/op")
	}
}

func heap() int64 {
	goruntime.GC()
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
