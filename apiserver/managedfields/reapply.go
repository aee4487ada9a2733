package managedfields

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// reapply merges config into live the short way, where manager applies the very fields that it applied before: nothing is
// to be pruned then, the account stays as it is but for a time, and one walk over both tells what changes. It returns
// false, having changed nothing, where it takes the long way to know: fields that come or go, that change and have another
// owner, entries of other versions, lists in another order, nulls, what does not fit the schema.
// TestReapplyIsApply checks that both ways end at the same place.
func (m *Manager) reapply(live, config resource.Object, manager string) bool {
	t, err := m.structure(m.gvk())
	if err != nil || live["metadata"] == nil || manager == "kubectl" { // which migrates annotations of client-side applies
		return false
	}
	apiVersion := m.def.APIVersion(m.version.Name)
	if config["apiVersion"] != apiVersion || config["kind"] != m.def.Names.Kind || live["apiVersion"] != apiVersion {
		return false
	}
	var own map[string]any
	var others []map[string]any
	for _, e := range entries(live) {
		entry, _ := e.(map[string]any)
		fields, ok := entry["fieldsV1"].(map[string]any)
		if !ok || entry["apiVersion"] != apiVersion {
			return false
		}
		subresource, _ := entry["subresource"].(string)
		if entry["manager"] == manager && entry["operation"] == string(metav1.ManagedFieldsOperationApply) && subresource == m.subresource {
			if own != nil {
				return false
			}
			own = entry
			continue
		}
		others = append(others, fields)
	}
	w := merger{walker: walker{t: t}}
	if own == nil || !w.fits(t.TypeRef, live) || slices.ContainsFunc(others, func(o map[string]any) bool { return !w.current(t.TypeRef, o) }) {
		return false
	}
	if !w.object(m, config, live, own["fieldsV1"].(map[string]any), others) {
		return false
	}
	if len(w.changes) == 0 {
		return true
	}
	for _, c := range w.changes {
		c.at.put(c.value)
	}
	own["time"] = time.Now().UTC().Format(time.RFC3339)
	slices.SortStableFunc(entries(live), inOrder)
	m.version.Schema.Default(live)
	return true
}

// merger walks over a configuration, the live object, what the applier owns, and what others own.
type merger struct {
	walker
	changes []change
}

// change is a value that goes to a place.
type change struct {
	at    place
	value any
}

// place is a member of an object, or an item of a list.
type place struct {
	object map[string]any
	name   string
	list   []any
	index  int
}

func (p place) put(v any) {
	if p.object != nil {
		p.object[p.name] = v
		return
	}
	p.list[p.index] = v
}

// serverOwned are the members of metadata that are nobody's.
func serverOwned(name string) bool {
	switch name {
	case "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion":
		return true
	}
	return false
}

// object merges whole objects. False: give up.
func (w *merger) object(m *Manager, config, live, own map[string]any, others []map[string]any) bool {
	root, ok := w.t.Schema.Resolve(w.t.TypeRef)
	if !ok || root.Map == nil {
		return false
	}
	reset := m.resetPaths()
	isReset := func(name string) bool {
		return slices.ContainsFunc(reset, func(path []string) bool { return path[0] == name })
	}
	rest, meta := map[string]any{}, map[string]any{}
	for name, v := range config {
		switch {
		case name == "apiVersion" || name == "kind":
		case name == "metadata":
			stood, _ := live["metadata"].(map[string]any)
			sent, ok := v.(map[string]any)
			if !ok {
				return false
			}
			for name, v := range sent {
				switch {
				case !serverOwned(name):
					meta[name] = v
				case name == "managedFields" || !resource.Equal(v, stood[name]):
					return false
				}
			}
		case isReset(name):
			return false
		default:
			rest[name] = v
		}
	}
	if len(meta) > 0 {
		if isReset("metadata") {
			return false
		}
		rest["metadata"] = meta
	}
	return w.members(root.Map, rest, live, own, others)
}

// node merges a value v of the configuration into what was there, at a place. False: give up.
func (w *merger) node(tr schema.TypeRef, v, was any, own map[string]any, others []map[string]any, at place) bool {
	atom, ok := w.t.Schema.Resolve(tr)
	if !ok {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		stood, isMap := was.(map[string]any)
		if atom.Map == nil || was != nil && !isMap {
			return false
		}
		if atom.Map.ElementRelationship == schema.Atomic {
			return w.fits(tr, v) && w.leaf(v, was, own, others, at)
		}
		if len(v) == 0 && isMap { // whatever is in there, it stays
			return len(own) == 0
		}
		if len(v) == 0 {
			return w.leaf(v, was, own, others, at)
		}
		return isMap && w.members(atom.Map, v, stood, own, others)
	case []any:
		stood, isList := was.([]any)
		if atom.List == nil || was != nil && !isList {
			return false
		}
		if atom.List.ElementRelationship == schema.Atomic {
			return w.fits(tr, v) && w.leaf(v, was, own, others, at)
		}
		return len(v) > 0 && isList && w.items(atom.List, v, stood, own, others)
	}
	switch was.(type) {
	case map[string]any, []any:
		return false
	}
	return fitsScalar(atom.Scalar, v) && w.leaf(v, was, own, others, at)
}

