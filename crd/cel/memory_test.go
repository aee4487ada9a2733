package cel_test

import (
	"fmt"
	goruntime "runtime"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
)

// TestEqualRulesAreShared counts what a hundred compiled kinds weigh: with the same rule little more than one.
func TestEqualRulesAreShared(t *testing.T) {
	raw, obj := read(t, "schema.json"), decode(t, read(t, "old.json"))
	weigh := func(rule func(i int) string) float64 {
		const n = 100
		kinds := make([]*cel.Validator, n)
		for i := range kinds {
			kinds[i] = cel.New(parse(t, raw, oneRule(rule(i))))
		}
		before := heap()
		for _, k := range kinds {
			if errs := k.Validate(t.Context(), nil, obj, nil, cel.Options{}); len(errs) > 0 {
				t.Fatal(errs)
			}
		}
		size := float64(heap()-before) / n
		goruntime.KeepAlive(kinds)
		return size
	}
	weigh(func(int) string { return "true" }) // the library
	others := weigh(func(i int) string { return fmt.Sprintf("self.ints.all(i, i > 0 && i < %d)", 100+i) })
	same := weigh(func(int) string { return "self.ints.all(i, i > 0 && i < 99)" })
	t.Logf("a kind with a rule of its own %.0f bytes, with the same rule as others %.0f", others, same)
	if others > 40<<10 || same > others/2 {
		t.Error("that is too much")
	}
}

func heap() int64 {
	for range 3 {
		goruntime.GC()
	}
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestConcurrent compiles and evaluates from many goroutines; it is there for the race detector.
func TestConcurrent(t *testing.T) {
	s := parse(t, read(t, "schema.json"), oneRule("self.ints.all(i, i > 0) && self.map.all(k, k.size() > 0)"))
	v := cel.New(s)
	obj := decode(t, read(t, "old.json"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if errs := v.Validate(t.Context(), nil, obj, obj, cel.Options{}); len(errs) > 0 {
					t.Error(errs)
				}
				if errs := cel.New(s).Validate(t.Context(), nil, obj, nil, cel.Options{}); len(errs) > 0 {
					t.Error(errs)
				}
				if errs := cel.ValidateRules(field.NewPath("x"), s, nil, cel.Update{}); len(errs) > 0 {
					t.Error(errs)
				}
			}
		})
	}
	all.Wait()
}
