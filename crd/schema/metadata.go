package schema

import (
	"encoding/json"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
)

// CleanMetadata brings metadata into the form that an ObjectMeta has after it was decoded and encoded again:
// unknown members, nulls and empty members are gone. It may return its argument, changed. unknown are the paths
// of the members that ObjectMeta does not have, relative to metadata. The error is the decoder's, for members of
// the wrong type; metadata is unchanged then.
func CleanMetadata(metadata any) (clean map[string]any, unknown []string, err error) {
	if m, ok := metadata.(map[string]any); ok && isPlainMetadata(m) {
		dropEmpty(m)
		return m, nil, nil
	}
	meta, strict, err := decodeMetadata(metadata)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range strict {
		var at kjson.FieldError
		if errors.As(e, &at) {
			unknown = append(unknown, at.FieldPath())
		}
	}
	clean, err = kruntime.DefaultUnstructuredConverter.ToUnstructured(meta)
	return clean, unknown, err
}

// CheckMetadata returns the error that CleanMetadata would, and changes nothing.
func CheckMetadata(metadata any) error {
	if m, ok := metadata.(map[string]any); ok && isPlainMetadata(m) {
		return nil
	}
	_, _, err := decodeMetadata(metadata)
	return err
}

func decodeMetadata(metadata any) (meta *metav1.ObjectMeta, strict []error, err error) {
	encoded, err := json.Marshal(metadata)
	if err != nil {
		return nil, nil, err
	}
	meta = &metav1.ObjectMeta{}
	strict, err = kjson.UnmarshalStrict(encoded, meta)
	return meta, strict, err
}

// isPlainMetadata says whether m would come back from an ObjectMeta as it is, once empty members are dropped, so
// that no detour through that is needed. Nearly all objects are like this.
func isPlainMetadata(m map[string]any) bool {
	for name, value := range m {
		ok := false
		switch name {
		case "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion":
			ok = isStringOrNil(value)
		case "labels", "annotations":
			ok = isPlainMap(value)
		case "finalizers":
			ok = isPlainList(value, func(element any) bool { _, ok := element.(string); return ok })
		case "ownerReferences":
			ok = isPlainList(value, isPlainOwner)
		case "managedFields":
			ok = isPlainList(value, isPlainManager)
		case "creationTimestamp", "deletionTimestamp":
			ok = value == nil || isPlainTime(value)
		case "generation", "deletionGracePeriodSeconds":
			_, isInt := value.(int64)
			ok = isInt || value == nil
		}
		if !ok {
			return false
		}
	}
	return true
}

func isStringOrNil(value any) bool {
	_, ok := value.(string)
	return ok || value == nil
}

func isPlainMap(value any) bool {
	m, ok := value.(map[string]any)
	for _, v := range m {
		if _, isString := v.(string); !isString {
			return false
		}
	}
	return ok || value == nil
}

func isPlainList(value any, isPlain func(any) bool) bool {
	list, ok := value.([]any)
	for _, element := range list {
		if !isPlain(element) {
			return false
		}
	}
	return ok || value == nil
}

// isPlainOwner says whether value is a whole OwnerReference.
func isPlainOwner(value any) bool {
	m, ok := value.(map[string]any)
	always := 0
	for name, v := range m {
		switch name {
		case "apiVersion", "kind", "name", "uid":
			_, ok = v.(string)
			always++
		case "controller", "blockOwnerDeletion":
			_, ok = v.(bool)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return ok && always == 4
}

// isPlainManager says whether value is a ManagedFieldsEntry without empty members.
func isPlainManager(value any) bool {
	m, ok := value.(map[string]any)
	for name, v := range m {
		switch name {
		case "manager", "operation", "apiVersion", "fieldsType", "subresource":
			s, isString := v.(string)
			ok = isString && s != ""
		case "time":
			ok = isPlainTime(v)
		case "fieldsV1":
			_, ok = v.(map[string]any)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return ok
}

// isPlainTime says whether value is a time in the one way in which metav1.Time writes it.
func isPlainTime(value any) bool {
	const form = "2006-01-02T15:04:05Z"
	s, ok := value.(string)
	if !ok || len(s) != len(form) {
		return false
	}
	t, err := time.Parse(form, s)
	return err == nil && !t.IsZero()
}

// dropEmpty drops from plain metadata what an ObjectMeta does not write.
func dropEmpty(m map[string]any) {
	for name, value := range m {
		empty := false
		switch v := value.(type) {
		case nil:
			empty = true
		case string:
			empty = v == ""
		case map[string]any:
			empty = len(v) == 0
		case []any:
			empty = len(v) == 0
		case int64:
			empty = v == 0 && name != "deletionGracePeriodSeconds"
		}
		if empty {
			delete(m, name)
		}
	}
}
