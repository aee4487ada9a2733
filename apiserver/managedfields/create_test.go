package managedfields

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/internal/corpus"
)

// sameWay creates obj both ways and compares; it returns whether there was a short way.
func sameWay(t *testing.T, m *Manager, obj resource.Object) bool {
	t.Helper()
	short, long := resource.DeepCopy(obj), resource.DeepCopy(obj)
	if !m.create(short, "creator") {
		if !reflect.DeepEqual(short, obj) {
			t.Errorf("what is given up has been changed: %v", short)
		}
		return false
	}
	f, err := m.manager(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Update(&unstructured.Unstructured{Object: m.Empty()}, &unstructured.Unstructured{Object: long}, "creator"); err != nil {
		// It looks into atomic lists and maps, too, and finds there what validation refuses.
		obj := m.withoutReset(obj) // that is gone by then
		c, _ := m.version.Schema.(resource.TypeChecker)
		if (c == nil || c.CheckTypes(resource.DeepCopy(obj)) == nil) && len(m.version.Schema.Validate(t.Context(), obj, nil)) == 0 {
			t.Errorf("the long way fails where the short one does not, of a valid object: %v\n%v", err, obj)
		}
		return true
	}
	for _, o := range []resource.Object{short, long} { // not even the last second of a minute may come between them
		for _, e := range entries(o) {
			if at, err := time.Parse(time.RFC3339, e.(map[string]any)["time"].(string)); err != nil || time.Since(at) > time.Minute {
				t.Errorf("time %v", e)
			}
			delete(e.(map[string]any), "time")
		}
	}
	a, _ := json.Marshal(short)
	b, _ := json.Marshal(long)
	if string(a) != string(b) {
		t.Errorf("the short way:\n%s\nthe long way:\n%s", a, b)
	}
	return true
}

// TestCreateIsUpdate compares the two ways on objects of a kind with everything, made by chance.
func TestCreateIsUpdate(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	d := definition(t, []byte(everything))
	m := For(d, d.Version("v1"), "", models.Embedded())
	short := 0
	const tries = 2000
	for range tries {
		obj := resource.Object{
			"apiVersion": "example.com/v1", "kind": "Thing",
			"metadata": map[string]any{"name": "a", "uid": "u", "labels": map[string]any{"a": "b"}, "finalizers": []any{"x/y"}},
			"spec":     randomSpec(r), "status": randomStatus(r),
		}
		if sameWay(t, m, obj) {
			short++
		}
		if t.Failed() {
			return
		}
	}
	if short < tries/4 || short == tries {
		t.Errorf("%d of %d objects went the short way: the test does not try both", short, tries)
	}
}

// randomStatus is nobody's, and yet nothing is anybody's where it does not fit the schema.
func randomStatus(r *rand.Rand) any {
	switch r.IntN(8) {
	case 0:
		return map[string]any{"phase": int64(5)}
	case 1:
		return []any{}
	case 2:
		return map[string]any{"phase": nil}
	}
	return map[string]any{"phase": "x"}
}

// TestCreateIsUpdateOfRealObjects does the same with those of the corpus.
func TestCreateIsUpdateOfRealObjects(t *testing.T) {
	set, managers := models.Embedded(), map[string]*Manager{}
	for _, file := range corpus.CRDs(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := definition(t, raw)
		for i := range d.Versions {
			v := &d.Versions[i]
			managers[d.APIVersion(v.Name)+" "+d.Names.Kind] = For(d, v, "", set)
		}
	}
	short, all := 0, 0
	for _, file := range corpus.Samples(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := yaml.YAMLToJSON(raw)
		if err != nil {
			continue
		}
		obj, err := resource.Decode(asJSON)
		m := managers[fmt.Sprint(obj["apiVersion"], " ", obj["kind"])]
		if err != nil || m == nil {
			continue
		}
		m.version.Schema.Prune(obj)
		m.version.Schema.Default(obj)
		all++
		if sameWay(t, m, obj) {
			short++
		}
	}
	t.Logf("%d of %d objects went the short way", short, all)
	if short < all*9/10 {
		t.Errorf("%d of %d real objects went the short way", short, all)
	}
}

// TestCreateIsUpdateOfBuiltIns: what their Go types always encode is nobody's.
func TestCreateIsUpdateOfBuiltIns(t *testing.T) {
	set := models.Embedded()
	tried := 0
	for _, d := range builtin.Definitions(builtin.Options{Models: set}) {
		v := &d.Versions[0]
		m := For(d, v, "", set)
		for _, text := range []string{
			`{"metadata":{"name":"a","labels":{"a":"b"}}}`,
			`{"metadata":{"name":"a"},"data":{"a":"b"}}`,
			`{"metadata":{"name":"a"},"spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}],"env":[{"name":"e","value":"v"}]}]}}}}`,
			`{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"v","emptyDir":{}}],"ports":[{"port":80}],"holderIdentity":"me"}}`,
		} {
			obj, err := resource.Decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			obj["apiVersion"], obj["kind"] = d.APIVersion(v.Name), d.Names.Kind
			v.Schema.Prune(obj)
			v.Schema.Default(obj)
			if sameWay(t, m, obj) {
				tried++
			}
		}
	}
	if tried < 10 {
		t.Errorf("only %d built-in objects went the short way", tried)
	}
}

func definition(t *testing.T, raw []byte) *resource.Definition {
	t.Helper()
	var c apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	d, err := crd.NewDefinition(&c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const everything = `
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, kind: Thing}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              text: {type: string}
              time: {type: string, format: date-time}
              number: {type: integer}
              ratio: {type: number}
              truth: {type: boolean}
              either: {x-kubernetes-int-or-string: true}
              any: {type: object, x-kubernetes-preserve-unknown-fields: true}
              open: {x-kubernetes-preserve-unknown-fields: true}
              map: {type: object, additionalProperties: {type: string}}
              nested: {type: object, properties: {a: {type: object, properties: {b: {type: string}}}}}
              atom: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: string}}}
              list: {type: array, items: {type: string}}
              set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              keyed:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port, protocol]
                items:
                  type: object
                  required: [port]
                  properties: {port: {type: integer}, protocol: {type: string, default: TCP}, name: {type: string}}
          status: {type: object, properties: {phase: {type: string}}}
`

// randomSpec is mostly of the right types, sometimes not, and not always complete.
func randomSpec(r *rand.Rand) map[string]any {
	spec := map[string]any{}
	for name, values := range map[string][]any{
		"text": {"a", "", int64(3)}, "time": {"2026-01-01T00:00:00Z", "x"}, "number": {int64(1), 2.5, "x"}, "ratio": {1.5, int64(2)},
		"truth": {true, false}, "either": {int64(1), "1"}, "open": {"x", int64(1), []any{"y"}, map[string]any{"a": map[string]any{}}},
		"any":    {map[string]any{}, map[string]any{"a": []any{map[string]any{"b": int64(1)}}, "c": map[string]any{"d": nil}}},
		"map":    {map[string]any{}, map[string]any{"a": "b", "c/d.e": "f"}, nil},
		"nested": {map[string]any{}, map[string]any{"a": map[string]any{"b": "c"}}, map[string]any{"x": "unknown"}},
		"atom":   {map[string]any{}, map[string]any{"a": "b"}},
		"list":   {[]any{}, []any{"a", "a"}},
		"set":    {[]any{}, []any{"a", "b"}, []any{"a", "a"}, []any{`"quoted"`, "é"}},
		"keyed": {
			[]any{}, []any{map[string]any{"port": int64(80), "protocol": "TCP", "name": "x"}, map[string]any{"port": int64(80), "protocol": "UDP"}},
			[]any{map[string]any{"port": int64(80)}}, []any{map[string]any{"name": "x"}},
		},
	} {
		if r.IntN(3) == 0 {
			spec[name] = values[min(r.IntN(len(values)+1), len(values)-1)]
			if r.IntN(4) > 0 {
				spec[name] = values[0]
			}
		}
	}
	return resource.DeepCopy(spec)
}
