package informer_test

import (
	"context"
	"fmt"
	"io"
	goruntime "runtime"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/informer"
)

// pages is a Source of many objects, encoded beforehand, that never change.
type pages struct {
	items [][]byte
}

func (p pages) List(_ context.Context, _ informer.Scope, opts metav1.ListOptions) (informer.Page, error) {
	from := 0
	_, _ = fmt.Sscan(opts.Continue, &from)
	to := min(from+int(opts.Limit), len(p.items))
	page := informer.Page{Items: p.items[from:to], ResourceVersion: "1000000"}
	if to < len(p.items) {
		page.Continue = fmt.Sprint(to)
	}
	return page, nil
}

func (p pages) Watch(ctx context.Context, _ informer.Scope, _ metav1.ListOptions) (informer.Stream, error) {
	return quiet{ctx}, nil
}

type quiet struct{ ctx context.Context }

func (quiet) Close() {}

func (q quiet) Next(context.Context) (informer.Event, error) {
	<-q.ctx.Done()
	return informer.Event{}, io.EOF
}

// manyObjects are custom resources of 1.6 KB with 40 properties, managedFields of which are 0.5 KB.
func manyObjects(n int) pages {
	var spec, managed strings.Builder
	for i := range 30 {
		fmt.Fprintf(&spec, `"property%02d":"value-%d",`, i, i*7919)
	}
	for i := range 9 {
		fmt.Fprintf(&spec, `"count%02d":%d,`, i, i*1000)
	}
	for i := range 20 {
		fmt.Fprintf(&managed, `"f:property%02d":{},`, i)
	}
	p := pages{}
	for i := range n {
		p.items = append(p.items, fmt.Appendf(nil, `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"widget-%06d","namespace":"ns-%d","uid":"0e4f4e2c-6b0f-4c1e-9a9e-%012d","resourceVersion":"%d","generation":1,"creationTimestamp":"2026-11-24T08:00:00Z","labels":{"app":"web","tier":"t%d"},"managedFields":[{"manager":"test","operation":"Update","apiVersion":"example.com/v1","time":"2026-11-24T08:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{%s".":{}}}}]},"spec":{%s"nested":{"a":[1,2,3],"b":true}}}`,
			i, i%100, i, i+1, i%10, managed.String(), spec.String()))
	}
	return p
}

// BenchmarkInitialSync lists 100,000 unstructured objects. Beside the time it reports what each costs.
func BenchmarkInitialSync(b *testing.B) {
	b.Run("decoded", func(b *testing.B) { initialSync(b, false) })
	b.Run("compact", func(b *testing.B) { initialSync(b, true) })
}

func initialSync(b *testing.B, compact bool) {
	const n = 100_000
	source := manyObjects(n)
	b.SetBytes(int64(n * len(source.items[0])))
	b.ReportAllocs()
	var before, after goruntime.MemStats
	for b.Loop() {
		goruntime.GC()
		goruntime.ReadMemStats(&before)
		inf := informer.New(informer.Config[*unstructured.Unstructured]{
			Source: source, Scope: informer.Scope{GVK: widgets}, NoStreaming: true, Compact: compact})
		ctx, stop := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = inf.Run(ctx) }()
		if err := inf.WaitSynced(ctx); err != nil {
			b.Fatal(err)
		}
		goruntime.ReadMemStats(&after)
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/object")
		goruntime.GC()
		goruntime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/object")
		b.ReportMetric(float64(inf.Report().Bytes)/n, "B-told/object")
		stop()
		<-done
		if inf.Snapshot().Len() != n {
			b.Fatal(inf.Snapshot().Len())
		}
	}
}

func BenchmarkGet(b *testing.B) {
	const n = 100_000
	inf := informer.New(informer.Config[*unstructured.Unstructured]{
		Source: manyObjects(n), Scope: informer.Scope{GVK: widgets}, NoStreaming: true})
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = inf.Run(ctx) }()
	_ = inf.WaitSynced(ctx)
	b.ReportAllocs()
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("widget-%06d", i*97)
	}
	for i := 0; b.Loop(); i++ {
		j := i % 1000
		if _, ok := inf.Get(nsOf[(j*97)%100], names[j]); !ok {
			b.Fatal(names[j])
		}
	}
	stop()
	<-done
}

var nsOf = func() (names [100]string) {
	for i := range names {
		names[i] = fmt.Sprint("ns-", i)
	}
	return
}()

// BenchmarkWaitForRevision waits for what the store shows already: what a read after a write costs when nothing is pending.
func BenchmarkWaitForRevision(b *testing.B) {
	inf := informer.New(informer.Config[*unstructured.Unstructured]{Source: manyObjects(10), Scope: informer.Scope{GVK: widgets}, NoStreaming: true})
	defer run(inf)()
	if err := inf.WaitSynced(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := inf.WaitForRevision(b.Context(), "999999"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWhere selects one in ten of 10,000 by a label, and decodes those only.
func BenchmarkWhere(b *testing.B) {
	for _, compact := range []bool{false, true} {
		b.Run(fmt.Sprint("compact ", compact), func(b *testing.B) {
			inf := informer.New(informer.Config[*unstructured.Unstructured]{
				Source: manyObjects(10_000), Scope: informer.Scope{GVK: widgets}, NoStreaming: true, Compact: compact})
			defer run(inf)()
			if err := inf.WaitSynced(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for range inf.Snapshot().Select(informer.Query{Match: func(m informer.Meta) bool { return m.GetLabels()["tier"] == "t3" }}) {
					n++
				}
				if n != 1000 {
					b.Fatal(n)
				}
			}
		})
	}
}
