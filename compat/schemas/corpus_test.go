package schemas

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/internal/corpus"
	"github.com/keelson-project/keelson/internal/randschema"
)

// TestCorpus compares what becomes of the corpus' objects, and of objects made from them by random changes, when they
// are created and updated.
func TestCorpus(t *testing.T) {
	dir := corpus.Dir(t)
	kinds := map[string]*apiextensionsv1.JSONSchemaProps{}
	for _, file := range files(t, dir, "crds") {
		var c apiextensionsv1.CustomResourceDefinition
		read(t, file, &c)
		for _, v := range c.Spec.Versions {
			if v.Schema != nil {
				kinds[c.Spec.Group+"/"+v.Name+" "+c.Spec.Names.Kind] = v.Schema.OpenAPIV3Schema
			}
		}
	}
	pairs := map[string]*pair{}
	r := rand.New(rand.NewPCG(3, 4))
	compared := 0
	for _, file := range append(files(t, dir, "samples"), files(t, dir, "broken")...) {
		var obj map[string]any
		read(t, file, &obj)
		apiVersion, _ := obj["apiVersion"].(string)
		kind, _ := obj["kind"].(string)
		props := kinds[apiVersion+" "+kind]
		if props == nil {
			continue
		}
		p := pairs[apiVersion+" "+kind]
		if p == nil {
			p = newPair(t, props)
			pairs[apiVersion+" "+kind] = p
		}
		for range 2 {
			noise := make([]byte, 300)
			for i := range noise {
				noise[i] = byte(r.Uint32())
			}
			p.follow(t, obj, randschema.New(noise).Changed(obj, props))
			compared++
		}
		if t.Failed() {
			t.Fatal(file)
		}
	}
	t.Logf("%d objects of %d kinds", compared, len(pairs))
}

func files(t *testing.T, dir, what string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", what, "*.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatal("no files", what, err)
	}
	return found
}

// read decodes YAML. A file that is none is left out: it never becomes an object.
func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := yaml.YAMLToJSON(text)
	if err == nil {
		err = utiljson.Unmarshal(raw, into)
	}
	if err != nil {
		t.Log(file, err)
	}
}
