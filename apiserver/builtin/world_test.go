package builtin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/registry"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/apiserver/storage/memory"
	"github.com/keelson-project/keelson/apiserver/watchcache"
)

// world is a registry of the built-in kinds over a memory store.
type world struct {
	t   *testing.T
	reg *registry.Registry
	cat *resource.Catalog
}

func newWorld(t *testing.T, o builtin.Options) *world {
	store := memory.New(memory.Options{})
	t.Cleanup(func() { _ = store.Close() })
	w := &world{t: t, reg: registry.New(store, watchcache.New(store, watchcache.Options{Prefix: "/registry/"}), registry.Options{}), cat: resource.NewCatalog()}
	for _, d := range builtin.Definitions(o) {
		w.cat.Put(d)
	}
	return w
}

func parse(t *testing.T, text string) resource.Object {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj, err := resource.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// target finds the kind of obj.
func (w *world) target(obj resource.Object) registry.Target {
	w.t.Helper()
	group, version, ok := strings.Cut(at(obj, "apiVersion").(string), "/")
	if !ok {
		group, version = "", group
	}
	d := w.cat.LookupKind(group, at(obj, "kind").(string))
	if d == nil {
		w.t.Fatalf("no kind %v of %q", at(obj, "kind"), group)
	}
	t := registry.Target{Def: d, Version: d.Version(version)}
	if d.Namespaced {
		t.Namespace = "default"
		m := obj["metadata"].(map[string]any)
		if _, set := m["namespace"]; !set {
			m["namespace"] = "default"
		}
	}
	return t
}

func (w *world) create(text string) (resource.Object, error) {
	w.t.Helper()
	obj := parse(w.t, text)
	return w.result(w.reg.Create(context.Background(), w.target(obj), obj, registry.WriteOptions{FieldValidation: registry.Strict}))
}

func (w *world) mustCreate(text string) resource.Object {
	w.t.Helper()
	obj, err := w.create(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return obj
}

// update writes obj to itself or a subresource.
func (w *world) update(obj resource.Object, subresource string) (resource.Object, error) {
	w.t.Helper()
	obj = resource.DeepCopy(obj)
	t := w.target(obj)
	t.Name, t.Subresource = at(obj, "metadata", "name").(string), subresource
	return w.result(w.reg.Update(context.Background(), t, obj, registry.WriteOptions{FieldValidation: registry.Strict}))
}

func (w *world) delete(obj resource.Object) (*registry.Deleted, error) {
	t := w.target(obj)
	t.Name = at(obj, "metadata", "name").(string)
	return w.reg.Delete(context.Background(), t, metav1.DeleteOptions{})
}

func (w *world) result(r *registry.Result, err error) (resource.Object, error) {
	w.t.Helper()
	if err != nil {
		return nil, err
	}
	obj, err := resource.Decode(r.Data)
	if err != nil {
		w.t.Fatal(err)
	}
	return obj, nil
}

// at is the value at a path of names and indexes.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// causes are the errors of an Invalid status as "field: message", sorted.
func causes(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return []string{err.Error()}
	}
	var out []string
	for _, c := range status.Status().Details.Causes {
		out = append(out, c.Field+": "+c.Message)
	}
	slices.Sort(out)
	return out
}
