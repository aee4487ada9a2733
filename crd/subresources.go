package crd

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// mergeStatus stores the sent status, and of the sent metadata who manages what, on the current object.
func mergeStatus(sent, current resource.Object) resource.Object {
	out := maps.Clone(current)
	move(out, sent, "status")
	metadata, _ := current["metadata"].(map[string]any)
	sentMetadata, _ := sent["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	if metadata == nil {
		metadata = map[string]any{}
	}
	move(metadata, sentMetadata, "managedFields")
	out["metadata"] = metadata
	return out
}

// move makes the member name of to what it is in from, absent included.
func move(to, from map[string]any, name string) {
	if value, ok := from[name]; ok {
		to[name] = value
	} else {
		delete(to, name)
	}
}

func scaleOf(s *apiextensionsv1.CustomResourceSubresourceScale) *resource.Scale {
	scale := &resource.Scale{SpecReplicas: splitPath(s.SpecReplicasPath), StatusReplicas: splitPath(s.StatusReplicasPath)}
	if s.LabelSelectorPath != nil && *s.LabelSelectorPath != "" {
		scale.Selector = splitPath(*s.LabelSelectorPath)
	}
	return scale
}

func splitPath(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }

// validateScale checks what the scale subresource shows of obj.
func validateScale(obj resource.Object, s *apiextensionsv1.CustomResourceSubresourceScale) field.ErrorList {
	if s == nil {
		return nil
	}
	return append(validateReplicas(obj, s.SpecReplicasPath), validateScaleStatus(obj, s)...)
}

// validateScaleStatus is the part of validateScale that a write to the status can break.
func validateScaleStatus(obj resource.Object, s *apiextensionsv1.CustomResourceSubresourceScale) field.ErrorList {
	if s == nil {
		return nil
	}
	errs := validateReplicas(obj, s.StatusReplicasPath)
	if s.LabelSelectorPath != nil {
		selector, _, err := unstructured.NestedString(obj, splitPath(*s.LabelSelectorPath)...)
		if err != nil {
			errs = append(errs, field.Invalid(field.NewPath(*s.LabelSelectorPath), selector, err.Error()))
		}
	}
	return errs
}

func validateReplicas(obj resource.Object, path string) field.ErrorList {
	replicas, _, err := unstructured.NestedInt64(obj, splitPath(path)...)
	text := ""
	switch {
	case err != nil:
		text = err.Error()
	case replicas < 0:
		text = "should be a non-negative integer"
	case replicas > math.MaxInt32:
		text = fmt.Sprintf("should be less than or equal to %v", math.MaxInt32)
	default:
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath(path), replicas, text)}
}

// selectableFields are those of all versions, read from the storage version's objects.
func (h *head) selectableFields() []resource.SelectableField {
	var out []resource.SelectableField
	for i := range h.Spec.Versions {
		for _, f := range h.Spec.Versions[i].SelectableFields {
			name := strings.TrimPrefix(f.JSONPath, ".")
			if !slices.ContainsFunc(out, func(o resource.SelectableField) bool { return o.Name == name }) {
				out = append(out, resource.SelectableField{Name: name, Path: splitPath(f.JSONPath)})
			}
		}
	}
	return out
}

// selectableNames are those that one version offers; never nil.
func selectableNames(fields []apiextensionsv1.SelectableField) []string {
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		names = append(names, strings.TrimPrefix(f.JSONPath, "."))
	}
	return names
}
