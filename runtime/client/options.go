package client

import (
	"encoding/json"
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// ListOption narrows a List, Watch or DeleteAllOf.
type ListOption interface {
	DeleteAllOfOption
	applyToList(*listOptions)
}

// WriteOption modifies a Create, Update, Patch or Apply.
type WriteOption interface{ applyToWrite(url.Values) }

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

// MatchingFields chooses objects with these fields, of those that the kind lets one select by.
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

// FieldOwner names who is written into managedFields.
type FieldOwner string

func (f FieldOwner) applyToWrite(q url.Values) { q.Set("fieldManager", string(f)) }

type forceOwnership struct{}

func (forceOwnership) applyToWrite(q url.Values) { q.Set("force", "true") }

// ForceOwnership has Apply take fields that others own.
var ForceOwnership WriteOption = forceOwnership{}

type dryRunAll struct{ forBoth }

func (dryRunAll) applyToWrite(q url.Values)             { q.Set("dryRun", metav1.DryRunAll) }
func (dryRunAll) applyToDelete(o *metav1.DeleteOptions) { o.DryRun = []string{metav1.DryRunAll} }

// DryRunAll does everything but store the result.
var DryRunAll = dryRunAll{}

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

func listValues(o metav1.ListOptions) url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("labelSelector", o.LabelSelector)
	set("fieldSelector", o.FieldSelector)
	set("resourceVersion", o.ResourceVersion)
	set("resourceVersionMatch", string(o.ResourceVersionMatch))
	set("continue", o.Continue)
	if o.Limit > 0 {
		set("limit", strconv.FormatInt(o.Limit, 10))
	}
	if o.Watch {
		set("watch", "true")
	}
	if o.AllowWatchBookmarks {
		set("allowWatchBookmarks", "true")
	}
	if o.SendInitialEvents != nil {
		set("sendInitialEvents", strconv.FormatBool(*o.SendInitialEvents))
	}
	if o.TimeoutSeconds != nil {
		set("timeoutSeconds", strconv.FormatInt(*o.TimeoutSeconds, 10))
	}
	return q
}

// Patch is a change to an object.
type Patch interface {
	Type() types.PatchType
	// Data of the patch to obj, as it goes on the wire.
	Data(obj Object) ([]byte, error)
}

type rawPatch struct {
	kind types.PatchType
	data []byte
}

func (p rawPatch) Type() types.PatchType       { return p.kind }
func (p rawPatch) Data(Object) ([]byte, error) { return p.data, nil }

// RawPatch is a patch that the caller has encoded.
func RawPatch(kind types.PatchType, data []byte) Patch { return rawPatch{kind, data} }

type mergeFrom struct{ from Object }

func (mergeFrom) Type() types.PatchType { return types.MergePatchType }
func (p mergeFrom) Data(obj Object) ([]byte, error) {
	var trees [2]map[string]any
	for i, o := range []Object{p.from, obj} {
		data, err := json.Marshal(o)
		if err == nil {
			err = utiljson.Unmarshal(data, &trees[i])
		}
		if err != nil {
			return nil, err
		}
		delete(trees[i], "apiVersion")
		delete(trees[i], "kind")
	}
	return json.Marshal(mergeDiff(trees[0], trees[1]))
}

// MergeFrom is the JSON merge patch that makes obj of from, a copy of it made before the changes.
func MergeFrom(from Object) Patch { return mergeFrom{from} }

// ListOptionsOf is what opts say: the namespace, "" for all, and what goes on the wire.
func ListOptionsOf(opts ...ListOption) (namespace string, o metav1.ListOptions) {
	all := listOptionsOf(opts)
	return all.namespace, all.ListOptions
}
