package embedded_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keelson-project/keelson/apiserver/storage"
	"github.com/keelson-project/keelson/apiserver/storage/etcd/embedded"
)

func TestStart(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		at := time.Now()
		s, err := embedded.Open(context.Background(), embedded.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Log("open", time.Since(at))
		rev, err := s.Put(context.Background(), fmt.Sprint("/registry/x", i), []byte("v"), 0, storage.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Log("rev", rev)
		at = time.Now()
		s.Close()
		t.Log("close", time.Since(at))
	}
}

func BenchmarkPut(b *testing.B) {
	s, err := embedded.Open(context.Background(), embedded.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	v := make([]byte, 1600)
	var n atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Put(context.Background(), fmt.Sprint("/registry/x/", n.Add(1)), v, 0, storage.PutOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
