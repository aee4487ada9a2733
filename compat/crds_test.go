package compat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	typed "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// definition has one version of kind Part, with a string member.
func definition(group string) *apiextensionsv1.CustomResourceDefinition {
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "parts." + group, Labels: map[string]string{"of": group}},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "parts", Kind: "Part"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensionsv1.JSONSchemaProps{
						"spec": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"size": {Type: "integer"}}},
					},
				}},
			}},
		},
	}
}

func part(group, name string, size any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": "Part",
		"metadata": map[string]any{"name": name, "namespace": "default"},
		"spec":     map[string]any{"size": size},
	}}
}

func isTrue(crd *apiextensionsv1.CustomResourceDefinition, kind apiextensionsv1.CustomResourceDefinitionConditionType) bool {
	return slices.ContainsFunc(crd.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == kind && c.Status == apiextensionsv1.ConditionTrue
	})
}

// until waits with client-go's own watch tools for a state of the definition.
func until(t *testing.T, crds typed.CustomResourceDefinitionInterface, name string, done watchtools.ConditionFunc) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	only := "metadata.name=" + name
	event, err := watchtools.UntilWithSync(ctx, &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = only
			return crds.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = only
			return crds.Watch(ctx, options)
		},
	}, &apiextensionsv1.CustomResourceDefinition{}, nil, done)
	check(t, err)
	crd, _ := event.Object.(*apiextensionsv1.CustomResourceDefinition)
	return crd
}

func established(event watch.Event) (bool, error) {
	crd, ok := event.Object.(*apiextensionsv1.CustomResourceDefinition)
	return ok && isTrue(crd, apiextensionsv1.Established), nil
}

func waitGone(t *testing.T, crds typed.CustomResourceDefinitionInterface, name string) {
	t.Helper()
	eventually(t, "the definition is gone", func() bool {
		_, err := crds.Get(t.Context(), name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

// TestDefinitions is the life of a CustomResourceDefinition as the apiextensions clientset and the dynamic client see
// it: created, established, updated, listed, watched, its status written, and deleted with its instances.
func TestDefinitions(t *testing.T) {
	const group = "definitions.compat.example.com"
	config := restConfig(t)
	client, err := apiextensions.NewForConfig(config)
	check(t, err)
	crds := client.ApiextensionsV1().CustomResourceDefinitions()
	anything, err := dynamic.NewForConfig(config)
	check(t, err)
	parts := anything.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "parts"}).Namespace("default")

	created, err := crds.Create(t.Context(), definition(group), metav1.CreateOptions{})
	check(t, err)
	names := apiextensionsv1.CustomResourceDefinitionNames{Plural: "parts", Singular: "part", Kind: "Part", ListKind: "PartList"}
	if created.Spec.Names.Singular != "part" || created.Spec.Names.ListKind != "PartList" || created.Spec.Conversion.Strategy != apiextensionsv1.NoneConverter {
		t.Errorf("defaults: %+v", created.Spec)
	}
	if _, err := crds.Create(t.Context(), definition(group), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("second creation: %v", err)
	}
	crd := until(t, crds, created.Name, established)
	if crd.Generation != 1 || !slices.Equal(crd.Status.StoredVersions, []string{"v1"}) || fmt.Sprint(crd.Status.AcceptedNames) != fmt.Sprint(names) {
		t.Errorf("established: generation %d, status %+v", crd.Generation, crd.Status)
	}
	eventually(t, "the first object is accepted", func() bool {
		_, err := parts.Create(t.Context(), part(group, "one", int64(1)), metav1.CreateOptions{})
		return err == nil
	})

	t.Run("update", func(t *testing.T) { updateDefinition(t, crds, created, parts) })
	t.Run("status", func(t *testing.T) { definitionStatus(t, crds, created.Name) })
	t.Run("list", func(t *testing.T) { listDefinitions(t, crds, anything, created.Name) })
	t.Run("delete", func(t *testing.T) { deleteDefinition(t, crds, parts, created.Name) })

	// It comes again, as something else.
	again := definition(group)
	again.Spec.Scope = apiextensionsv1.ClusterScoped
	_, err = crds.Create(t.Context(), again, metav1.CreateOptions{})
	check(t, err)
	until(t, crds, again.Name, established)
	everywhere := anything.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "parts"})
	it := part(group, "one", int64(2))
	it.SetNamespace("")
	eventually(t, "the first object of the new scope is accepted", func() bool {
		_, err := everywhere.Create(t.Context(), it, metav1.CreateOptions{})
		return err == nil
	})
	check(t, crds.Delete(t.Context(), again.Name, metav1.DeleteOptions{}))
	waitGone(t, crds, again.Name)
}

