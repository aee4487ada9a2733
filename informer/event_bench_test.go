package informer

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// BenchmarkEvent takes an event of a small object into a store of 100,000, from its bytes to where readers see it and
// handlers are to be told; with an index, for the work that that makes.
func BenchmarkEvent(b *testing.B) {
	for _, compact := range []bool{false, true} {
		b.Run(fmt.Sprint("compact ", compact), func(b *testing.B) {
			inf := New(Config[*unstructured.Unstructured]{Compact: compact})
			inf.AddMetaIndex("namespace", func(m Meta) []string { return []string{m.GetNamespace()} })
			inf.AddMetaHandler(func(Change[Meta]) {})
			p := inf.engine.parts[0]
			const n = 20_000
			event := func(i int) {
				it, err := p.hold("", fmt.Appendf(nil, `{"metadata":{"name":"object-%06d","namespace":"ns-%d","uid":"u","resourceVersion":"%d"},"spec":{"a":1}}`,
					i*7919%n, i%100, i+1))
				if err != nil {
					b.Fatal(err)
				}
				p.apply(false, it)
			}
			i := 0
			for ; i < n; i++ {
				event(i)
			}
			b.ReportAllocs()
			for b.Loop() {
				event(i)
				i++
			}
		})
	}
}
