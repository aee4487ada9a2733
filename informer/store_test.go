package informer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// model is the store as anyone would write it: a map. Its values are resourceVersions.
type model map[name]string

func (m model) names(keep func(name) bool) []name {
	all := slices.DeleteFunc(slices.Collect(maps.Keys(m)), func(n name) bool { return !keep(n) })
	slices.SortFunc(all, func(a, b name) int {
		if a.less(b) {
			return -1
		}
		return 1
	})
	return all
}

// color by which the tests index: that of an object's resourceVersion.
func color(rv string) string {
	n, _ := strconv.Atoi(rv)
	return fmt.Sprint("color", n%3)
}

// look compares everything that a view can be asked with a model.
func look(t *testing.T, v *view, m model) {
	t.Helper()
	same := func(what string, items []name, want []name) {
		t.Helper()
		if !slices.Equal(items, want) {
			t.Fatalf("%s has %v, not %v", what, items, want)
		}
	}
	namesOf := func(items func(func(item) bool)) (all []name) {
		for it := range items {
			n := name{it.GetNamespace(), it.GetName()}
			if it.GetResourceVersion() != m[n] {
				t.Fatalf("%v is at %s, not %s", n, it.GetResourceVersion(), m[n])
			}
			all = append(all, n)
		}
		return all
	}
	same("the list", namesOf(v.list("")), m.names(func(name) bool { return true }))
	for _, ns := range []string{"a", "a-b", "b"} {
		same(ns, namesOf(v.list(ns)), m.names(func(n name) bool { return n.namespace == ns }))
	}
	for i := range 3 {
		value := fmt.Sprint("color", i)
		same(value, namesOf(v.byIndex("", "color", value)), m.names(func(n name) bool { return color(m[n]) == value }))
		for _, ns := range []string{"a", "a-b", "b"} {
			same(value+" in "+ns, namesOf(v.byIndex(ns, "color", value)), m.names(func(n name) bool { return n.namespace == ns && color(m[n]) == value }))
		}
	}
	for n, rv := range m {
		if it, ok := v.get(n.namespace, n.name); !ok || it.GetResourceVersion() != rv {
			t.Fatalf("%v is not there", n)
		}
	}
	if _, ok := v.get("a", "absent"); ok {
		t.Fatal("an object that was never there")
	}
}

// TestStoreModel does all that a reflector may at random, and compares with a map: the newest view after each step,
// and some old ones, which must not have changed, at the end.
func TestStoreModel(t *testing.T) {
	for seed := range uint64(12) {
		storeModel(t, rand.New(rand.NewPCG(seed, 3)), seed%2 == 0)
	}
}

func storeModel(t *testing.T, r *rand.Rand, compact bool) {
	inf := New(Config[*unstructured.Unstructured]{Compact: compact})
	byColor := func(m Meta) []string { return []string{color(m.GetResourceVersion())} }
	inf.AddMetaIndex("color", byColor)
	p := inf.engine.parts[0]
	revision := 0
	made := func(n name) item {
		it, err := p.hold("", fmt.Appendf(nil, `{"metadata":{"namespace":%q,"name":%q,"uid":"u","resourceVersion":"%d"}}`, n.namespace, n.name, revision))
		if err != nil {
			t.Fatal(err)
		}
		return it
	}
	some := func() name {
		return name{[]string{"a", "a-b", "b"}[r.IntN(3)], fmt.Sprint("n", r.IntN(40))}
	}
	now := model{}
	type past struct {
		*view
		model
	}
	var kept []past
	for range 300 {
		revision++
		n := some()
		switch r.IntN(20) {
		case 0, 1, 2, 3, 4:
			p.apply(true, made(n))
			delete(now, n)
		case 5:
			p.lost(n.namespace, n.name, strconv.Itoa(revision))
			delete(now, n)
		case 6:
			p.bookmark(strconv.Itoa(revision))
		case 7:
			inf.AddMetaIndex("color", byColor) // replaces itself
		case 8:
			var items []item
			for n := range now {
				if r.IntN(3) == 0 {
					delete(now, n)
				}
			}
			for n, rv := range now {
				if r.IntN(2) == 0 {
					items = append(items, made(n))
					now[n] = strconv.Itoa(revision)
				} else {
					it, _ := p.current.Load().get(n.namespace, n.name)
					if it.GetResourceVersion() != rv {
						t.Fatal(n)
					}
					items = append(items, it)
				}
			}
			p.replace(items, strconv.Itoa(revision))
		default:
			p.apply(false, made(n))
			now[n] = strconv.Itoa(revision)
			p.apply(r.IntN(2) == 0, made(some())) // of a revision that was seen: ignored
		}
		look(t, p.current.Load(), now)
		if r.IntN(30) == 0 {
			kept = append(kept, past{p.current.Load(), maps.Clone(now)})
		}
	}
	for _, k := range kept {
		look(t, k.view, k.model)
	}
	p.replace(nil, strconv.Itoa(revision+1))
	if left := p.bytes.Load(); left != 0 {
		t.Errorf("an empty store of %d bytes", left)
	}
}
