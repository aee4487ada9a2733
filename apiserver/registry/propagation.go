package registry

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// finalizersFor gives obj the finalizer by which the garbage collector knows what is to become of its dependents, takes
// from it the one that is not wanted, and says whether any finalizer holds it now. What o asks for counts, else what is
// there already. It works on objects that are being deleted, too: who deletes again may think otherwise.
//
// As with kube-apiserver, it does not matter whether a garbage collector runs: without one, who asks for Orphan or
// Foreground waits for it.
func (t *Target) finalizersFor(obj resource.Object, o *metav1.DeleteOptions) (held bool) {
	m := metadata(obj)
	finalizers, _ := m["finalizers"].([]any)
	want := propagationFinalizer(finalizers, o)
	switch {
	case t.Def.NoDependents:
		want = ""
	case want == "" && t.Def.OrphanByDefault && saysNothing(o):
		want = metav1.FinalizerOrphanDependents
	}
	if want != "" && slices.Contains(finalizers, any(want)) && !slices.Contains(finalizers, any(otherFinalizer(want))) {
		return true
	}
	kept := slices.DeleteFunc(slices.Clone(finalizers), func(f any) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	if want != "" {
		kept = append(kept, want)
	}
	if len(kept) > 0 {
		m["finalizers"] = kept
	} else {
		delete(m, "finalizers")
	}
	return len(kept) > 0
}

// saysNothing of what is to become of the dependents.
func saysNothing(o *metav1.DeleteOptions) bool {
	return o.PropagationPolicy == nil && o.OrphanDependents == nil //nolint:staticcheck // deprecated, still served
}

// propagationFinalizer is the finalizer that a deletion calls for; "": none.
func propagationFinalizer(finalizers []any, o *metav1.DeleteOptions) string {
	switch {
	case o.OrphanDependents != nil && *o.OrphanDependents: //nolint:staticcheck // deprecated, still served
		return metav1.FinalizerOrphanDependents
	case o.OrphanDependents != nil: //nolint:staticcheck // see above
		return ""
	case o.PropagationPolicy != nil:
		switch *o.PropagationPolicy {
		case metav1.DeletePropagationOrphan:
			return metav1.FinalizerOrphanDependents
		case metav1.DeletePropagationForeground:
			return metav1.FinalizerDeleteDependents
		}
		return ""
	}
	for _, f := range finalizers {
		if f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents {
			name, _ := f.(string)
			return name
		}
	}
	return ""
}

// otherFinalizer is that of the two which is not f.
func otherFinalizer(f string) string {
	if f == metav1.FinalizerOrphanDependents {
		return metav1.FinalizerDeleteDependents
	}
	return metav1.FinalizerOrphanDependents
}
