package apiservertest_test

import (
	"testing"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/controllers"
	"github.com/keelson-project/keelson/controllers/garbagecollector"
	"github.com/keelson-project/keelson/controllers/namespace"
)

// BenchmarkStart is a test server from nothing to ready, and its end: what each test of an author pays.
func BenchmarkStart(b *testing.B) {
	for _, c := range []struct {
		name    string
		options func() apiservertest.Options
	}{
		{"server", func() apiservertest.Options { return apiservertest.Options{} }},
		{"no listener", func() apiservertest.Options { return apiservertest.Options{NoListener: true} }},
		{"controllers", func() apiservertest.Options {
			return apiservertest.Options{Controllers: controllers.ForTest(garbagecollector.Name, namespace.Name)}
		}},
		{"CRD", func() apiservertest.Options {
			return apiservertest.Options{NoListener: true, CRDs: []string{"../../samples/website/crd.yaml"}}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				apiservertest.Start(b, c.options()).Stop()
			}
		})
	}
}
