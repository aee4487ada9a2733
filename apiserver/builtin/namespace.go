package builtin

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// namespaceFinalizer is the namespace's own finalizer: whoever empties namespaces removes it through the finalize
// subresource when nothing is left.
const namespaceFinalizer = "kubernetes"

func (k kinds) namespace() *resource.Definition {
	return &resource.Definition{
		Names: resource.Names{
			Plural: "namespaces", Singular: "namespace", Kind: "Namespace", ListKind: "NamespaceList",
			ShortNames: []string{"ns"},
		},
		Storage: "v1", Prefix: "/registry/namespaces/", NoDeleteCollection: true,
		ValidateName:     validation.ValidateNamespaceName,
		SelectableFields: []resource.SelectableField{{Name: "status.phase", Path: []string{"status", "phase"}}},
		Versions: []resource.Version{{
			Name: "v1", Served: true, GoType: &corev1.Namespace{},
			Schema: k.compiler.Schema("io.k8s.api.core.v1.Namespace", &corev1.Namespace{}, defaultNamespace),
			Columns: []resource.Column{
				atPath("Status", "The status of the namespace", "status", "phase"),
				ageColumn(),
			},
			Reset: statusOnly(),
			Subresources: map[string]*resource.Subresource{
				"status":   status(),
				"finalize": {Verbs: []string{"update"}, Merge: mergeFinalize, Reset: statusOnly()},
			},
		}},
		Hooks: resource.Hooks{
			PrepareCreate: prepareNamespace,
			// spec.finalizers is written through the finalize subresource only; there is nothing else in spec.
			PrepareUpdate: func(_ context.Context, obj, old resource.Object) { keep(obj, old, "spec") },
			Validate:      validateNamespace,
			BeginDelete:   beginNamespaceDelete,
			Released:      func(obj resource.Object) bool { return len(items(obj, "spec", "finalizers")) == 0 },
		},
	}
}

// defaultNamespace adds the label that selects a namespace by its name.
func defaultNamespace(obj resource.Object) {
	if name := text(obj, "metadata", "name"); name != "" {
		child(child(obj, "metadata"), "labels")["kubernetes.io/metadata.name"] = name
	}
}

func prepareNamespace(_ context.Context, obj resource.Object) {
	obj["status"] = map[string]any{"phase": "Active"}
	spec := child(obj, "spec")
	if finalizers := items(spec, "finalizers"); !slices.Contains(finalizers, any(namespaceFinalizer)) {
		spec["finalizers"] = append(slices.Clone(finalizers), namespaceFinalizer)
	}
}

func validateNamespace(_ context.Context, obj, old resource.Object) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("spec", "finalizers")
	finalizers := items(obj, "spec", "finalizers")
	indexed := old != nil && !same(finalizers, items(old, "spec", "finalizers")) // written through the finalize subresource
	for i, f := range finalizers {
		name, _ := f.(string)
		if indexed {
			errs = append(errs, validateFinalizer(name, at.Index(i))...)
		} else {
			errs = append(errs, validateFinalizer(name, at)...)
		}
	}
	if old == nil || same(obj["status"], old["status"]) {
		return errs
	}
	phase := text(obj, "status", "phase")
	switch terminating := text(obj, "metadata", "deletionTimestamp") != ""; {
	case !terminating && phase != string(corev1.NamespaceActive):
		errs = append(errs, field.Invalid(field.NewPath("status", "Phase"), phase, "may only be 'Active' if `deletionTimestamp` is empty"))
	case terminating && phase != string(corev1.NamespaceTerminating):
		errs = append(errs, field.Invalid(field.NewPath("status", "Phase"), phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"))
	}
	return errs
}

func validateFinalizer(name string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range utilvalidation.IsQualifiedName(name) {
		errs = append(errs, field.Invalid(at, name, msg))
	}
	if len(errs) == 0 && name != namespaceFinalizer && !slices.Contains([]byte(name), '/') {
		errs = append(errs, field.Invalid(at, name, "name is neither a standard finalizer name nor is it fully qualified"))
	}
	return errs
}

// mergeFinalize lets a write to the finalize subresource change all but the status.
func mergeFinalize(sent, current resource.Object) resource.Object {
	keep(sent, current, "status")
	return sent
}

// beginNamespaceDelete keeps a namespace until its content is gone. The first request never removes it.
func beginNamespaceDelete(_ context.Context, obj resource.Object, o *metav1.DeleteOptions) bool {
	if text(obj, "metadata", "deletionTimestamp") != "" {
		return len(items(obj, "spec", "finalizers")) > 0
	}
	child(obj, "status")["phase"] = string(corev1.NamespaceTerminating)
	orphan, foreground := namespacePropagation(obj, o)
	metadata := child(obj, "metadata")
	finalizers := slices.DeleteFunc(slices.Clone(items(obj, "metadata", "finalizers")), func(f any) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	if orphan {
		finalizers = append(finalizers, metav1.FinalizerOrphanDependents)
	}
	if foreground {
		finalizers = append(finalizers, metav1.FinalizerDeleteDependents)
	}
	if len(finalizers) > 0 {
		metadata["finalizers"] = finalizers
	} else {
		delete(metadata, "finalizers")
	}
	return true
}

// namespacePropagation says which of the garbage collector's finalizers the first request gives a namespace. Unlike with
// other kinds, the old way to ask for no orphans means foreground deletion.
func namespacePropagation(obj resource.Object, o *metav1.DeleteOptions) (orphan, foreground bool) {
	finalizers := items(obj, "metadata", "finalizers")
	switch {
	case o.OrphanDependents != nil: //nolint:staticcheck // deprecated, still served
		return *o.OrphanDependents, !*o.OrphanDependents //nolint:staticcheck // see above
	case o.PropagationPolicy != nil:
		return *o.PropagationPolicy == metav1.DeletePropagationOrphan, *o.PropagationPolicy == metav1.DeletePropagationForeground
	}
	return slices.Contains(finalizers, any(metav1.FinalizerOrphanDependents)), slices.Contains(finalizers, any(metav1.FinalizerDeleteDependents))
}
