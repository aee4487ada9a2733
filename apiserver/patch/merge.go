package patch

import "github.com/keelson-project/keelson/apiserver/resource"

// mergeObject is RFC 7386 as Kubernetes' library reads it: of a value that replaces none, or one that is no object,
// members that are null are dropped even inside of lists, where the RFC keeps them.
func mergeObject(obj, change map[string]any) map[string]any {
	for name, value := range change {
		if value == nil {
			delete(obj, name)
			continue
		}
		old, isObject := obj[name].(map[string]any)
		part, mergeable := value.(map[string]any)
		switch {
		case !isObject:
			obj[name] = withoutNulls(value)
		case mergeable:
			obj[name] = mergeObject(old, part)
		default:
			obj[name] = copyValue(value)
		}
	}
	return obj
}

// withoutNulls is a copy of v without members that are null.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			if member != nil {
				out[name] = withoutNulls(member)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = withoutNulls(element)
		}
		return out
	}
	return v
}

// copyValue keeps the patch apart from the object: both live on when the patch is applied again.
func copyValue(v any) any {
	if _, ok := v.([]any); !ok {
		return v
	}
	return resource.DeepCopy(resource.Object{"v": v})["v"]
}
