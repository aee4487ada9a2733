package builtin_test

import (
	"context"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/resource"
)

// BenchmarkDeployment is what a create costs in this package: types, pruning, defaults, rules.
func BenchmarkDeployment(b *testing.B) {
	data, err := yaml.YAMLToJSON([]byte(web))
	if err != nil {
		b.Fatal(err)
	}
	base, err := resource.Decode(data)
	if err != nil {
		b.Fatal(err)
	}
	var d *resource.Definition
	for _, d = range builtin.Definitions(builtin.Options{}) {
		if d.Names.Kind == "Deployment" {
			break
		}
	}
	s, ctx := d.Versions[0].Schema, context.Background()
	objs := make([]resource.Object, b.N)
	for i := range objs {
		objs[i] = resource.DeepCopy(base)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, obj := range objs {
		s.Prune(obj)
		s.Default(obj)
		d.Hooks.PrepareCreate(ctx, obj)
		s.Default(obj)
		if errs := append(s.Validate(ctx, obj, nil), d.Hooks.Validate(ctx, obj, nil)...); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}
