package runtime

import (
	"fmt"
	"iter"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kfields "k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kselection "k8s.io/apimachinery/pkg/selection"

	"github.com/keelson-project/keelson/informer"
	"github.com/keelson-project/keelson/runtime/client"
)

// selection is what a List asks for, as far as a cache understands it.
type selection struct {
	namespace string // "": all
	labels    labels.Selector
	names     kfields.Requirements // on metadata.name and metadata.namespace
	indexed   []indexedField
	foreign   bool // there are other fields, or selectors that cannot be read: the server may know what they mean
}

// indexedField is a value that an index is to have of an object.
type indexedField struct {
	index *fieldIndex
	value string
}

func newSelection(gvk schema.GroupVersionKind, namespace string, o *metav1.ListOptions, indexes *fieldIndexes) *selection {
	s := &selection{namespace: namespace}
	var err error
	if s.labels, err = labels.Parse(o.LabelSelector); err != nil {
		return &selection{foreign: true}
	}
	if o.FieldSelector == "" {
		return s
	}
	fields, err := kfields.ParseSelector(o.FieldSelector)
	if err != nil {
		return &selection{foreign: true}
	}
	for _, r := range fields.Requirements() {
		x := indexes.find(gvk, r.Field)
		switch {
		case r.Operator == kselection.NotEquals: // there is no option that asks for it
			s.foreign = true
		case r.Field == "metadata.name" || r.Field == "metadata.namespace":
			s.names = append(s.names, r)
		case x != nil:
			s.indexed = append(s.indexed, indexedField{x, r.Value})
		default:
			s.foreign = true
		}
	}
	return s
}

// matches says whether an object that is in the namespace is selected, by what metadata tells.
func (s *selection) matches(obj informer.Meta) bool {
	for i := range s.names {
		r := &s.names[i]
		has := obj.GetName()
		if r.Field == "metadata.namespace" {
			has = obj.GetNamespace()
		}
		if has != r.Value {
			return false
		}
	}
	return s.labels.Empty() || s.labels.Matches(labels.Set(obj.GetLabels()))
}

// form in which the objects are to be read, for a list of another one.
func (s *selection) form(of form) form {
	for _, f := range s.indexed {
		if !f.index.knowable(of) {
			return f.index.of.form
		}
	}
	return of
}

// explain adds to the server's error that it was asked for what only the cache has.
func (s *selection) explain(err error) error {
	if err == nil || len(s.indexed) == 0 {
		return err
	}
	return fmt.Errorf("%w (the index %q is one of the cache's, which this List is not read from)", err, s.indexed[0].index.name)
}

// matchingAll are those of objects, which the first of the indexes has found, that the others would find, too.
func (s *selection) matchingAll(objects iter.Seq[client.Object]) iter.Seq[client.Object] {
	if len(s.indexed) <= 1 {
		return objects
	}
	return func(yield func(client.Object) bool) {
		for obj := range objects {
			others := slices.ContainsFunc(s.indexed[1:], func(f indexedField) bool { return !f.index.has(obj, f.value) })
			if !others && !yield(obj) {
				return
			}
		}
	}
}
