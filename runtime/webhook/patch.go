package webhook

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// PatchOperation is one operation of a JSON patch (RFC 6902). Value is of add and replace.
type PatchOperation struct {
	Operation string // add, remove, replace
	Path      string // such as /spec/replicas
	Value     any
}

// MarshalJSON implements json.Marshaler.
func (p PatchOperation) MarshalJSON() ([]byte, error) {
	if p.Operation == "remove" {
		return json.Marshal(map[string]string{"op": p.Operation, "path": p.Path})
	}
	return json.Marshal(struct {
		Operation string `json:"op"`
		Path      string `json:"path"`
		Value     any    `json:"value"`
	}{p.Operation, p.Path, p.Value})
}

// Diff returns the patch that leads from one JSON object to another.
func Diff(from, to []byte) ([]PatchOperation, error) {
	var a, b map[string]any
	if err := utiljson.Unmarshal(from, &a); err != nil {
		return nil, fmt.Errorf("webhook: the original: %w", err)
	}
	if err := utiljson.Unmarshal(to, &b); err != nil {
		return nil, fmt.Errorf("webhook: the result: %w", err)
	}
	var d differ
	d.objects("", a, b)
	return d, nil
}

// differ gathers a patch. Each operation finds what those before it have left.
type differ []PatchOperation

func (d *differ) add(op, path string, value any) {
	*d = append(*d, PatchOperation{Operation: op, Path: path, Value: value})
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func (d *differ) objects(at string, from, to map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		path := at + "/" + escape.Replace(key)
		if value, ok := to[key]; ok {
			d.values(path, from[key], value, false)
		} else {
			d.add("remove", path, nil)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(to)) {
		if _, ok := from[key]; !ok {
			d.add("add", at+"/"+escape.Replace(key), to[key])
		}
	}
}

func (d *differ) values(path string, from, to any, element bool) {
	if reflect.DeepEqual(from, to) {
		return
	}
	switch a := from.(type) {
	case map[string]any:
		if b, ok := to.(map[string]any); ok {
			d.objects(path, a, b)
			return
		}
	case []any:
		if b, ok := to.([]any); ok {
			d.lists(path, a, b)
			return
		}
	case nil: // kube-apiserver's library takes null for missing, and replaces nothing
		if element {
			d.add("remove", path, nil)
		}
		d.add("add", path, to)
		return
	}
	d.add("replace", path, to)
}

// lists keeps what is the same at the beginning and at the end, and works through what is between element by element.
func (d *differ) lists(at string, from, to []any) {
	first, last := common(from, to)
	gone, come := len(from)-first-last, len(to)-first-last
	both := first + min(gone, come)
	for i := first; i < both; i++ {
		d.values(at+"/"+strconv.Itoa(i), from[i], to[i], true)
	}
	for i := first + gone - 1; i >= both; i-- {
		d.add("remove", at+"/"+strconv.Itoa(i), nil)
	}
	for i := both; i < first+come; i++ {
		d.add("add", at+"/"+strconv.Itoa(i), to[i])
	}
}

// common is how many elements are the same at the beginning, and of the rest at the end.
func common(a, b []any) (first, last int) {
	for first < len(a) && first < len(b) && reflect.DeepEqual(a[first], b[first]) {
		first++
	}
	for last < len(a)-first && last < len(b)-first && reflect.DeepEqual(a[len(a)-1-last], b[len(b)-1-last]) {
		last++
	}
	return first, last
}

// carry makes the changes between before and after, two readings of raw by a type that may not know all of it, to raw.
func carry(raw, before, after any) any {
	if reflect.DeepEqual(before, after) {
		return raw
	}
	switch to := after.(type) {
	case map[string]any:
		from, ok := before.(map[string]any)
		was, is := raw.(map[string]any)
		if before != nil && !ok || raw != nil && !is {
			return after
		}
		return carryObject(was, from, to)
	case []any:
		from, ok := before.([]any)
		was, is := raw.([]any)
		if ok && is && len(was) == len(from) {
			return carryList(was, from, to)
		}
	}
	return after
}

func carryObject(raw, before, after map[string]any) map[string]any {
	out := make(map[string]any, len(raw)+len(after))
	maps.Copy(out, raw)
	for key := range before {
		if _, stays := after[key]; !stays {
			delete(out, key)
		}
	}
	for key, value := range after {
		was, had := before[key]
		if had && reflect.DeepEqual(was, value) {
			continue
		}
		out[key] = carry(raw[key], was, value)
	}
	return out
}

func carryList(raw, before, after []any) []any {
	first, last := common(before, after)
	out := slices.Clone(raw[:first])
	gone, come := len(before)-first-last, len(after)-first-last
	for i := range come {
		if gone == come { // the same elements, changed
			out = append(out, carry(raw[first+i], before[first+i], after[first+i]))
		} else {
			out = append(out, after[first+i])
		}
	}
	return append(out, raw[len(raw)-last:]...)
}
