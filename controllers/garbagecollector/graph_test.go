package garbagecollector

import (
	"fmt"
	goruntime "runtime"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

func heap() int64 {
	goruntime.GC()
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // it is less
}

// The graph's own memory for each object that has an owner, in groups of ten.
func BenchmarkMemoryPerNode(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		before := heap()
		g := newGraph(func(*node) {})
		k := g.kindOf(schema.GroupKind{Group: "example.com", Kind: "Website"})
		for i := range n {
			g.seen(k, dependent(i, i/10))
		}
		b.ReportMetric(float64(heap()-before)/n, "B/object")
		goruntime.KeepAlive(g)
	}
}

func dependent(i, owner int) *object {
	yes := true
	return &object{ObjectMeta: metav1.ObjectMeta{
		Namespace: fmt.Sprintf("namespace-%d", owner%10), Name: fmt.Sprintf("website-0123456789-%05d", i), UID: uid("object", i),
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "example.com/v1", Kind: "Website", Name: fmt.Sprintf("website-0123456789-%05d", owner), UID: uid("owner", owner),
			BlockOwnerDeletion: &yes, Controller: &yes,
		}},
	}}
}

func uid(kind string, i int) types.UID {
	return types.UID(fmt.Sprintf("%-8.8s-0000-0000-0000-%012d", kind, i))
}

// What is unlinked leaves nothing behind.
func TestGraphForgets(t *testing.T) {
	looks := 0
	g := newGraph(func(*node) { looks++ })
	k := g.kindOf(schema.GroupKind{Group: "example.com", Kind: "Website"})
	for i := range 100 {
		g.seen(k, dependent(i, i/10))
	}
	if looks != 10 {
		t.Errorf("%d owners to look for", looks)
	}
	for i := range 50 {
		free := dependent(i, 0)
		free.OwnerReferences = nil
		g.seen(k, free)
	}
	for i := range 100 {
		g.gone(k, dependent(i, i/10))
	}
	if len(g.nodes) != 0 {
		t.Errorf("%d nodes are left", len(g.nodes))
	}
}