// updateDefinition adds a member to the schema, which holds for what is written next, and a version.
func updateDefinition(t *testing.T, crds typed.CustomResourceDefinitionInterface, old *apiextensionsv1.CustomResourceDefinition, parts dynamic.ResourceInterface) {
	stale := old.DeepCopy()
	stale.Annotations = map[string]string{"note": "stale"}
	if _, err := crds.Update(t.Context(), stale, metav1.UpdateOptions{}); ours() {
		check(t, err) // nothing has written it since it was created
	} else if !apierrors.IsConflict(err) {
		t.Errorf("update of an old version: %v", err)
	}
	if _, err := crds.Update(t.Context(), stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("update of an old version: %v", err)
	}
	crd, err := crds.Get(t.Context(), old.Name, metav1.GetOptions{})
	check(t, err)
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	least := 1.0
	spec.Properties["size"] = apiextensionsv1.JSONSchemaProps{Type: "integer", Minimum: &least}
	spec.Properties["color"] = apiextensionsv1.JSONSchemaProps{Type: "string", Default: &apiextensionsv1.JSON{Raw: []byte(`"red"`)}}
	crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = spec
	updated, err := crds.Update(t.Context(), crd, metav1.UpdateOptions{})
	check(t, err)
	if updated.Generation != crd.Generation+1 {
		t.Errorf("generation %d after %d", updated.Generation, crd.Generation)
	}
	eventually(t, "the new schema holds", func() bool {
		_, err := parts.Create(t.Context(), part(crd.Spec.Group, "none", int64(0)), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return apierrors.IsInvalid(err)
	})
	one, err := parts.Get(t.Context(), "one", metav1.GetOptions{})
	check(t, err)
	if color, _, _ := unstructured.NestedString(one.Object, "spec", "color"); color != "red" {
		t.Errorf("what was stored before is read without its default: %v", one.Object)
	}

	for what, change := range map[string]func(*apiextensionsv1.CustomResourceDefinitionSpec){
		"spec.scope: Invalid value: \"Cluster\": field is immutable":    func(s *apiextensionsv1.CustomResourceDefinitionSpec) { s.Scope = apiextensionsv1.ClusterScoped },
		"spec.names.kind: Invalid value: \"Piece\": field is immutable": func(s *apiextensionsv1.CustomResourceDefinitionSpec) { s.Names.Kind = "Piece" },
	} {
		wrong := updated.DeepCopy()
		change(&wrong.Spec)
		if _, err := crds.Update(t.Context(), wrong, metav1.UpdateOptions{}); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), what) {
			t.Errorf("want %s, got: %v", what, err)
		}
	}

	second := *updated.Spec.Versions[0].DeepCopy()
	second.Name, second.Storage = "v2", false
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"versions": []any{updated.Spec.Versions[0], second}}})
	check(t, err)
	_, err = crds.Patch(t.Context(), old.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	check(t, err)
}

// definitionStatus writes storedVersions, as a migrator does, and nothing else by that door.
func definitionStatus(t *testing.T, crds typed.CustomResourceDefinitionInterface, name string) {
	patched, err := crds.Patch(t.Context(), name, types.MergePatchType, []byte(`{"spec":{"scope":"Cluster"},"status":{"storedVersions":["v1","v2"]}}`), metav1.PatchOptions{}, "status")
	check(t, err)
	if patched.Spec.Scope != apiextensionsv1.NamespaceScoped || !slices.Equal(patched.Status.StoredVersions, []string{"v1", "v2"}) {
		t.Errorf("scope %s, stored versions %v", patched.Spec.Scope, patched.Status.StoredVersions)
	}
	without, err := json.Marshal(map[string]any{"spec": map[string]any{"versions": patched.Spec.Versions[:1]}})
	check(t, err)
	_, err = crds.Patch(t.Context(), name, types.MergePatchType, without, metav1.PatchOptions{})
	const missing = `status.storedVersions[1]: Invalid value: "v2": missing from spec.versions; v2 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v2 and removes v2 from status.storedVersions`
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), missing) {
		t.Errorf("without a version that is stored: %v", err)
	}
	patched.Status.StoredVersions = []string{"v1"}
	patched.Spec.Scope = apiextensionsv1.ClusterScoped
	updated, err := crds.UpdateStatus(t.Context(), patched, metav1.UpdateOptions{})
	check(t, err)
	if updated.Spec.Scope != apiextensionsv1.NamespaceScoped || !isTrue(updated, apiextensionsv1.Established) {
		t.Errorf("after a write of the status: %+v", updated)
	}
}

