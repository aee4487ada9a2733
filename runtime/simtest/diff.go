package simtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// judge says how a run differs from the undisturbed one; "" where it does not.
func judge(cfg *Config, base, r *result) string {
	if r.problem != "" {
		return r.problem
	}
	var lines []string
	for _, key := range union(base.objects, r.objects) {
		want, inBase := base.objects[key]
		got, here := r.objects[key]
		switch {
		case !inBase:
			lines = append(lines, key+": is there, and is not undisturbed: "+text(got))
		case !here:
			lines = append(lines, key+": is not there, and is undisturbed")
		default:
			for _, d := range diff(nil, "", want, got) {
				lines = append(lines, key+": "+d)
			}
		}
	}
	if !cfg.MayRecreate {
		for _, key := range union(base.created, r.created) {
			if want, got := base.created[key], r.created[key]; got > max(want, 1) {
				lines = append(lines, fmt.Sprintf("%s: was created %d times, undisturbed %d: what was in it is lost", key, got, want))
			}
		}
	}
	return strings.Join(lines, "\n")
}

func union[V any](a, b map[string]V) []string {
	return slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, m := range []map[string]V{a, b} {
			for key := range m {
				if !yield(key) {
					return
				}
			}
		}
	}))
}

// diff appends lines that say how got differs from what is wanted.
func diff(lines []string, path string, want, got any) []string {
	if reflect.DeepEqual(want, got) {
		return lines
	}
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			for _, name := range slices.Compact(slices.Sorted(keysOf(w, g))) {
				lines = diff(lines, strings.TrimPrefix(path+"."+name, "."), w[name], g[name])
			}
			return lines
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				lines = diff(lines, fmt.Sprintf("%s[%d]", path, i), w[i], g[i])
			}
			return lines
		}
	}
	return append(lines, fmt.Sprintf("%s is %s, undisturbed %s", path, text(got), text(want)))
}

func keysOf(maps_ ...map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, m := range maps_ {
			for key := range maps.Keys(m) {
				if !yield(key) {
					return
				}
			}
		}
	}
}

func text(v any) string {
	if v == nil {
		return "absent"
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
