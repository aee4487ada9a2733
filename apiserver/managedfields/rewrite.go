package managedfields

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// maxUpdaters is how many entries of updates Kubernetes keeps before it merges the oldest.
const maxUpdaters = 10

// rewrite accounts for an update of live to obj the short way, where manager changes nothing but values that it owns, and
// owns alone: the account stays as it is but for a time. It returns false, having changed nothing, where it takes the long
// way to know. TestRewriteIsUpdate checks that both ways end at the same place.
func (m *Manager) rewrite(live, obj resource.Object, manager string) bool {
	t, err := m.structure(m.gvk())
	stood, ok1 := live["metadata"].(map[string]any)
	meta, ok2 := obj["metadata"].(map[string]any)
	apiVersion := m.def.APIVersion(m.version.Name)
	if err != nil || !ok1 || !ok2 || manager == "" || live["apiVersion"] != apiVersion || obj["apiVersion"] != apiVersion || obj["kind"] != live["kind"] {
		return false
	}
	if given, ok := meta["managedFields"]; ok && !resource.Equal(given, stood["managedFields"]) {
		return false // the client has something to say about them
	}
	account := make([]any, len(entries(live)))
	var own map[string]any
	var others []map[string]any
	updaters, at := 0, 0
	for i, e := range entries(live) {
		was, _ := e.(map[string]any)
		entry := maps.Clone(was) // live stays as it is; the sets of fields are nobody's to change
		account[i] = entry
		fields, ok := entry["fieldsV1"].(map[string]any)
		if !ok || entry["apiVersion"] != apiVersion {
			return false
		}
		isUpdate, subresource := entry["operation"] == string(metav1.ManagedFieldsOperationUpdate), ""
		if isUpdate {
			updaters++
		}
		if s, ok := entry["subresource"].(string); ok {
			subresource = s
		}
		if isUpdate && own == nil && entry["manager"] == manager && subresource == m.subresource {
			own, at = fields, i
			continue
		}
		others = append(others, fields)
	}
	w := rewriter{walker: walker{t: t}}
	if own == nil || updaters > maxUpdaters || !w.fits(t.TypeRef, live) || !w.fits(t.TypeRef, obj) || !w.current(t.TypeRef, own) ||
		slices.ContainsFunc(others, func(o map[string]any) bool { return !w.current(t.TypeRef, o) }) || !w.object(m, obj, live, own, others) {
		return false
	}
	if w.changed {
		account[at].(map[string]any)["time"] = time.Now().UTC().Format(time.RFC3339)
		slices.SortStableFunc(account, inOrder)
	}
	meta["managedFields"] = account
	return true
}

// rewriter walks over what an object becomes, what it was, what the writer owns, and what others own.
type rewriter struct {
	walker
	changed bool
}

// object compares whole objects, but for what the server owns and what the write does not change. False: give up.
func (w *rewriter) object(m *Manager, obj, live, own map[string]any, others []map[string]any) bool {
	root, ok := w.t.Schema.Resolve(w.t.TypeRef)
	if !ok || root.Map == nil {
		return false
	}
	ignored := map[string]bool{"apiVersion": true, "kind": true}
	for _, path := range m.resetPaths() {
		if len(path) > 1 && !ignored[path[0]] && !resource.Equal(obj[path[0]], live[path[0]]) {
			return false
		}
		ignored[path[0]] = true
	}
	return w.members(root.Map, obj, live, own, others, func(name string) bool { return ignored[name] })
}

// members compares the members of an object that is not atomic, but for those to skip.
func (w *rewriter) members(t *schema.Map, v, was, own map[string]any, others []map[string]any, skip func(string) bool) bool {
	for name := range was {
		if _, stays := v[name]; !stays && !skip(name) {
			return false
		}
	}
	for name, member := range v {
		if skip(name) {
			continue
		}
		before, ok := was[name]
		if !ok {
			return false
		}
		tr := t.ElementType
		if f, ok := t.FindField(name); ok {
			tr = f.Type
		}
		field, below := "f:"+name, nobody
		if name == "metadata" && skip("apiVersion") { // of the object itself
			below = serverOwned
		}
		child, _ := own[field].(map[string]any)
		if !w.node(tr, member, before, child, field, others, below) {
			return false
		}
	}
	return true
}

func nobody(string) bool { return false }

// node compares a value with what it was. own is what the writer owns of it, nil: nothing; name is its name in the nodes
// above it, which are others'.
func (w *rewriter) node(tr schema.TypeRef, v, was any, own map[string]any, name string, above []map[string]any, skip func(string) bool) bool {
	atom, ok := w.t.Schema.Resolve(tr)
	if !ok {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		if stood, ok := was.(map[string]any); ok && atom.Map != nil && atom.Map.ElementRelationship != schema.Atomic {
			return w.members(atom.Map, v, stood, own, below(above, name), skip)
		}
	case []any:
		if stood, ok := was.([]any); ok && atom.List != nil && atom.List.ElementRelationship != schema.Atomic {
			return w.items(atom.List, v, stood, own, below(above, name))
		}
	}
	if resource.Equal(v, was) {
		return true
	}
	w.changed = true
	return own != nil && len(own) == 0 && len(below(above, name)) == 0 && v != nil && was != nil &&
		!value.Equals(value.NewValueInterface(v), value.NewValueInterface(was)) && sameKind(v, was)
}

func sameKind(a, b any) bool {
	kind := func(v any) int {
		switch v.(type) {
		case map[string]any:
			return 1
		case []any:
			return 2
		}
		return 0
	}
	return kind(a) == kind(b)
}

// items compares the items of a list of type set or map, which have to be the same in the same order.
func (w *rewriter) items(t *schema.List, v, was []any, own map[string]any, others []map[string]any) bool {
	if resource.Equal(v, was) {
		return true
	}
	const small = 64
	if len(t.Keys) == 0 || len(v) != len(was) || len(v) > small {
		return false
	}
	for i, item := range v {
		if resource.Equal(item, was[i]) {
			continue
		}
		name, ok := itemName(t, item)
		if !ok {
			return false
		}
		for j := range v { // the same name at the same place, and nowhere else
			a, ok1 := sameItem(t, v[j], item)
			b, ok2 := sameItem(t, was[j], item)
			if !ok1 || !ok2 || a != (i == j) || b != (i == j) {
				return false
			}
		}
		child, _ := own[name].(map[string]any)
		if !w.node(t.ElementType, item, was[i], child, name, others, nobody) {
			return false
		}
	}
	return true
}
