package packed_test

import (
	"fmt"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/internal/packed"
)

// object is one of the load of bench/: 1.6 KB as it is stored.
func object() []byte {
	b := []byte(`{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"creationTimestamp":"2026-11-24T08:00:00Z","generation":1,"labels":{"app":"bench","tenth":"no"},"managedFields":[{"apiVersion":"example.com/v1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{".":{},"f:a":{},"f:b":{},"f:c":{}}},"manager":"bench","operation":"Update","time":"2026-11-24T08:00:00Z"}],"name":"widget-000001","namespace":"default","resourceVersion":"12345","uid":"0e4f4e2c-6b0f-4c1e-9a9e-000000000001"},"spec":{"args":["--level=info","--listen=0.0.0.0:8080","--shards=16"]`)
	for i := range 22 {
		b = fmt.Appendf(b, `,"field%02d":"%d the value of a field with some words"`, i, i*7919)
	}
	return append(b, `,"max":10,"phase":"Blue","replicas":3,"seq":123456,"settings":{"alpha":"on","beta":"off"}}}`...)
}

func BenchmarkPack(b *testing.B) {
	data := object()
	p := packed.Packer{Keys: packed.NewKeys(), DropManagedFields: true}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if v, ok := p.Pack(data); !ok || len(v) == 0 {
			b.Fatal("not packed")
		}
	}
	v, _ := p.Pack(data)
	b.ReportMetric(float64(len(v)), "B/value")
}

func BenchmarkDecode(b *testing.B) {
	keys := packed.NewKeys()
	p := packed.Packer{Keys: keys, DropManagedFields: true}
	v, _ := p.Pack(object())
	b.Run("packed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			keys.Decode(v)
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		data := object()
		for b.Loop() {
			var m map[string]any
			_ = utiljson.Unmarshal(data, &m)
		}
	})
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			keys.Find(v, "metadata", "uid")
		}
	})
}
