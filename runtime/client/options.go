package client

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// ListOption narrows a List, Watch or DeleteAllOf.
type ListOption interface {
	DeleteAllOfOption
	applyToList(*listOptions)
}

// WriteOption modifies a Create, Update, Patch or Apply.
type WriteOption interface{ applyToWrite(*WriteOptions) }

// DeleteOption modifies a Delete or DeleteAllOf.
type DeleteOption interface {
	DeleteAllOfOption
	applyToDelete(*metav1.DeleteOptions)
}

// DeleteAllOfOption is a ListOption or a DeleteOption.
type DeleteAllOfOption interface{ forDeleteAllOf() }

type listOptions struct {
	namespace string
	metav1.ListOptions
}

type forBoth struct{}

func (forBoth) forDeleteAllOf() {}

// InNamespace chooses one namespace.
type InNamespace string

// MatchingLabels chooses objects with these labels.
type MatchingLabels map[string]string

// MatchingFields chooses objects with these fields, of those that the kind lets one select by; of reads from a manager's
// caches, by the author's indexes, too.
type MatchingFields map[string]string

// Limit is the largest number of objects in a page.
type Limit int64

// Continue is the token of the previous page.
type Continue string

// ResourceVersion is the revision to list at or after, or to watch after.
type ResourceVersion string

// LabelSelector chooses objects by a selector.
type LabelSelector struct{ labels.Selector }

func (InNamespace) forDeleteAllOf()     {}
func (MatchingLabels) forDeleteAllOf()  {}
func (MatchingFields) forDeleteAllOf()  {}
func (Limit) forDeleteAllOf()           {}
func (Continue) forDeleteAllOf()        {}
func (ResourceVersion) forDeleteAllOf() {}
func (LabelSelector) forDeleteAllOf()   {}

func (n InNamespace) applyToList(o *listOptions) { o.namespace = string(n) }
func (m MatchingLabels) applyToList(o *listOptions) {
	o.LabelSelector = both(o.LabelSelector, labels.SelectorFromSet(labels.Set(m)).String())
}
func (m MatchingFields) applyToList(o *listOptions) {
	o.FieldSelector = both(o.FieldSelector, fields.SelectorFromSet(fields.Set(m)).String())
}
func (l Limit) applyToList(o *listOptions)           { o.Limit = int64(l) }
func (c Continue) applyToList(o *listOptions)        { o.ListOptions.Continue = string(c) }
func (r ResourceVersion) applyToList(o *listOptions) { o.ListOptions.ResourceVersion = string(r) }
func (s LabelSelector) applyToList(o *listOptions) {
	o.LabelSelector = both(o.LabelSelector, s.String())
}

func both(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}

// Preconditions are what an object must be for it to be deleted.
type Preconditions metav1.Preconditions

// PropagationPolicy is what happens to the dependents of what is deleted.
type PropagationPolicy metav1.DeletionPropagation

// GracePeriodSeconds is how long what is deleted has to end.
type GracePeriodSeconds int64

func (Preconditions) forDeleteAllOf()      {}
func (PropagationPolicy) forDeleteAllOf()  {}
func (GracePeriodSeconds) forDeleteAllOf() {}

func (p Preconditions) applyToDelete(o *metav1.DeleteOptions) {
	o.Preconditions = (*metav1.Preconditions)(&p)
}
func (p PropagationPolicy) applyToDelete(o *metav1.DeleteOptions) {
	o.PropagationPolicy = (*metav1.DeletionPropagation)(&p)
}
func (g GracePeriodSeconds) applyToDelete(o *metav1.DeleteOptions) {
	o.GracePeriodSeconds = (*int64)(&g)
}

// ListOptionsOf is what opts say: the namespace, "" for all, and what goes on the wire.
func ListOptionsOf(opts ...ListOption) (namespace string, o metav1.ListOptions) {
	all := listOptionsOf(opts)
	return all.namespace, all.ListOptions
}