// leaf merges a value that is owned as a whole.
func (w *merger) leaf(v, was any, own map[string]any, others []map[string]any, at place) bool {
	if len(own) != 0 {
		return false
	}
	if resource.Equal(v, was) {
		return true
	}
	if len(others) > 0 || was != nil && value.Equals(value.NewValueInterface(v), value.NewValueInterface(was)) {
		return false // a conflict; or the same number in another form
	}
	w.changes = append(w.changes, change{at, v})
	return true
}

// members merges the members of an object that is not atomic.
func (w *merger) members(t *schema.Map, v, was, own map[string]any, others []map[string]any) bool {
	if len(v) != children(own) {
		return false
	}
	for name, member := range v {
		tr := t.ElementType
		f, declared := t.FindField(name)
		if declared {
			tr = f.Type
		}
		field := "f:" + name
		child, ok := own[field].(map[string]any)
		if !ok || len(child) > 0 && (child["."] == nil) != declared {
			return false
		}
		if !w.node(tr, member, was[name], child, below(others, field), place{object: was, name: name}) {
			return false
		}
	}
	return true
}

// items merges the items of a list of type set or map. They have to be there, in the order of the configuration.
func (w *merger) items(t *schema.List, v, was []any, own map[string]any, others []map[string]any) bool {
	const small = 64 // in a longer list, looking for items by comparing them is the long way
	if len(v) != children(own) || len(was) > small {
		return false
	}
	from := 0
	for _, item := range v {
		name, ok := itemName(t, item)
		if !ok {
			return false
		}
		child, ok := own[name].(map[string]any)
		if !ok || len(child) > 0 && child["."] == nil {
			return false
		}
		at := -1
		for i := range was {
			same, ok := sameItem(t, was[i], item)
			if !ok || same && (at >= 0 || i < from) {
				return false
			}
			if same {
				at = i
			}
		}
		if at < 0 || !w.node(t.ElementType, item, was[at], child, below(others, name), place{list: was, index: at}) {
			return false
		}
		from = at + 1
	}
	return true
}

// sameItem says whether two items of a list have the same name; not ok: they have none without knowing defaults.
func sameItem(t *schema.List, a, b any) (same, ok bool) {
	if len(t.Keys) == 0 {
		return resource.Equal(a, b), true
	}
	x, isMap := a.(map[string]any)
	y, _ := b.(map[string]any)
	same = true
	for _, key := range t.Keys {
		if x[key] == nil {
			return false, false
		}
		same = same && resource.Equal(x[key], y[key])
	}
	return same, isMap
}

// children is how many fields or items are in a node of fieldsV1.
func children(node map[string]any) int {
	if node["."] != nil {
		return len(node) - 1
	}
	return len(node)
}

// below are the children of that name of those nodes that have one.
func below(nodes []map[string]any, name string) (out []map[string]any) {
	for _, n := range nodes {
		if child, ok := n[name].(map[string]any); ok {
			out = append(out, child)
		}
	}
	return out
}

// current says whether a node of fieldsV1 is of the schema as it is: what has become atomic since has nothing below it.
func (w *walker) current(tr schema.TypeRef, node map[string]any) bool {
	if children(node) == 0 {
		return true
	}
	atom, ok := w.t.Schema.Resolve(tr)
	if !ok {
		return false
	}
	for name, child := range node {
		below, ok := child.(map[string]any)
		switch {
		case name == ".":
			continue
		case !ok || len(name) < 2:
			return false
		case name[:2] == "f:" && atom.Map != nil && atom.Map.ElementRelationship != schema.Atomic:
			tr := atom.Map.ElementType
			if f, declared := atom.Map.FindField(name[2:]); declared {
				tr = f.Type
			}
			if tr != (schema.TypeRef{}) && !w.current(tr, below) {
				return false
			}
		case name[:2] != "f:" && atom.List != nil && atom.List.ElementRelationship != schema.Atomic:
			if !w.current(atom.List.ElementType, below) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
