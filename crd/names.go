package crd

import (
	"iter"
	"maps"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// usedNames are the names that are taken in a group: of resources (plural, singular, short) and of kinds. How often
// each is: names of one definition may be equal (a plural and a short name), and stored ones may contradict each other.
type usedNames struct{ resources, kinds map[string]int }

func noNames() usedNames { return usedNames{resources: map[string]int{}, kinds: map[string]int{}} }

// resource and kind say whether a name is taken.
func (u usedNames) resource(name string) bool { return u.resources[name] > 0 }
func (u usedNames) kind(name string) bool     { return u.kinds[name] > 0 }

// count adds by to each of the names.
func (u usedNames) count(names *apiextensionsv1.CustomResourceDefinitionNames, by int) {
	add := func(to map[string]int, name string) {
		if name == "" {
			return
		}
		if to[name] += by; to[name] == 0 {
			delete(to, name)
		}
	}
	add(u.resources, names.Plural)
	add(u.resources, names.Singular)
	for _, short := range names.ShortNames {
		add(u.resources, short)
	}
	add(u.kinds, names.Kind)
	add(u.kinds, names.ListKind)
}

// group is the CustomResourceDefinitions of one API group, and the names that they have.
type group struct {
	installed map[string]*installed // by metadata.name
	used      usedNames             // what was accepted for them
}

func newGroup() *group { return &group{installed: map[string]*installed{}, used: noNames()} }

func (g *group) put(now *installed) {
	g.remove(now.name)
	g.installed[now.name] = now
	g.used.count(&now.Status.AcceptedNames, +1)
}

func (g *group) remove(name string) {
	if was := g.installed[name]; was != nil {
		delete(g.installed, name)
		g.used.count(&was.Status.AcceptedNames, -1)
	}
}

// members of g, which may be nil, by metadata.name.
func (g *group) members() iter.Seq2[string, *installed] {
	if g == nil {
		return func(func(string, *installed) bool) {}
	}
	return maps.All(g.installed)
}

// namesUsed returns which of the names that c asks for are taken in its group: those accepted for its
// CustomResourceDefinitions (c's own included, but not those of an earlier one that c takes the place of) and those of
// built-in kinds.
func (i *Installer) namesUsed(c *apiextensionsv1.CustomResourceDefinition) usedNames {
	used := noNames()
	if i == nil {
		return used
	}
	for _, d := range i.catalog.BuiltIn(c.Spec.Group) {
		used.count(&apiextensionsv1.CustomResourceDefinitionNames{
			Plural: d.Names.Plural, Singular: d.Names.Singular, ShortNames: d.Names.ShortNames, Kind: d.Names.Kind, ListKind: d.Names.ListKind,
		}, +1)
	}
	wanted := noNames()
	wanted.count(&c.Spec.Names, +1)
	i.mu.Lock()
	defer i.mu.Unlock()
	g := i.groups[c.Spec.Group]
	if g == nil {
		return used
	}
	for name := range wanted.resources {
		used.resources[name] += g.used.resources[name]
	}
	for name := range wanted.kinds {
		used.kinds[name] += g.used.kinds[name]
	}
	if earlier := g.installed[c.Name]; earlier != nil && earlier.Metadata.UID != c.UID {
		used.count(&earlier.Status.AcceptedNames, -1)
	}
	return used
}
