package client

import "reflect"

// mergeDiff is the merge patch (RFC 7396) that makes to of from.
func mergeDiff(from, to map[string]any) map[string]any {
	patch := map[string]any{}
	for k := range from {
		if _, ok := to[k]; !ok {
			patch[k] = nil
		}
	}
	for k, v := range to {
		old, ok := from[k]
		oldMap, oldIs := old.(map[string]any)
		newMap, newIs := v.(map[string]any)
		switch {
		case ok && oldIs && newIs:
			if d := mergeDiff(oldMap, newMap); len(d) > 0 {
				patch[k] = d
			}
		case !ok || !reflect.DeepEqual(old, v):
			patch[k] = v
		}
	}
	return patch
}
