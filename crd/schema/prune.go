package schema

import (
	"slices"
	"strconv"
)

// Prune removes from obj, in place, every member that s does not specify, and returns their paths, sorted. At
// the root and in embedded resources apiVersion, kind and metadata stay; see Coerce for what is in metadata.
// A nil s specifies nothing.
//
// Members that are null though neither nullable nor defaulted count as absent: they are removed as well, and not
// among the paths.
func Prune(obj map[string]any, s *Schema) []string {
	p := pruner{nulls: true}
	p.prune(nil, obj, s.Root(), false)
	slices.Sort(p.removed)
	return p.removed
}

// pruner is one walk.
type pruner struct {
	nulls   bool // remove nulls
	removed []string
	written int // bytes in removed
}

// maxPathBytes bounds what the paths of removed members take together: an object may be millions of them deep
// inside lists of lists. What is beyond is removed without mention.
const maxPathBytes = 16 << 20

// step is where a walk is: a member's name or an element's index, below its parent. There is one for each call of
// prune, outside of loops, so that it lives on the stack; a path is written only when something is removed.
type step struct {
	parent *step
	name   string
	index  int // -1 for a member
}

func isMeta(name string) bool { return name == "apiVersion" || name == "kind" || name == "metadata" }

// prune prunes x. kept says that x stands in lists that preserve unknown fields, which thereby hold for it.
func (p *pruner) prune(at *step, x any, s *Schema, kept bool) {
	here := step{parent: at, index: -1}
	switch x := x.(type) {
	case map[string]any:
		for name, value := range x {
			here.name = name
			child, specified := s.child(name)
			if value == nil && p.nulls && child.dropsNull() {
				delete(x, name)
				continue
			}
			switch {
			case s != nil && s.Embedded && isMeta(name):
				if p.nulls {
					dropNulls(value, child)
				}
			case specified:
				p.prune(&here, value, child, false)
			case !kept && (s == nil || !s.PreserveUnknown):
				p.remove(&here)
				delete(x, name)
			}
		}
	case []any:
		var items *Schema
		if s != nil {
			items = s.Items
			kept = kept || s.PreserveUnknown
		}
		if kept && items == nil {
			return // what is kept without a schema is kept whole
		}
		for i, value := range x {
			here.index = i
			p.prune(&here, value, items, kept)
		}
	}
}

// remove notes the path of a removed member, as Kubernetes' strict decoding prints it.
func (p *pruner) remove(at *step) {
	if p.written > maxPathBytes {
		return
	}
	path := string(at.append(nil))
	p.written += len(path)
	p.removed = append(p.removed, path)
}

func (s *step) append(path []byte) []byte {
	if s == nil {
		return path
	}
	path = s.parent.append(path)
	if s.index >= 0 {
		return append(strconv.AppendInt(append(path, '['), int64(s.index), 10), ']')
	}
	if len(path) > 0 {
		path = append(path, '.')
	}
	return append(path, s.name...)
}

// dropsNull says whether null is no value where s stands, and nothing takes its place.
func (s *Schema) dropsNull() bool { return s != nil && !s.Nullable && s.Default == nil }

// dropNulls removes members that are null, not nullable and without default. It looks into unspecified members
// not at all: nothing is known of their nulls.
func dropNulls(x any, s *Schema) {
	if s == nil {
		return
	}
	switch x := x.(type) {
	case map[string]any:
		for name, value := range x {
			child, _ := s.child(name)
			if value == nil && child.dropsNull() {
				delete(x, name)
				continue
			}
			dropNulls(value, child)
		}
	case []any:
		for _, value := range x {
			dropNulls(value, s.Items)
		}
	}
}
