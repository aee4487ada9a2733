package builtin

import (
	"encoding/json"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The checks that several kinds share, with kube-apiserver's texts.

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func immutable(at *field.Path, v any) *field.Error {
	return field.Invalid(at, v, "field is immutable")
}

// notNegative checks a number that may be absent.
func notNegative(obj map[string]any, name string, at *field.Path) field.ErrorList {
	if n, ok := obj[name].(int64); ok && n < 0 {
		return field.ErrorList{field.Invalid(at.Child(name), n, "must be greater than or equal to 0")}
	}
	return nil
}

// each turns the messages of a format check into errors.
func each(at *field.Path, v any, messages []string) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range messages {
		errs = append(errs, field.Invalid(at, v, msg))
	}
	return errs
}

// stringMap converts labels and the like; values that are no strings are left out.
func stringMap(m map[string]any) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

func validateLabels(m map[string]any, at *field.Path) field.ErrorList {
	return metav1validation.ValidateLabels(stringMap(m), at)
}

// toLabelSelector converts a LabelSelector object.
func toLabelSelector(obj map[string]any) (*metav1.LabelSelector, error) {
	data, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	s := &metav1.LabelSelector{}
	return s, json.Unmarshal(data, s)
}

func labelSelector(obj map[string]any) (labels.Selector, error) {
	s, err := toLabelSelector(obj)
	if err != nil {
		return nil, err
	}
	return metav1.LabelSelectorAsSelector(s)
}

// intOrPercent checks a value as Kubernetes does those of rolling updates, and returns it as the type that resolves
// percentages.
func intOrPercent(v any, at *field.Path) (intstr.IntOrString, field.ErrorList) {
	switch v := v.(type) {
	case string:
		return intstr.FromString(v), each(at, v, utilvalidation.IsValidPercent(v))
	case int64:
		n := intstr.FromInt32(int32(v))
		if v < 0 {
			return n, field.ErrorList{field.Invalid(at, v, "must be greater than or equal to 0")}
		}
		return n, nil
	}
	return intstr.IntOrString{}, nil
}

// portNumOrName checks a reference to a container's port.
func portNumOrName(v any, at *field.Path) field.ErrorList {
	switch v := v.(type) {
	case int64:
		return each(at, v, utilvalidation.IsValidPortNum(int(v)))
	case string:
		return each(at, v, utilvalidation.IsValidPortName(v))
	}
	return nil
}
