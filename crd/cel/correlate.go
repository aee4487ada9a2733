package cel

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/keelson-project/keelson/crd/schema"
)

// pair is a value and the old one that it takes the place of.
type pair struct {
	value, old any
	s          *schema.Schema
	compared   bool
	equal      bool
}

// same says whether nothing has changed. Members that the schema does not specify cannot be compared, so an object
// that has any is never the same; the items of lists of type map are compared by their keys, in any order.
func (p *pair) same() bool {
	if p == nil {
		return false
	}
	if !p.compared {
		p.compared, p.equal = true, same(p.value, p.old, p.s)
	}
	return p.equal
}

func same(value, old any, s *schema.Schema) bool {
	if value == nil || old == nil {
		return value == nil && old == nil
	}
	switch value := value.(type) {
	case map[string]any:
		old, ok := old.(map[string]any)
		if !ok || len(value) != len(old) {
			return false
		}
		for name, v := range value {
			before, ok := old[name]
			if !ok {
				return false
			}
			c := memberOf(s, name)
			if c == nil || !same(v, before, c) {
				return false
			}
		}
		return true
	case []any:
		old, ok := old.([]any)
		return ok && len(value) == len(old) && sameItems(value, old, s)
	}
	return reflect.DeepEqual(value, old)
}

func sameItems(value, old []any, s *schema.Schema) bool {
	if s.ListType != "map" {
		return reflect.DeepEqual(value, old)
	}
	before := newLookup(old, s)
	for _, v := range value {
		if o := before.of(v); o == nil || s.Items == nil || !same(v, o, s.Items) {
			return false
		}
	}
	return true
}

func memberOf(s *schema.Schema, name string) *schema.Schema {
	if p, ok := s.Properties[name]; ok {
		return p
	}
	return s.Additional
}

// lookup finds the items of a list of type map by their keys.
type lookup struct {
	keys []string
	byID map[any]any
}

// newLookup returns nil for lists of other types: their items have no identity.
func newLookup(items []any, s *schema.Schema) *lookup {
	if s.Type != "array" || s.ListType != "map" || len(s.ListMapKeys) == 0 || len(items) == 0 {
		return nil
	}
	l := &lookup{s.ListMapKeys, make(map[any]any, len(items))}
	for _, item := range items {
		if id, ok := l.id(item); ok {
			if _, taken := l.byID[id]; !taken {
				l.byID[id] = item
			}
		}
	}
	return l
}

// of returns the item with the keys of v, or nil.
func (l *lookup) of(v any) any {
	if l == nil {
		return nil
	}
	if id, ok := l.id(v); ok {
		return l.byID[id]
	}
	return nil
}

// id is ok where item is an object that has a scalar for each key.
func (l *lookup) id(item any) (id any, ok bool) {
	m, ok := item.(map[string]any)
	if !ok {
		return nil, false
	}
	if len(l.keys) == 1 {
		v := m[l.keys[0]]
		return v, isScalar(v)
	}
	var text strings.Builder
	for _, name := range l.keys {
		v := m[name]
		if !isScalar(v) {
			return nil, false
		}
		fmt.Fprintf(&text, "\x00%T%#v", v, v)
	}
	return text.String(), true
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, bool, int64, float64:
		return true
	}
	return false
}
