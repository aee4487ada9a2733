package schema

import (
	"slices"
	"strconv"
)

// Prune removes from obj, in place, every member that s does not specify, and returns their paths, sorted. At
// the root and in embedded resources apiVersion, kind and metadata stay; see Coerce for what is in metadata.
// A nil s specifies nothing.
func Prune(obj map[string]any, s *Schema) []string {
	var p pruner
	p.prune(obj, s.Root())
	slices.Sort(p.removed)
	return p.removed
}

// pruner is one walk. It writes paths only when something is removed: path holds the way from the root, each
// step a member name or (name "") an index.
type pruner struct {
	path    []step
	removed []string
}

type step struct {
	name  string
	index int
	item  bool
}

func isMeta(name string) bool { return name == "apiVersion" || name == "kind" || name == "metadata" }

func (p *pruner) prune(x any, s *Schema) {
	switch x := x.(type) {
	case map[string]any:
		keepRest := s != nil && s.PreserveUnknown
		for name, value := range x {
			if s != nil && s.Embedded && isMeta(name) {
				continue
			}
			child, specified := s.child(name)
			switch {
			case specified:
				p.path = append(p.path, step{name: name})
				p.prune(value, child)
				p.path = p.path[:len(p.path)-1]
			case !keepRest:
				p.remove(name)
				delete(x, name)
			}
		}
	case []any:
		var items *Schema
		if s != nil {
			items = s.Items
			if s.PreserveUnknown && items == nil {
				return // what is kept without a schema is kept whole
			}
			if s.PreserveUnknown && !items.PreserveUnknown {
				kept := *items // under a preserving array the items preserve, too
				kept.PreserveUnknown = true
				items = &kept
			}
		}
		for i, value := range x {
			p.path = append(p.path, step{index: i, item: true})
			p.prune(value, items)
			p.path = p.path[:len(p.path)-1]
		}
	}
}

// remove notes the path of a removed member, as Kubernetes' strict decoding prints it.
func (p *pruner) remove(name string) {
	var b []byte
	for _, s := range append(p.path, step{name: name}) {
		if s.item {
			b = append(strconv.AppendInt(append(b, '['), int64(s.index), 10), ']')
			continue
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		b = append(b, s.name...)
	}
	p.removed = append(p.removed, string(b))
}
