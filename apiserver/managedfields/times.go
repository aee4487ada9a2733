package managedfields

import (
	"cmp"
	"slices"
	"time"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// KeepTimesIfUnchanged gives obj the managedFields of live if times in there are all that tells the two apart: such a
// write changes nothing, and what it stamped is taken back (in Kubernetes, too).
func KeepTimesIfUnchanged(obj, live resource.Object) {
	now, before := entries(obj), entries(live)
	if len(now) == 0 || len(now) != len(before) || resource.Equal(now, before) {
		return
	}
	for i := range now {
		if !sameButTime(now[i], before[i]) {
			return
		}
	}
	m := obj["metadata"].(map[string]any)
	m["managedFields"] = before
	if !resource.Equal(obj, live) {
		m["managedFields"] = now
	}
}

func entries(obj resource.Object) []any {
	m, _ := obj["metadata"].(map[string]any)
	list, _ := m["managedFields"].([]any)
	return list
}

func sameButTime(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	for name := range y {
		if _, ok := x[name]; !ok && name != "time" {
			return false
		}
	}
	for name, value := range x {
		if name != "time" && !resource.Equal(value, y[name]) {
			return false
		}
	}
	return true
}

// forgetTimes takes the times from what obj's account says of its Scale, if m keeps account of that: Kubernetes translates
// those entries to the Scale and back, and loses the times on the way. They go before what has a time.
func (m *Manager) forgetTimes(obj resource.Object) {
	if s := m.version.Subresources[m.subresource]; s == nil || s.Scale == nil {
		return
	}
	list := entries(obj)
	for _, e := range list {
		if entry, ok := e.(map[string]any); ok && entry["subresource"] == m.subresource {
			delete(entry, "time")
		}
	}
	slices.SortStableFunc(list, inOrder)
}

// inOrder compares entries of managedFields as Kubernetes orders them.
func inOrder(a, b any) int {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	text := func(entry map[string]any, name string) string { s, _ := entry[name].(string); return s }
	stamp := func(entry map[string]any) int64 {
		t, err := time.Parse(time.RFC3339, text(entry, "time"))
		if err != nil {
			return 0
		}
		return t.Unix()
	}
	return cmp.Or(
		cmp.Compare(text(x, "operation"), text(y, "operation")), cmp.Compare(stamp(x), stamp(y)), cmp.Compare(text(x, "manager"), text(y, "manager")),
		cmp.Compare(text(x, "apiVersion"), text(y, "apiVersion")), cmp.Compare(text(x, "subresource"), text(y, "subresource")),
	)
}
