package runtime_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// counter counts the requests that go through it, by method and, of patches, content type; watches not at all.
type counter struct {
	next                   http.RoundTripper
	gets, applies, patches atomic.Int32
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Get("watch") != "true":
		c.gets.Add(1)
	case r.Header.Get("Content-Type") == string(types.ApplyPatchType):
		c.applies.Add(1)
	case r.Method == http.MethodPatch:
		c.patches.Add(1)
	}
	return c.next.RoundTrip(r)
}

// counting is a running manager, the requests of whose client are counted, and the valve that holds back its watches.
func counting(t *testing.T, opts runtime.Options) (*runtime.Manager, *counter, *valve) {
	t.Helper()
	count := &counter{}
	v := newValve(apiservertest.Start(t, apiservertest.Options{}).Transport())
	count.next = v
	opts.Scheme = kruntime.NewScheme()
	ok(t, corev1.AddToScheme(opts.Scheme))
	mgr, err := runtime.New(client.Config{Host: "http://server", Transport: count}, opts)
	ok(t, err)
	t.Cleanup(run(t, mgr))
	return mgr, count, v
}

func TestApplyIsSentOnce(t *testing.T) {
	for name, opts := range map[string]runtime.Options{
		"decoded":       {},
		"compact":       {Kinds: configMaps(runtime.CacheOptions{Compact: true})},
		"managedFields": {Kinds: configMaps(runtime.CacheOptions{KeepManagedFields: true})},
		"namespaces":    {Namespaces: []string{"kube-public", "default"}},
	} {
		for form, of := range map[string]func(name, value string) client.Object{
			"typed":   func(name, value string) client.Object { return typedConfig(name, value) },
			"untyped": func(name, value string) client.Object { return untypedConfig(name, value) },
		} {
			t.Run(name+" "+form, func(t *testing.T) { testApplyIsSentOnce(t, opts, of) })
		}
	}
}

func configMaps(o runtime.CacheOptions) map[schema.GroupKind]runtime.CacheOptions {
	return map[schema.GroupKind]runtime.CacheOptions{{Kind: "ConfigMap"}: o}
}

// The cache is one of typed objects; what is applied is in the form that of makes.
func testApplyIsSentOnce(t *testing.T, opts runtime.Options, of func(name, value string) client.Object) {
	opts.FieldOwner = "me"
	mgr, count, v := counting(t, opts)
	c, ctx := mgr.Client(), t.Context()
	read := func() {
		t.Helper()
		ok(t, c.Get(ctx, client.KeyOf(cm("one")), cm("")))
	}
	apply := func(what string, want int32, value string) {
		t.Helper()
		before, obj := count.applies.Load(), of("one", value)
		ok(t, c.Apply(ctx, obj, client.ForceOwnership))
		if obj.GetUID() == "" || valueOf(obj) != value {
			t.Errorf("%s: it became %v", what, obj)
		}
		if sent := count.applies.Load() - before; sent != want {
			t.Errorf("%s: %d were sent, want %d", what, sent, want)
		}
	}
	apply("there is no cache", 1, "1")
	apply("nor does one begin by it", 1, "1")
	read() // now it does, and shows what was written
	apply("again", 0, "1")
	v.shut()
	apply("another value", 1, "2")
	apply("which the cache does not show yet", 1, "2")
	v.release()
	read()
	apply("now it does", 0, "2")

	ok(t, mgr.Direct().Patch(ctx, cm("one"), client.RawPatch(types.MergePatchType, []byte(`{"data":{"a":"3"}}`)), client.FieldOwner("other")))
	ok(t, c.Create(ctx, cm("late"))) // to read what was written now is to have read what was written before
	read()
	apply("another has written what is ours", 1, "2")
	got := cm("")
	ok(t, c.Get(ctx, client.KeyOf(cm("one")), got))
	if got.Data["a"] != "2" {
		t.Errorf("it is %v", got.Data)
	}

	v.shut()
	ok(t, c.Delete(ctx, cm("one")))
	apply("it was deleted", 1, "2")
	v.release()
	read()
	apply("made again", 0, "2")
	if count.gets.Load() > 3 { // discovery, and pages of the cache's
		t.Errorf("%d reads", count.gets.Load())
	}
}

// What the status holds is told apart from the rest, and what was skipped is no write of a reconciliation.
func TestApplyOfStatusIsSentOnce(t *testing.T) {
	mgr, count, _ := counting(t, runtime.Options{FieldOwner: "me"})
	c, ctx := mgr.Client(), t.Context()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "blue"}}
	ok(t, c.Create(ctx, ns))
	for i, want := range []int32{1, 0, 1, 0} {
		before := count.applies.Load()
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "status": map[string]any{
			"conditions": []any{map[string]any{"type": "Good", "status": []string{"True", "False"}[i/2]}},
		}}}
		u.SetName("blue")
		ok(t, c.Status().Apply(ctx, u))
		if sent := count.applies.Load() - before; sent != want {
			t.Errorf("step %d: %d were sent, want %d", i, sent, want)
		}
		ok(t, c.Get(ctx, client.KeyOf(ns), ns))
		if len(ns.Status.Conditions) != 1 || string(ns.Status.Conditions[0].Status) != []string{"True", "False"}[i/2] {
			t.Errorf("step %d: read %v", i, ns.Status)
		}
	}
}

func valueOf(obj client.Object) string {
	if u, untyped := obj.(*unstructured.Unstructured); untyped {
		v, _, _ := unstructured.NestedString(u.Object, "data", "a")
		return v
	}
	return obj.(*corev1.ConfigMap).Data["a"]
}

func untypedConfig(name, value string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"a": value}}}
	u.SetNamespace("default")
	u.SetName(name)
	return u
}

func typedConfig(name, value string) *corev1.ConfigMap {
	obj := cm(name)
	obj.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
	obj.Data = map[string]string{"a": value}
	return obj
}
