package builtin

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
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

func validateNamespace(_ context.Context, obj, _ resource.Object) field.ErrorList {
	var errs field.ErrorList
	for i, f := range items(obj, "spec", "finalizers") {
		name, _ := f.(string)
		at := field.NewPath("spec", "finalizers").Index(i)
		errs = append(errs, validateFinalizer(name, at)...)
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

// mergeFinalize lets a write to the finalize subresource change spec.finalizers alone.
func mergeFinalize(sent, current resource.Object) resource.Object {
	keep(child(current, "spec"), fieldsOf(sent, "spec"), "finalizers")
	return current
}

// beginNamespaceDelete keeps a namespace until its content is gone.
func beginNamespaceDelete(_ context.Context, obj resource.Object) bool {
	if len(items(obj, "spec", "finalizers")) == 0 {
		return false
	}
	child(obj, "status")["phase"] = "Terminating"
	return true
}
