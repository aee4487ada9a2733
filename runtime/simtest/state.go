package simtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// endState is every object of the resources that were touched, by key, without what differs from run to run.
func (w *world) endState() (map[string]map[string]any, error) {
	targets, err := w.looked()
	if err != nil {
		return nil, err
	}
	var all []found
	kinds := map[string]bool{}
	for _, kind := range slices.Sorted(maps.Keys(targets)) {
		t := targets[kind]
		var list struct {
			Kind  string
			Items []map[string]any
		}
		if err := w.get(t.collection(), &list); errors.Is(err, errAbsent) {
			continue
		} else if err != nil {
			return nil, err
		}
		kinds[t.group+"/"+strings.TrimSuffix(list.Kind, "List")] = true
		for _, item := range list.Items {
			all = append(all, found{t, item})
		}
	}
	all = collected(all, kinds)
	var pairs []string // for all strings: names that are known only at run time, and what they are called here
	names := map[string]string{}
	for _, f := range all {
		m := unstructured.Unstructured{Object: f.object}
		name := m.GetName()
		if prefix := m.GetGenerateName(); prefix != "" && strings.HasPrefix(name, prefix) {
			pairs = append(pairs, name, prefix+"*")
			name = prefix + "*"
		}
		names[string(m.GetUID())] = f.key(m.GetNamespace(), name)
	}
	for uid, name := range names {
		pairs = append(pairs, uid, "<uid of "+name+">")
	}
	n := normalizer{strings.NewReplacer(pairs...), w.cfg}
	state := map[string]map[string]any{}
	for _, f := range all {
		if obj, ok := n.object(f.object); ok {
			m := unstructured.Unstructured{Object: obj}
			put(state, f.key(m.GetNamespace(), m.GetName()), obj)
		}
	}
	return state, nil
}

// found is an object on the server.
type found struct {
	target
	object map[string]any
}

// collected leaves out what a garbage collector would, or will, remove: objects whose owners are all gone. Of owners of
// other kinds than those that were looked at, as GROUP/KIND, nothing is known.
func collected(all []found, kinds map[string]bool) []found {
	there := map[types.UID]bool{}
	for _, f := range all {
		there[(&unstructured.Unstructured{Object: f.object}).GetUID()] = true
	}
	gone := func(f found) bool {
		refs := (&unstructured.Unstructured{Object: f.object}).GetOwnerReferences()
		return len(refs) > 0 && !slices.ContainsFunc(refs, func(r metav1.OwnerReference) bool {
			group, _, grouped := strings.Cut(r.APIVersion, "/")
			if !grouped {
				group = ""
			}
			return there[r.UID] || !kinds[group+"/"+r.Kind]
		})
	}
	for {
		at := slices.IndexFunc(all, gone)
		if at < 0 {
			return all
		}
		delete(there, (&unstructured.Unstructured{Object: all[at].object}).GetUID())
		all = slices.Delete(all, at, at+1)
	}
}

// put adds an object to a state. Those with generated names may have the same key; they are in the order of what is in
// them.
func put(state map[string]map[string]any, key string, obj map[string]any) {
	text := func(o map[string]any) string { data, _ := json.Marshal(o); return string(data) }
	for i := 1; ; i++ {
		at := key
		if i > 1 {
			at = fmt.Sprintf("%s #%d", key, i)
		}
		now, taken := state[at]
		if !taken {
			state[at] = obj
			return
		}
		if text(obj) < text(now) {
			state[at], obj = obj, now
		}
	}
}

// looked are the resources of the end state.
func (w *world) looked() (map[string]target, error) {
	w.mu.Lock()
	targets := maps.Clone(w.touched)
	w.mu.Unlock()
	for _, kind := range w.cfg.Resources {
		if _, ok := targets[kind]; ok {
			continue
		}
		resource, group, _ := strings.Cut(kind, ".")
		t := target{group: group, version: "v1", resource: resource}
		if group != "" {
			var g struct{ PreferredVersion struct{ Version string } }
			if err := w.get("/apis/"+group, &g); err != nil {
				return nil, fmt.Errorf("simtest: Config.Resources: %s: %w", kind, err)
			}
			t.version = g.PreferredVersion.Version
		}
		targets[kind] = t
	}
	return targets, nil
}

// normalizer takes out of objects what differs from run to run.
type normalizer struct {
	names *strings.Replacer
	cfg   *Config
}

func (n normalizer) object(obj map[string]any) (map[string]any, bool) {
	if n.cfg.Normalize != nil && !n.cfg.Normalize(&unstructured.Unstructured{Object: obj}) {
		return nil, false
	}
	generation, _, _ := unstructured.NestedFieldNoCopy(obj, "metadata", "generation")
	for _, field := range []string{"resourceVersion", "managedFields", "generation", "uid", "creationTimestamp", "selfLink"} {
		unstructured.RemoveNestedField(obj, "metadata", field)
	}
	unstructured.RemoveNestedField(obj, "metadata", "annotations", mark)
	if annotations, ok, _ := unstructured.NestedMap(obj, "metadata", "annotations"); ok && len(annotations) == 0 {
		unstructured.RemoveNestedField(obj, "metadata", "annotations")
	}
	for _, path := range n.cfg.Ignore {
		unstructured.RemoveNestedField(obj, strings.Split(path, ".")...)
	}
	return n.value(obj, generation).(map[string]any), true
}

// value of an object whose generation is known.
func (n normalizer) value(v, generation any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if name == "observedGeneration" && generation != nil {
				v[name] = "<of an older generation>"
				if inner == generation {
					v[name] = "<of the current generation>"
				}
				continue
			}
			v[name] = n.value(inner, generation)
		}
	case []any:
		for i := range v {
			v[i] = n.value(v[i], generation)
		}
	case string:
		if _, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return "<a time>"
		}
		return uids.ReplaceAllString(n.names.Replace(v), "<uid of something else>")
	}
	return v
}

var uids = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
