package resource

import (
	"iter"
	"sort"
	"sync"
)

// Catalog holds the Definitions that are served now. Readers pay one read lock; a change costs its own size,
// not that of the catalog, so that the ten thousandth kind is added as fast as the tenth.
type Catalog struct {
	mu sync.RWMutex
	// groups by name; invariant: no group is empty, and no plural, singular, short or kind name is claimed by
	// two Definitions of a group unless Put was told of a conflict and kept the older claim.
	groups     map[string]map[string]*Definition // group -> plural -> Definition
	builtIn    map[string]int                    // how many in a group are not Custom
	generation uint64
	changed    chan struct{}
}

// NewCatalog returns an empty catalog.
func NewCatalog() *Catalog {
	return &Catalog{groups: map[string]map[string]*Definition{}, builtIn: map[string]int{}, changed: make(chan struct{})}
}

// Put serves d from now on, in the place of an earlier Definition of the same group and plural.
func (c *Catalog) Put(d *Definition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[d.Group]
	if g == nil {
		g = map[string]*Definition{}
		c.groups[d.Group] = g
	}
	c.count(g[d.Names.Plural], -1)
	c.count(d, +1)
	g[d.Names.Plural] = d
	c.bump()
}

// count keeps builtIn; d may be nil. It requires mu.
func (c *Catalog) count(d *Definition, by int) {
	if d == nil || d.Custom {
		return
	}
	if c.builtIn[d.Group] += by; c.builtIn[d.Group] == 0 {
		delete(c.builtIn, d.Group)
	}
}

// Remove ends the service of a kind and returns what was served; nil where there was nothing.
func (c *Catalog) Remove(group, plural string) *Definition {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[group]
	d := g[plural]
	if d == nil {
		return nil
	}
	c.count(d, -1)
	delete(g, plural)
	if len(g) == 0 {
		delete(c.groups, group)
	}
	c.bump()
	return d
}

// bump requires mu.
func (c *Catalog) bump() {
	c.generation++
	close(c.changed)
	c.changed = make(chan struct{})
}

// Lookup returns the Definition of a group's plural, or nil.
func (c *Catalog) Lookup(group, plural string) *Definition {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.groups[group][plural]
}

// LookupKind returns the Definition of a kind, or nil. It scans the group.
func (c *Catalog) LookupKind(group, kind string) *Definition {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, d := range c.groups[group] {
		if d.Names.Kind == kind {
			return d
		}
	}
	return nil
}

// HasGroup says whether any kind of the group is served, in the given version if that is not "".
func (c *Catalog) HasGroup(group, version string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	g := c.groups[group]
	if version == "" {
		return len(g) > 0
	}
	for _, d := range g {
		if v := d.Version(version); v != nil && v.Served {
			return true
		}
	}
	return false
}

// Group returns the Definitions of one group, sorted by plural.
func (c *Catalog) Group(group string) []*Definition {
	c.mu.RLock()
	out := make([]*Definition, 0, len(c.groups[group]))
	for _, d := range c.groups[group] {
		out = append(out, d)
	}
	c.mu.RUnlock()
	sort.Slice(out, func(i, j int) bool { return out[i].Names.Plural < out[j].Names.Plural })
	return out
}

// BuiltIn returns the Definitions of a group that are not Custom, in no order. It costs nothing where there are none.
func (c *Catalog) BuiltIn(group string) []*Definition {
	c.mu.RLock()
	defer c.mu.RUnlock()
	n := c.builtIn[group]
	if n == 0 {
		return nil
	}
	out := make([]*Definition, 0, n)
	for _, d := range c.groups[group] {
		if !d.Custom {
			out = append(out, d)
		}
	}
	return out
}

// Groups returns the names of the groups, sorted.
func (c *Catalog) Groups() []string {
	c.mu.RLock()
	out := make([]string, 0, len(c.groups))
	for g := range c.groups {
		out = append(out, g)
	}
	c.mu.RUnlock()
	sort.Strings(out)
	return out
}

// All yields every Definition, by group and plural.
func (c *Catalog) All() iter.Seq[*Definition] {
	return func(yield func(*Definition) bool) {
		for _, g := range c.Groups() {
			for _, d := range c.Group(g) {
				if !yield(d) {
					return
				}
			}
		}
	}
}

// Generation counts the changes, and Changed returns a channel that is closed at the next one: what is derived
// from the catalog (discovery, OpenAPI) is remade when someone asks and the generation has moved.
func (c *Catalog) Generation() (uint64, <-chan struct{}) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.generation, c.changed
}
