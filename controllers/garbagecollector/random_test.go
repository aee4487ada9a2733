package garbagecollector_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// model is what must remain, worked out the dumb way.
type model struct {
	owners  map[string][]string // of each object that is there, by name
	removed []string
}

// remove deletes an object, and then whoever has had owners and has none any more.
func (m *model) remove(name string, propagation metav1.DeletionPropagation) {
	if propagation == metav1.DeletePropagationOrphan {
		for child, owners := range m.owners {
			if slices.Contains(owners, name) {
				m.owners[child] = slices.DeleteFunc(slices.Clone(owners), func(o string) bool { return o == name })
			}
		}
	}
	delete(m.owners, name)
	m.removed = append(m.removed, name)
	for changed := true; changed; {
		changed = false
		for child, owners := range m.owners {
			left := slices.DeleteFunc(slices.Clone(owners), func(o string) bool { _, there := m.owners[o]; return !there })
			switch {
			case len(left) == len(owners):
				continue
			case len(left) == 0:
				delete(m.owners, child)
				m.removed = append(m.removed, child)
			default:
				m.owners[child] = left
			}
			changed = true
		}
	}
}

// Random ownership, random deletions: what remains is what the model says, with the owners that the model says.
func TestRandomGraphs(t *testing.T) {
	c := start(t)
	for seed := range uint64(25) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := &model{owners: map[string][]string{}}
		objects := map[string]*object{}
		var names []string
		for i := range 5 + rnd.IntN(30) {
			name := fmt.Sprintf("r%d-%d", seed, i)
			var owners []any
			m.owners[name] = nil
			for range rnd.IntN(4) {
				if len(names) == 0 {
					break
				}
				owner := names[rnd.IntN(len(names))]
				if slices.Contains(m.owners[name], owner) {
					continue
				}
				if rnd.IntN(2) == 0 {
					owners = append(owners, blocking)
				}
				owners = append(owners, objects[owner])
				m.owners[name] = append(m.owners[name], owner)
			}
			objects[name] = config(c, name, owners...)
			names = append(names, name)
		}
		for range 1 + rnd.IntN(4) {
			name := names[rnd.IntN(len(names))]
			if _, there := m.owners[name]; !there {
				continue
			}
			propagation := []metav1.DeletionPropagation{"Background", "Foreground", "Orphan"}[rnd.IntN(3)]
			m.remove(name, propagation)
			c.Remove(objects[name], propagation)
			for _, gone := range m.removed { // one deletion after the other: together they may end in more ways than one
				c.Gone(objects[gone])
			}
			m.agree(t, seed, func(name string) []string {
				return remembered(c.Until(objects[name], "agrees", func(now *object) bool {
					return now != nil && slices.Equal(remembered(now), sorted(m.owners[name]))
				}))
			})
		}
		for name := range m.owners {
			c.There(objects[name])
		}
	}
}

func (m *model) agree(t *testing.T, seed uint64, owners func(name string) []string) {
	t.Helper()
	for name, want := range m.owners {
		if got := owners(name); !slices.Equal(got, sorted(want)) {
			t.Errorf("seed %d: %s has the owners %v, want %v", seed, name, got, want)
		}
	}
}

func remembered(obj *object) []string {
	var names []string
	for _, ref := range obj.GetOwnerReferences() {
		names = append(names, ref.Name)
	}
	return sorted(names)
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
