package cel

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/keelson-project/keelson/internal/corpus"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// TestCorpus compares the rules of all CRDs, and what they say of all samples: created, updated to themselves, and
// updated from each other.
func TestCorpus(t *testing.T) {
	dir := corpus.Dir(t)
	files, _ := filepath.Glob(filepath.Join(dir, "*", "crds", "*.yaml"))
	kinds := map[string]*both{}
	rules := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Spec struct {
				Group    string
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Schema struct{ OpenAPIV3Schema json.RawMessage }
				}
			}
		}
		if err := yaml.Unmarshal(raw, &c); err != nil {
			t.Fatal(file, err)
		}
		for _, v := range c.Spec.Versions {
			b, err := newBoth(v.Schema.OpenAPIV3Schema)
			if err != nil {
				t.Fatal(file, err)
			}
			if !b.ours.HasRules() {
				continue
			}
			ours, ourErrs := b.ourCosts()
			theirs, theirErrs := b.theirCosts()
			rules += len(ours)
			if !maps.Equal(ours, theirs) || !maps.Equal(ourErrs, theirErrs) {
				t.Errorf("%s %s: costs %v, kube-apiserver's are %v; errors %v and %v", file, v.Name, ours, theirs, ourErrs, theirErrs)
			}
			b.compile()
			kinds[c.Spec.Group+"/"+v.Name+" "+c.Spec.Names.Kind] = b
		}
	}
	t.Logf("%d expressions in %d versions of kinds", rules, len(kinds))
	compareSamples(t, dir, kinds)
}

func compareSamples(t *testing.T, dir string, kinds map[string]*both) {
	last := map[string]map[string]any{}
	n := 0
	for _, pattern := range []string{"samples", "broken"} {
		files, _ := filepath.Glob(filepath.Join(dir, "*", pattern, "*.yaml"))
		for _, file := range files {
			obj := load(file)
			if obj == nil {
				continue
			}
			apiVersion, _ := obj["apiVersion"].(string)
			kind, _ := obj["kind"].(string)
			b := kinds[apiVersion+" "+kind]
			if b == nil {
				continue
			}
			n++
			b.compare(t, file, obj, nil)
			b.compare(t, file+" again", obj, runtime.DeepCopyJSON(obj))
			if old := last[apiVersion+kind]; old != nil {
				b.compare(t, file+" after another", obj, old)
			}
			last[apiVersion+kind] = obj
		}
	}
	t.Logf("%d objects", n)
	if n == 0 {
		t.Error("no sample has a kind with rules")
	}
}

// load returns nil for what is no object.
func load(file string) map[string]any {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	if raw, err = yaml.YAMLToJSON(raw); err != nil {
		return nil
	}
	obj, err := decode(raw)
	if err != nil {
		return nil
	}
	return obj
}

func decode(raw []byte) (obj map[string]any, err error) {
	err = utiljson.Unmarshal(raw, &obj)
	return obj, err
}
