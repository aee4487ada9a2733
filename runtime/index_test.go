package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/runtime"
	"github.com/keelson-project/keelson/runtime/client"
)

// indexed names indexes of ConfigMaps: by data in typed and untyped objects, by labels in metadata.
func indexed(t *testing.T, mgr *runtime.Manager) {
	t.Helper()
	ok(t, runtime.IndexField(mgr, "on", func(obj *corev1.ConfigMap) []string { return strings.Fields(obj.Data["on"]) }))
	like := &unstructured.Unstructured{}
	like.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	ok(t, runtime.IndexField(mgr, "untyped-on", func(obj *unstructured.Unstructured) []string {
		on, _, _ := unstructured.NestedString(obj.Object, "data", "on")
		return strings.Fields(on)
	}, like))
	ok(t, runtime.IndexField(mgr, "tier", func(obj *metav1.PartialObjectMetadata) []string {
		if tier := obj.Labels["tier"]; tier != "" {
			return []string{tier}
		}
		return nil
	}, &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}}))
}

func untypedList() *unstructured.UnstructuredList {
	return &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMapList"}}
}

// keysOf are the objects of a list, which have what a list of its form has.
func keysOf(t *testing.T, list client.ObjectList) (keys []string) {
	t.Helper()
	ok(t, meta.EachListItem(list, func(item kruntime.Object) error {
		obj := item.(client.Object)
		if obj.GetUID() == "" || obj.GetObjectKind().GroupVersionKind().Kind != "ConfigMap" {
			t.Errorf("%T: listed %v", list, obj)
		}
		keys = append(keys, client.KeyOf(obj).String())
		return nil
	}))
	return keys
}

// TestIndexes writes objects at random, lists by indexes in all forms, and compares with a map. But for the first list of
// a form, and what was written, nothing is asked of the server.
func TestIndexes(t *testing.T) {
	for name, opts := range map[string]runtime.Options{
		"decoded":    {},
		"compact":    {Kinds: configMaps(runtime.CacheOptions{Compact: true})},
		"namespaces": {Namespaces: []string{"default", "kube-public"}},
	} {
		t.Run(name, func(t *testing.T) {
			mgr, count, _ := counting(t, opts)
			c, ctx, r := mgr.Client(), t.Context(), rand.New(rand.NewPCG(1, 9))
			indexed(t, mgr)
			lists := []client.ObjectList{&corev1.ConfigMapList{}, untypedList(), metadataList()}
			inDefault := client.InNamespace("default")
			for _, list := range lists {
				ok(t, c.List(ctx, list, inDefault, client.MatchingFields{"on": "n0"}))
				ok(t, c.List(ctx, list, inDefault, client.MatchingFields{"tier": "t0"}))
			}
			ok(t, c.List(ctx, metadataList(), inDefault, client.MatchingFields{"untyped-on": "n0"}))
			asked := count.gets.Load()
			model := map[string]*corev1.ConfigMap{}
			for range 150 {
				scribble(t, c, r, model)
				on, tier := fmt.Sprint("n", r.IntN(3)), fmt.Sprint("t", r.IntN(2))
				fields := client.MatchingFields{[]string{"on", "untyped-on"}[r.IntN(2)]: on}
				if r.IntN(2) == 0 {
					fields["tier"] = tier
				} else {
					tier = ""
				}
				ns := client.InNamespace([]string{"default", "kube-public", ""}[r.IntN(3-len(opts.Namespaces)/2)])
				var want []string
				for key, obj := range model {
					if (ns == "" || obj.Namespace == string(ns)) && slices.Contains(strings.Fields(obj.Data["on"]), on) && (tier == "" || obj.Labels["tier"] == tier) {
						want = append(want, key)
					}
				}
				slices.Sort(want)
				list := lists[r.IntN(3)].DeepCopyObject().(client.ObjectList)
				ok(t, c.List(ctx, list, ns, fields))
				if got := keysOf(t, list); !slices.Equal(got, want) || list.GetResourceVersion() == "" {
					t.Fatalf("%T of %v in %q: %v, want %v", list, fields, ns, got, want)
				}
				var each []string
				for obj, err := range client.EachOf(ctx, c, list, ns, fields, client.Limit(1)) {
					ok(t, err)
					each = append(each, client.KeyOf(obj).String())
				}
				if !slices.Equal(each, want) {
					t.Fatalf("each %T of %v in %q: %v, want %v", list, fields, ns, each, want)
				}
			}
			if n := count.gets.Load() - asked; n != 0 {
				t.Errorf("%d reads of the server", n)
			}
		})
	}
}