// listDefinitions finds it by its label and its name, typed and untyped.
func listDefinitions(t *testing.T, crds typed.CustomResourceDefinitionInterface, anything dynamic.Interface, name string) {
	_, group, _ := strings.Cut(name, ".")
	found, err := crds.List(t.Context(), metav1.ListOptions{LabelSelector: "of=" + group})
	check(t, err)
	if len(found.Items) != 1 || found.Items[0].Name != name {
		t.Errorf("by label: %d definitions", len(found.Items))
	}
	untyped := anything.Resource(apiextensionsv1.SchemeGroupVersion.WithResource("customresourcedefinitions"))
	list, err := untyped.List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	check(t, err)
	if len(list.Items) != 1 || list.Items[0].GetKind() != "CustomResourceDefinition" {
		t.Errorf("by name: %v", list.Items)
	}
	changes, err := crds.Watch(t.Context(), metav1.ListOptions{LabelSelector: "of=" + group, ResourceVersion: found.ResourceVersion})
	check(t, err)
	defer changes.Stop()
	_, err = crds.Patch(t.Context(), name, types.JSONPatchType, []byte(`[{"op":"add","path":"/metadata/annotations","value":{"seen":"yes"}}]`), metav1.PatchOptions{})
	check(t, err)
	_, err = crds.Patch(t.Context(), name, types.JSONPatchType, []byte(`[{"op":"remove","path":"/metadata/labels/of"}]`), metav1.PatchOptions{})
	check(t, err)
	for _, want := range []watch.EventType{watch.Modified, watch.Deleted} {
		event := <-changes.ResultChan()
		if crd, ok := event.Object.(*apiextensionsv1.CustomResourceDefinition); event.Type != want || !ok || crd.Annotations["seen"] != "yes" {
			t.Errorf("want %s, got %s of %v", want, event.Type, event.Object)
		}
	}
}

// deleteDefinition deletes it while an instance has a finalizer: both stay until that is taken away.
func deleteDefinition(t *testing.T, crds typed.CustomResourceDefinitionInterface, parts dynamic.ResourceInterface, name string) {
	_, err := parts.Patch(t.Context(), "one", types.MergePatchType, []byte(`{"metadata":{"finalizers":["compat.example.com/keep"]}}`), metav1.PatchOptions{})
	check(t, err)
	check(t, crds.Delete(t.Context(), name, metav1.DeleteOptions{}))
	crd := until(t, crds, name, func(event watch.Event) (bool, error) {
		crd, ok := event.Object.(*apiextensionsv1.CustomResourceDefinition)
		return ok && isTrue(crd, apiextensionsv1.Terminating) && crd.DeletionTimestamp != nil, nil
	})
	if !slices.Contains(crd.Finalizers, apiextensionsv1.CustomResourceCleanupFinalizer) {
		t.Errorf("finalizers: %v", crd.Finalizers)
	}
	_, group, _ := strings.Cut(name, ".")
	eventually(t, "no more instances are taken", func() bool {
		_, err := parts.Create(t.Context(), part(group, "late", int64(1)), metav1.CreateOptions{})
		return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "create not allowed while custom resource definition is terminating")
	})
	eventually(t, "the instance is being deleted", func() bool {
		one, err := parts.Get(t.Context(), "one", metav1.GetOptions{})
		return err == nil && one.GetDeletionTimestamp() != nil
	})
	_, err = parts.Patch(t.Context(), "one", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	check(t, err)
	waitGone(t, crds, name)
}
