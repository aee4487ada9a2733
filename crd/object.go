package crd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// objectHooks are the rules that hold for all custom objects, whatever their schema.
func objectHooks(d *resource.Definition) resource.Hooks {
	return resource.Hooks{
		PrepareCreate: func(_ context.Context, obj resource.Object) {
			if hasStatus(d, obj) {
				delete(obj, "status")
			}
		},
		Warnings: func(_ context.Context, obj, old resource.Object) []string {
			return finalizerWarnings(obj, old)
		},
		SpecChanged: func(obj, old resource.Object) bool { return specChanged(obj, old, hasStatus(d, obj)) },
	}
}

// hasStatus says whether the version that obj is in has a status subresource.
func hasStatus(d *resource.Definition, obj resource.Object) bool {
	apiVersion, _ := obj["apiVersion"].(string)
	v := d.Version(apiVersion[strings.LastIndexByte(apiVersion, '/')+1:])
	return v != nil && v.Subresources["status"] != nil
}

// specChanged compares all but metadata, and but status where that has a subresource of its own.
func specChanged(obj, old resource.Object, status bool) bool {
	counts := func(name string) bool { return name != "metadata" && (!status || name != "status") }
	for name := range old {
		if _, ok := obj[name]; !ok && counts(name) {
			return true
		}
	}
	for name, value := range obj {
		if before, ok := old[name]; counts(name) && (!ok || !resource.Equal(value, before)) {
			return true
		}
	}
	return false
}

// finalizerWarnings tells of new finalizers whose names may clash with those of others.
func finalizerWarnings(obj, old resource.Object) []string {
	var out []string
	const path = "metadata.finalizers"
	before := finalizersOf(old)
	added := finalizersOf(obj)
	slices.Sort(added)
	for _, name := range slices.Compact(added) {
		if slices.Contains(before, name) {
			continue
		}
		for _, problem := range validation.IsQualifiedName(name) {
			out = append(out, fmt.Sprintf("%s: %q: %s", path, name, problem))
		}
		switch {
		case strings.Contains(name, "/"), name == metav1.FinalizerOrphanDependents,
			name == metav1.FinalizerDeleteDependents, name == string(corev1.FinalizerKubernetes):
		case strings.Contains(name, "."):
			out = append(out, fmt.Sprintf("%s: %q: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers", path, name))
		default:
			out = append(out, fmt.Sprintf("%s: %q: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers", path, name))
		}
	}
	return out
}

func finalizersOf(obj resource.Object) []string {
	metadata, _ := obj["metadata"].(map[string]any)
	list, _ := metadata["finalizers"].([]any)
	var out []string
	for _, f := range list {
		if s, ok := f.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
