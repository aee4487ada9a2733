package crd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
	"github.com/keelson-project/keelson/internal/corpus"
)

// benchCRD has a spec of 40 properties, like the kinds of bench/load.
func benchCRD() string {
	properties := `"seq":{"type":"integer","minimum":0},"replicas":{"type":"integer","minimum":0,"maximum":1000,"default":1},` +
		`"max":{"type":"integer","minimum":0},"phase":{"type":"string","enum":["Blue","Green","Red"]},` +
		`"args":{"type":"array","maxItems":20,"items":{"type":"string","maxLength":100}},` +
		`"settings":{"type":"object","additionalProperties":{"type":"string"}}`
	for i := 6; i < 40; i++ {
		properties += fmt.Sprintf(`,"field%02d":{"type":"string","maxLength":200,"pattern":"^[a-z0-9 -]*$"}`, i)
	}
	return `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
		"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1",
		"served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",
		"required":["seq","max"],"properties":{` + properties + `}}}}}}]}}`
}

// benchObject has 1.6 KB.
func benchObject() string {
	spec := `"seq":7,"replicas":3,"max":10,"phase":"Blue","args":["--level=info","--listen=0.0.0.0:8080","--shards=16"],` +
		`"settings":{"alpha":"on","beta":"off","gamma":"automatic"}`
	for i := 6; i < 22; i++ {
		spec += fmt.Sprintf(`,"field%02d":"%d the value of a field with some words in it"`, i, 7*i)
	}
	return `{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"thing-000007","namespace":"default",
		"labels":{"app":"bench","tenth":"no"},"uid":"fa1b2c3d-0000-4000-8000-123456789abc","creationTimestamp":"2020-01-02T03:04:05Z",
		"generation":1},"spec":{` + spec + `}}`
}

func benchSchema(tb testing.TB, text string) resource.Schema {
	tb.Helper()
	d, err := crd.ParseDefinition([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return d.Versions[0].Schema
}

func decode(tb testing.TB, text string) resource.Object {
	tb.Helper()
	obj, err := resource.Decode([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return obj
}

// cpu reports the processor time of each operation next to the time that passed, which on a busy machine says little.
func cpu(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return u.Utime.Nano() + u.Stime.Nano()
	}
	b.ReportAllocs()
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// TestValidObjectsAllocateNothing holds the schema's part of a write, without CEL rules, to that.
func TestValidObjectsAllocateNothing(t *testing.T) {
	text := strings.Replace(benchCRD(), `"schema":{"openAPIV3Schema":{"type":"object","properties":{`, `"schema":{"openAPIV3Schema":{"type":"object","properties":{
		"status":{"type":"object","properties":{"conditions":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["type"],
		"items":{"type":"object","required":["type"],"properties":{"type":{"type":"string"},"lastTransitionTime":{"type":"string","format":"date-time"}}}},
		"port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]},
		"hosts":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}}},`, 1)
	whole := benchObject()
	whole = whole[:len(whole)-1] + `,"status":{"port":80,"hosts":["a","b"],"conditions":[{"type":"Ready","lastTransitionTime":"2020-01-02T03:04:05Z"},{"type":"Synced"}]}}`
	s, obj, old, ctx := benchSchema(t, text), decode(t, whole), decode(t, whole), context.Background()
	write := func() {
		if err := s.(resource.TypeChecker).CheckTypes(obj); err != nil {
			t.Fatal(err)
		}
		if unknown := s.Prune(obj); len(unknown) > 0 {
			t.Fatal(unknown)
		}
		s.Default(obj)
		if errs := s.Validate(ctx, obj, old); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	for range 50 { // patterns get their tables
		write()
	}
	if allocations := testing.AllocsPerRun(100, write); allocations >= 1 {
		t.Errorf("%v allocations", allocations)
	}
}

// BenchmarkObject is what a write of a valid object costs in the schema's hands.
func BenchmarkObject(b *testing.B) {
	s, obj, ctx := benchSchema(b, benchCRD()), decode(b, benchObject()), context.Background()
	checker := s.(resource.TypeChecker)
	defer cpu(b)()
	for b.Loop() {
		if err := checker.CheckTypes(obj); err != nil {
			b.Fatal(err)
		}
		if unknown := s.Prune(obj); len(unknown) > 0 {
			b.Fatal(unknown)
		}
		s.Default(obj)
		if errs := s.Validate(ctx, obj, nil); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}

func BenchmarkObjectParts(b *testing.B) {
	s, obj, ctx := benchSchema(b, benchCRD()), decode(b, benchObject()), context.Background()
	old := decode(b, benchObject())
	b.Run("types", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			_ = s.(resource.TypeChecker).CheckTypes(obj)
		}
	})
	b.Run("prune", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			s.Prune(obj)
		}
	})
	b.Run("default", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			s.Default(obj)
		}
	})
	b.Run("validate", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			s.Validate(ctx, obj, nil)
		}
	})
	b.Run("update", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			s.Validate(ctx, obj, old)
		}
	})
}

// BenchmarkObjectCompile is what the first object of a kind costs: its schema is decoded and compiled.
func BenchmarkObjectCompile(b *testing.B) {
	text, obj, ctx := benchCRD(), decode(b, benchObject()), context.Background()
	defer cpu(b)()
	for b.Loop() {
		benchSchema(b, text).Validate(ctx, obj, nil)
	}
}

// BenchmarkSchemaMemory compiles the schemas of the corpus and tells what each byte of their JSON takes.
func BenchmarkSchemaMemory(b *testing.B) {
	var raw [][]byte
	size := 0
	for _, file := range corpus.CRDs(b) {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		var c apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &c); err != nil {
			b.Fatal(err)
		}
		for i := range c.Spec.Versions {
			encoded, err := json.Marshal(c.Spec.Versions[i].Schema.OpenAPIV3Schema)
			if err != nil {
				b.Fatal(err)
			}
			raw = append(raw, encoded)
			size += len(encoded)
		}
	}
	heap := func() float64 {
		goruntime.GC()
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for b.Loop() {
		before := heap()
		var parsed []*schema.Schema
		for _, text := range raw {
			s, err := schema.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			s.PruneDefaults()
			parsed = append(parsed, s.Share())
		}
		between := heap()
		var compiled []*validation.Validator
		for _, s := range parsed {
			v, err := validation.New(s)
			if err != nil {
				b.Fatal(err)
			}
			compiled = append(compiled, v)
		}
		after := heap()
		b.ReportMetric((between-before)/float64(size), "schema-B/JSON-B")
		b.ReportMetric((after-between)/float64(size), "validator-B/JSON-B")
		b.ReportMetric(float64(size)/float64(len(raw)), "JSON-B")
		goruntime.KeepAlive(compiled)
	}
}
