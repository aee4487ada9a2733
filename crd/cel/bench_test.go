package cel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/internal/corpus"
)

// cpu reports the processor time of each operation; the time that passed says little on a busy machine.
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

func oneRule(text string) apiextensionsv1.ValidationRules {
	return apiextensionsv1.ValidationRules{{Rule: text}}
}

// BenchmarkValidate evaluates one rule on an object of 1.4 KB.
func BenchmarkValidate(b *testing.B) {
	for name, rule := range map[string]string{
		"scalars": "self.int > 0 && self.str != self.str2",
		"loop":    "self.mlist.all(o, o.n > 0 && self.strs.exists(s, s == o.k))",
		"map":     "self.map.all(k, self.map[k].startsWith('v'))",
		"set":     "self.set == self.set2",
		"update":  "self.set == oldSelf.set",
	} {
		b.Run(name, func(b *testing.B) {
			v := cel.New(parse(b, read(b, "schema.json"), oneRule(rule)))
			obj := decode(b, read(b, "old.json"))
			defer cpu(b)()
			for b.Loop() {
				if errs := v.Validate(b.Context(), nil, obj, obj, cel.Options{}); len(errs) > 0 {
					b.Fatal(errs)
				}
			}
		})
	}
}

// BenchmarkCompile compiles one rule of a schema with 50 properties.
func BenchmarkCompile(b *testing.B) {
	obj := decode(b, read(b, "old.json"))
	raw := read(b, "schema.json")
	s := parse(b, raw, oneRule(""))
	defer cpu(b)()
	for i := 0; b.Loop(); i++ { // each time another rule: equal ones are remembered
		other := *s
		other.Rules = oneRule(fmt.Sprintf("self.mlist.all(o, o.n > 0 && self.strs.exists(s, s == o.k)) || %d < 0", i))
		if errs := cel.New(&other).Validate(b.Context(), nil, obj, nil, cel.Options{}); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}

// BenchmarkValidateRules checks the rules of a CustomResourceDefinition of the corpus.
func BenchmarkValidateRules(b *testing.B) {
	for _, name := range []string{"gateway-api/crds/httproutes.gateway.networking.k8s.io.yaml", "cert-manager/crds/issuers.cert-manager.io.yaml"} {
		raw, err := os.ReadFile(filepath.Join(corpus.Dir(b), filepath.FromSlash(name)))
		if err != nil {
			b.Fatal(err)
		}
		var c apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(raw, &c); err != nil {
			b.Fatal(err)
		}
		s, err := schema.New(c.Spec.Versions[0].Schema.OpenAPIV3Schema)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		cel.Costs(nil, s, func(*field.Path, uint64) { n++ })
		b.Run(filepath.Base(name), func(b *testing.B) {
			defer cpu(b)()
			for b.Loop() {
				if errs := cel.ValidateRules(nil, s, nil, cel.Update{}); len(errs) > 0 {
					b.Fatal(errs)
				}
			}
			b.ReportMetric(float64(n), "rules")
		})
	}
}
