package crd_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/internal/corpus"
	"sigs.k8s.io/yaml"
)

// BenchmarkCreate creates CustomResourceDefinitions of about the corpus' average size (60 kB), each in a group of its
// own.
func BenchmarkCreate(b *testing.B) {
	raw, err := os.ReadFile(filepath.Join(corpus.Dir(b), "cert-manager", "crds", "certificates.cert-manager.io.yaml"))
	if err != nil {
		b.Skip(err)
	}
	asJSON, err := yaml.YAMLToJSON(raw)
	if err != nil {
		b.Fatal(err)
	}
	w := ourWorld(b)
	b.SetBytes(int64(len(asJSON)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := []byte(strings.ReplaceAll(string(asJSON), "cert-manager.io", fmt.Sprintf("g%d.example.com", i)))
		r, err := w.send(http.MethodPost, definitions, body)
		if err != nil || r.code != http.StatusCreated {
			b.Fatalf("%v %d %s", err, r.code, r.body)
		}
	}
}
