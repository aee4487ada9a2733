package runtime

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/runtime/client"
)

// IndexField names an index of the objects of T's kind and version, for the caches of all clusters of mgr. An object is
// found by each of its values:
//
//	err := runtime.IndexField(mgr, "spec.nodeName", func(p *corev1.Pod) []string { return []string{p.Spec.NodeName} })
//	...
//	err = mgr.Client().List(ctx, &pods, client.MatchingFields{"spec.nodeName": "n1"})
//
// List, and client.Each, then look at what they find and at nothing else. The name need not be one of a field. The index
// reads like the rest of the cache: what this client has written is in it, objects may be listed in another form than T
// (of metadata alone, it is worked out from whole objects, which are cached for it), and kinds that are kept compact are
// decoded for it with each change. A List that is not of the cache (with a Limit, a revision, or of namespaces that are
// not cached) goes to the server, which knows its own fields only.
//
// It may be called at any time: the first List that asks for an index has it made, and waits for that. values must be a
// pure function, which changes nothing. like is for types that do not tell their kind, as *unstructured.Unstructured: an
// object that does. Errors: the name is taken or no name for a field, or the kind is not cached.
func IndexField[T client.Object](mgr *Manager, name string, values func(T) []string, like ...T) error {
	kind := reflect.TypeFor[T]()
	if kind.Kind() != reflect.Pointer {
		return fmt.Errorf("runtime: IndexField %q: %v is no type of an object", name, kind)
	}
	sample := reflect.New(kind.Elem()).Interface().(T)
	if len(like) > 0 {
		sample = like[0]
	}
	gvk, err := mgr.home.direct.GVKFor(sample)
	if err != nil {
		return fmt.Errorf("runtime: IndexField %q: %w", name, err)
	}
	switch {
	case name == "" || strings.ContainsAny(name, "=!,\\ ") || strings.HasPrefix(name, "metadata.name"):
		return fmt.Errorf("runtime: IndexField: %q cannot be the name of an index", name)
	case mgr.opts.Kinds[gvk.GroupKind()].Uncached:
		return fmt.Errorf("runtime: IndexField %q: Options.Kinds says that %s is not cached", name, gvk.Kind)
	}
	return mgr.indexes.add(&fieldIndex{name: name, of: cacheKey{gvk, formOf(sample)}, values: func(obj client.Object) ([]string, error) {
		if object, ok := obj.(T); ok {
			return values(object), nil
		}
		other, err := converted(obj, sample)
		if object, ok := other.(T); ok && err == nil {
			return values(object), nil
		}
		return nil, fmt.Errorf("runtime: index %q: %s %s is no %T: %w", name, gvk.Kind, client.KeyOf(obj), sample, err)
	}})
}

// fieldIndex is an index that IndexField has named.
type fieldIndex struct {
	name   string
	of     cacheKey // the kind, and the form that values is for; it takes others, too
	values func(client.Object) ([]string, error)
}

// knowable says whether objects of a form have what the values are made of.
func (x *fieldIndex) knowable(f form) bool { return f != metadata || x.of.form == metadata }

// has says whether the object is found by a value.
func (x *fieldIndex) has(obj client.Object, value string) bool {
	values, err := x.values(obj)
	return err == nil && slices.Contains(values, value)
}

// fieldIndexes are those of a manager.
type fieldIndexes struct {
	mu    sync.Mutex
	kinds map[schema.GroupVersionKind]map[string]*fieldIndex
}

func (all *fieldIndexes) add(x *fieldIndex) error {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.kinds == nil {
		all.kinds = map[schema.GroupVersionKind]map[string]*fieldIndex{}
	}
	of := all.kinds[x.of.gvk]
	if of == nil {
		of = map[string]*fieldIndex{}
		all.kinds[x.of.gvk] = of
	}
	if of[x.name] != nil {
		return fmt.Errorf("runtime: IndexField: there is an index %q of %s", x.name, x.of.gvk.Kind)
	}
	of[x.name] = x
	return nil
}

// find returns nil where there is no such index.
func (all *fieldIndexes) find(gvk schema.GroupVersionKind, name string) *fieldIndex {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.kinds[gvk][name]
}

// keepIndex has the informer keep an index from now on.
func (e *cached) keepIndex(x *fieldIndex, onError func(error)) {
	e.indexing.Lock()
	defer e.indexing.Unlock()
	if e.indexed[x.name] {
		return
	}
	e.AddIndex(x.name, func(obj client.Object) []string {
		values, err := x.values(obj)
		if err != nil {
			onError(err)
		}
		return values
	})
	if e.indexed == nil {
		e.indexed = map[string]bool{}
	}
	e.indexed[x.name] = true
}

// converted is an object in the form of like. Error: it has not what that needs.
func converted(obj, like client.Object) (client.Object, error) {
	from, to := formOf(obj), formOf(like)
	switch {
	case from == to:
		return obj, nil
	case to == metadata:
		m := meta.AsPartialObjectMetadata(obj)
		m.SetGroupVersionKind(obj.GetObjectKind().GroupVersionKind())
		return m, nil
	case from == metadata:
		return nil, errors.New("there is nothing but its metadata")
	case to == typed:
		out := reflect.New(reflect.TypeOf(like).Elem()).Interface().(client.Object)
		return out, kruntime.DefaultUnstructuredConverter.FromUnstructured(obj.(kruntime.Unstructured).UnstructuredContent(), out)
	}
	content, err := kruntime.DefaultUnstructuredConverter.ToUnstructured(obj)
	return &unstructured.Unstructured{Object: content}, err
}