// scribble creates, changes or deletes a ConfigMap at random.
func scribble(t *testing.T, c client.Client, r *rand.Rand, model map[string]*corev1.ConfigMap) {
	t.Helper()
	obj := cm(fmt.Sprint("cm-", r.IntN(8)))
	obj.Namespace = []string{"default", "kube-public"}[r.IntN(2)]
	key := client.KeyOf(obj).String()
	old := model[key]
	if old != nil && r.IntN(4) == 0 {
		ok(t, c.Delete(t.Context(), old))
		delete(model, key)
		return
	}
	obj.Data = map[string]string{"on": strings.Join([]string{fmt.Sprint("n", r.IntN(3)), fmt.Sprint("n", r.IntN(3))}[r.IntN(2):], " ")}
	obj.Labels = map[string]string{"tier": fmt.Sprint("t", r.IntN(2))}
	if old != nil {
		ok(t, c.Update(t.Context(), obj))
	} else {
		ok(t, c.Create(t.Context(), obj))
	}
	model[key] = obj
}

// What was written is in an index, or waited for.
func TestIndexReadsYourWrites(t *testing.T) {
	mgr, _, v := counting(t, runtime.Options{})
	c, ctx := mgr.Client(), t.Context()
	obj := cm("one")
	obj.Data = map[string]string{"on": "n1"}
	ok(t, c.Create(ctx, obj))
	ok(t, c.List(ctx, &corev1.ConfigMapList{})) // the cache is there before the index
	indexed(t, mgr)
	by := func(ctx context.Context, value string) (names []string, err error) {
		var list corev1.ConfigMapList
		err = c.List(ctx, &list, client.MatchingFields{"on": value})
		return namesOf(t, &list), err
	}
	if names, err := by(ctx, "n1"); err != nil || !slices.Equal(names, []string{"one"}) {
		t.Fatal(names, err)
	}
	v.shut()
	obj.Data["on"] = "n2"
	ok(t, c.Update(ctx, obj))
	if _, err := by(briefly(t), "n2"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want to wait, have %v", err)
	}
	v.release()
	if names, err := by(ctx, "n2"); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
	if names, err := by(ctx, "n1"); err != nil || len(names) != 0 {
		t.Error(names, err)
	}
	v.shut()
	defer v.release()
	ok(t, c.Delete(ctx, obj))
	if names, err := by(ctx, "n2"); err != nil || len(names) != 0 {
		t.Errorf("found what is deleted: %v, %v", names, err)
	}
}

// Clusters that join have the indexes, too.
func TestIndexOfAnotherCluster(t *testing.T) {
	mgr := manager(t)
	indexed(t, mgr)
	defer run(t, mgr)()
	other := apiservertest.Start(t, apiservertest.Options{})
	cl, err := mgr.Join("other", client.Config{Host: "http://server", Transport: other.Transport()})
	ok(t, err)
	obj := cm("there")
	obj.Data = map[string]string{"on": "n1"}
	ok(t, cl.Client().Create(t.Context(), obj))
	for of, want := range map[client.Client]int{mgr.Client(): 0, cl.Client(): 1} {
		var list corev1.ConfigMapList
		ok(t, of.List(t.Context(), &list, client.MatchingFields{"on": "n1"}))
		if len(list.Items) != want {
			t.Errorf("%d, want %d", len(list.Items), want)
		}
	}
}

func TestIndexErrors(t *testing.T) {
	mgr, _, _ := counting(t, runtime.Options{Namespaces: []string{"default"}, Kinds: configMaps(runtime.CacheOptions{})})
	indexed(t, mgr)
	none := func(*corev1.ConfigMap) []string { return nil }
	for what, err := range map[string]error{
		`there is an index "on" of ConfigMap`: runtime.IndexField(mgr, "on", none),
		`"" cannot be the name`:               runtime.IndexField(mgr, "", none),
		`"metadata.name" cannot be the name`:  runtime.IndexField(mgr, "metadata.name", none),
		`"a=b" cannot be the name`:            runtime.IndexField(mgr, "a=b", none),
		`no type of an object`:                runtime.IndexField(mgr, "x", func(client.Object) []string { return nil }),
		`without apiVersion or kind`:          runtime.IndexField(mgr, "x", func(*unstructured.Unstructured) []string { return nil }),
		// What is not of the cache is asked of the server, which has other fields.
		`(the index "on" is one of the cache's, which this List is not read from)`: mgr.Client().List(t.Context(), &corev1.ConfigMapList{},
			client.InNamespace("default"), client.MatchingFields{"on": "n1"}, client.Limit(5)),
		`"on" is not a known field selector`: mgr.Client().List(t.Context(), &corev1.ConfigMapList{}, client.MatchingFields{"on": "n1"}),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("want %q, got %v", what, err)
		}
	}
	uncached, _, _ := counting(t, runtime.Options{Kinds: configMaps(runtime.CacheOptions{Uncached: true})})
	if err := runtime.IndexField(uncached, "on", none); err == nil || !strings.Contains(err.Error(), "ConfigMap is not cached") {
		t.Error(err)
	}
}
