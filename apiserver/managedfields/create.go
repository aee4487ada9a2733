package managedfields

import (
	"maps"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// create accounts for the creation of obj the short way: its creator owns all that is there and was not in an empty
// object, which one walk over obj tells. It returns false, having changed nothing, where it takes the long way to know
// (nulls, values that do not fit the schema, list items that repeat). TestCreateIsUpdate checks that both ways end at
// the same place.
func (m *Manager) create(obj resource.Object, manager string) bool {
	meta, ok := obj["metadata"].(map[string]any)
	if !ok || meta["managedFields"] != nil {
		return false
	}
	t, err := m.structure(m.gvk())
	if err != nil {
		return false
	}
	w := walker{t: t}
	for _, path := range m.resetPaths() { // the long way accounts for nothing where anything does not fit
		if len(path) == 1 && path[0] != "metadata" && !w.fits(memberType(t.TypeRef, t.Schema, path[0]), obj[path[0]]) {
			return false
		}
	}
	fields := w.node(t.TypeRef, m.withoutReset(obj), m.empty(), true)
	if w.lost {
		return false
	}
	fields = m.withoutServers(fields)
	if len(fields) == 0 {
		return true
	}
	entry := map[string]any{
		"apiVersion": m.def.APIVersion(m.version.Name), "fieldsType": "FieldsV1", "fieldsV1": fields,
		"operation": string(metav1.ManagedFieldsOperationUpdate), "time": time.Now().UTC().Format(time.RFC3339),
	}
	if manager != "" {
		entry["manager"] = manager
	}
	if m.subresource != "" {
		entry["subresource"] = m.subresource
	}
	meta["managedFields"] = []any{entry}
	return true
}

// withoutServers takes out of fields what is never owned, because the server sets it, and what the write resets.
func (m *Manager) withoutServers(fields map[string]any) map[string]any {
	delete(fields, "f:apiVersion")
	delete(fields, "f:kind")
	if meta, ok := fields["f:metadata"].(map[string]any); ok {
		for _, name := range []string{
			".", "f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName", "f:generation",
			"f:managedFields", "f:resourceVersion",
		} {
			delete(meta, name)
		}
		if len(meta) == 0 {
			delete(fields, "f:metadata")
		}
	}
	for _, path := range m.resetPaths() {
		prune(fields, path)
	}
	return fields
}

// resetPaths are what the write does not change, whatever it brings.
func (m *Manager) resetPaths() [][]string {
	if m.subresource != "" {
		return m.version.Subresources[m.subresource].Reset
	}
	return m.version.Reset
}

// withoutReset is obj without those of its members that the write resets: typed clients send a status full of nulls.
func (m *Manager) withoutReset(obj resource.Object) resource.Object {
	out := obj
	for _, path := range m.resetPaths() {
		if _, sent := obj[path[0]]; !sent || len(path) > 1 || path[0] == "metadata" {
			continue
		}
		if len(out) == len(obj) {
			out = maps.Clone(obj)
		}
		delete(out, path[0])
	}
	return out
}

// prune removes the node at path, and what is left empty above it.
func prune(fields map[string]any, path []string) {
	name := "f:" + path[0]
	child, ok := fields[name].(map[string]any)
	if !ok {
		return
	}
	if len(path) > 1 {
		prune(child, path[1:])
		if len(child) > 0 {
			return
		}
	}
	delete(fields, name)
}

// walker turns values into the form of fieldsV1.
type walker struct {
	t    *typed.ParseableType
	lost bool // the long way is needed
}

func (w *walker) give() map[string]any { w.lost = true; return nil }

// node returns the fields below and including a value that became v and was before (there says whether it was), nil
// where nothing changed.
func (w *walker) node(tr schema.TypeRef, v, before any, there bool) map[string]any {
	if w.lost {
		return nil
	}
	atom, ok := w.t.Schema.Resolve(tr)
	if !ok {
		return w.give()
	}
	switch v := v.(type) {
	case map[string]any:
		was, fits := before.(map[string]any)
		if atom.Map == nil || there && before != nil && !fits {
			return w.give()
		}
		if atom.Map.ElementRelationship == schema.Atomic || len(v)+len(was) == 0 {
			return leaf(v, before, there)
		}
		return w.members(atom.Map, v, was, there)
	case []any:
		if atom.List == nil || there && before != nil {
			return w.give()
		}
		if atom.List.ElementRelationship == schema.Atomic || len(v) == 0 {
			return leaf(v, before, there)
		}
		return w.items(atom.List, v, there)
	}
	if !fitsScalar(atom.Scalar, v) {
		return w.give()
	}
	return leaf(v, before, there)
}

// leaf is a value that is owned as a whole.
func leaf(v, before any, there bool) map[string]any {
	if there && resource.Equal(v, before) {
		return nil
	}
	return map[string]any{}
}

// memberType is the type of a member of what is of type tr.
func memberType(tr schema.TypeRef, s *schema.Schema, name string) schema.TypeRef {
	atom, ok := s.Resolve(tr)
	if !ok || atom.Map == nil {
		return schema.TypeRef{}
	}
	if f, ok := atom.Map.FindField(name); ok {
		return f.Type
	}
	return atom.Map.ElementType
}

// fits says whether v is surely of type tr.
func (w *walker) fits(tr schema.TypeRef, v any) bool {
	if v == nil {
		return true
	}
	atom, ok := w.t.Schema.Resolve(tr)
	if !ok {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		if atom.Map == nil {
			return false
		}
		for name, member := range v {
			if !w.fits(memberType(tr, w.t.Schema, name), member) {
				return false
			}
		}
		return true
	case []any:
		if atom.List == nil {
			return false
		}
		for _, item := range v {
			if atom.List.ElementRelationship != schema.Atomic && !hasName(atom.List, item) || !w.fits(atom.List.ElementType, item) {
				return false
			}
		}
		return true
	}
	return fitsScalar(atom.Scalar, v)
}

func fitsScalar(s *schema.Scalar, v any) bool {
	if s == nil {
		return false
	}
	ok := false
	switch v.(type) {
	case string:
		ok = *s == schema.String
	case bool:
		ok = *s == schema.Boolean
	case int64, float64:
		ok = *s == schema.Numeric
	default:
		return false
	}
	return ok || *s == schema.Untyped
}

func (w *walker) members(t *schema.Map, v, was map[string]any, there bool) map[string]any {
	out := make(map[string]any, len(v)+1)
	if !there {
		out["."] = map[string]any{}
	}
	for name, member := range v {
		tr := t.ElementType
		if f, ok := t.FindField(name); ok {
			tr = f.Type
		}
		before, there := was[name]
		if child := w.node(tr, member, before, there); child != nil {
			out["f:"+name] = child
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (w *walker) items(t *schema.List, v []any, there bool) map[string]any {
	out := make(map[string]any, len(v)+1)
	if !there {
		out["."] = map[string]any{}
	}
	for _, item := range v {
		name, ok := itemName(t, item)
		if _, repeated := out[name]; !ok || repeated {
			return w.give()
		}
		if child := w.node(t.ElementType, item, nil, false); child != nil {
			out[name] = child
		}
	}
	return out
}

// itemName is how fieldsV1 names an item of a list of type set or map. A key that an item leaves out may have a default:
// that is the long way's business.
func itemName(t *schema.List, item any) (string, bool) {
	var pe fieldpath.PathElement
	switch item := item.(type) {
	case nil, []any:
		return "", false
	case map[string]any:
		keys := make(value.FieldList, 0, len(t.Keys))
		for _, name := range t.Keys {
			v, ok := item[name]
			if !ok {
				return "", false
			}
			keys = append(keys, value.Field{Name: name, Value: value.NewValueInterface(v)})
		}
		if len(keys) == 0 {
			return "", false
		}
		keys.Sort()
		pe.Key = &keys
	default:
		if len(t.Keys) > 0 {
			return "", false
		}
		v := value.NewValueInterface(item)
		pe.Value = &v
	}
	name, err := fieldpath.SerializePathElement(pe)
	return name, err == nil
}

// hasName says whether itemName has one for an item.
func hasName(t *schema.List, item any) bool {
	switch item := item.(type) {
	case nil, []any:
		return false
	case map[string]any:
		for _, key := range t.Keys {
			if _, ok := item[key]; !ok {
				return false
			}
		}
		return len(t.Keys) > 0
	}
	return len(t.Keys) == 0
}
