package client

import (
	"encoding/json"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// holds says whether the managedFields of an object say that the owner applied the configuration's fields, all of them
// and no others, and the object has the configuration's values in them. To apply it again would then change nothing.
// Where that cannot be told it is false: values that the server writes in another way than the configuration, lists whose
// keys are left to defaults.
func holds(configuration []byte, now Object, which *application) bool {
	if which.owner == "" {
		return false
	}
	version := which.gvk.GroupVersion().String()
	for _, entry := range now.GetManagedFields() {
		if entry.Manager != which.owner || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != which.subresource {
			continue
		}
		if entry.APIVersion != version || entry.FieldsV1 == nil {
			return false
		}
		var fields, config map[string]any
		live, err := tree(now)
		if err != nil || decodeJSON(entry.FieldsV1.GetRawBytes(), &fields) != nil || decodeJSON(configuration, &config) != nil {
			return false
		}
		return untracked(config, now) && owned(config, live, fields)
	}
	return false
}

func tree(obj Object) (map[string]any, error) {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		return u.Object, nil
	}
	var out map[string]any
	data, err := json.Marshal(obj)
	if err == nil {
		err = decodeJSON(data, &out)
	}
	return out, err
}

// untracked removes from config what managedFields never have. It is false where config names another object.
func untracked(config map[string]any, now Object) bool {
	delete(config, "apiVersion")
	delete(config, "kind")
	if status, ok := config["status"].(map[string]any); ok && len(status) == 0 {
		delete(config, "status") // of a Go type, which always has one
	}
	metadata, _ := config["metadata"].(map[string]any)
	delete(metadata, "name")
	delete(metadata, "namespace")
	if uid, ok := metadata["uid"]; ok {
		if uid != string(now.GetUID()) {
			return false
		}
		delete(metadata, "uid")
	}
	if len(metadata) == 0 {
		delete(config, "metadata")
	}
	return true
}

// owned says whether config consists of the fields of a set as FieldsV1 writes it, with the values that they have in
// live. The set says how to read lists, so that no schema is needed.
func owned(config, live any, set map[string]any) bool {
	if members := len(set); members == 0 || members == 1 && set["."] != nil {
		return reflect.DeepEqual(config, live) // a scalar, or what is owned as a whole
	}
	switch config := config.(type) {
	case map[string]any:
		live, ok := live.(map[string]any)
		return ok && ownedMembers(config, live, set)
	case []any:
		live, ok := live.([]any)
		return ok && ownedElements(config, live, set)
	}
	return false
}

func ownedMembers(config, live, set map[string]any) bool {
	found := 0
	for name, child := range set {
		if name == "." {
			continue
		}
		name, ok := strings.CutPrefix(name, "f:")
		value, has := config[name]
		now, is := live[name]
		below, isSet := child.(map[string]any)
		if !ok || !has || !is || !isSet || !owned(value, now, below) {
			return false
		}
		found++
	}
	return found == len(config)
}

// ownedElements is owned for lists that are sets, or maps by keys. Their order counts: what is applied in another order
// is written in another order.
func ownedElements(config, live []any, set map[string]any) bool {
	at := make([]int, len(config)) // in live
	for i := range at {
		at[i] = -1
	}
	for name, child := range set {
		if name == "." {
			continue
		}
		var is func(any) bool
		below, isSet := child.(map[string]any)
		if text, ok := strings.CutPrefix(name, "v:"); ok {
			is = sameValue(text)
		} else if text, ok := strings.CutPrefix(name, "k:"); ok {
			is = sameKeys(text)
		}
		if is == nil || !isSet {
			return false
		}
		c, l := indexOf(config, is), indexOf(live, is)
		if c < 0 || l < 0 || !owned(config[c], live[l], below) {
			return false
		}
		at[c] = l
	}
	for i, l := range at {
		if l < 0 || i > 0 && l <= at[i-1] {
			return false
		}
	}
	return true
}

func indexOf(list []any, is func(any) bool) int {
	for i, e := range list {
		if is(e) {
			return i
		}
	}
	return -1
}

func sameValue(text string) func(any) bool {
	var want any
	if decodeJSON([]byte(text), &want) != nil {
		return nil
	}
	return func(v any) bool { return reflect.DeepEqual(v, want) }
}

func sameKeys(text string) func(any) bool {
	var want map[string]any
	if decodeJSON([]byte(text), &want) != nil {
		return nil
	}
	return func(v any) bool {
		m, ok := v.(map[string]any)
		for name, value := range want {
			ok = ok && reflect.DeepEqual(m[name], value)
		}
		return ok
	}
}
