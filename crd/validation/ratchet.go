package validation

import (
	"reflect"
	"strconv"
	"strings"
)

// past is a value of an update together with the value that it replaces. Failures of a value that did not change
// are forgotten, so that an object which broke no rule when it was stored can still be changed elsewhere after its
// schema became stricter. A nil past is that of a value which replaces none.
//
// Kubernetes' rules (KEP-4008) decide what replaces what: members by their names, elements of a list of type map
// by its keys, elements of other lists nothing. Under anyOf, oneOf, allOf and not there is no past, so only the node
// that carries them can be forgiven as a whole.
type past struct {
	n        *node
	now, old any
	byKey    map[any]any // the elements of old by their keys, once one was asked for
}

// member returns the past of a member of an object; nil where there was none, or where the schema says nothing of it.
func (p *past) member(name string) *past {
	if p == nil {
		return nil
	}
	old, wasObject := p.old.(map[string]any)
	now, isObject := p.now.(map[string]any)
	if !wasObject || !isObject {
		return nil
	}
	oldValue, was := old[name]
	nowValue, is := now[name]
	n := p.n.memberNode(name)
	if !was || !is || n == nil {
		return nil
	}
	return &past{n: n, now: nowValue, old: oldValue}
}

// element returns the past of an element of a list of type map, nil for those of all others.
func (p *past) element(i int) *past {
	if p == nil || p.n.ListType != "map" || p.n.items == nil {
		return nil
	}
	now, isList := p.now.([]any)
	old, wasList := p.old.([]any)
	if !isList || !wasList || i >= len(now) {
		return nil
	}
	key, ok := p.n.keyOf(now[i])
	if !ok {
		return nil
	}
	if p.byKey == nil {
		p.byKey = make(map[any]any, len(old))
		for _, element := range old {
			oldKey, ok := p.n.keyOf(element)
			if !ok {
				continue
			}
			if _, taken := p.byKey[oldKey]; !taken {
				p.byKey[oldKey] = element
			}
		}
	}
	replaced, ok := p.byKey[key]
	if !ok {
		return nil
	}
	return &past{n: p.n.items, now: now[i], old: replaced}
}

// memberNode is the schema of an object's member, or nil.
func (n *node) memberNode(name string) *node {
	if p, ok := n.properties[name]; ok {
		return p
	}
	return n.additional
}

// keyOf returns the key of an element of a list of type map; ok is false where it has none, or one that is no scalar.
func (n *node) keyOf(element any) (key any, ok bool) {
	x, isObject := element.(map[string]any)
	if !isObject || len(n.ListMapKeys) == 0 {
		return nil, false
	}
	if len(n.ListMapKeys) == 1 {
		switch value := x[n.ListMapKeys[0]].(type) {
		case bool, int64, float64, string:
			return value, true
		}
		return nil, false
	}
	var b strings.Builder
	for _, name := range n.ListMapKeys {
		b.WriteByte(0)
		switch value := x[name].(type) {
		case bool:
			b.WriteString(strconv.FormatBool(value))
		case int64:
			b.WriteString(strconv.FormatInt(value, 10))
		case float64:
			b.WriteString(strconv.FormatFloat(value, 'f', 6, 64))
		case string:
			b.WriteString(strconv.Quote(value))
		default:
			return nil, false
		}
	}
	return b.String(), true
}

// unchanged says whether the value equals the one that it replaces. The order of a list of type map does not count,
// and an object with a member that the schema does not know counts as changed.
func (p *past) unchanged() bool {
	if p == nil {
		return false
	}
	switch now := p.now.(type) {
	case map[string]any:
		old, ok := p.old.(map[string]any)
		if !ok || len(now) != len(old) {
			return false
		}
		for name := range now {
			if !p.member(name).unchanged() {
				return false
			}
		}
		return true
	case []any:
		old, ok := p.old.([]any)
		if !ok || len(now) != len(old) {
			return false
		}
		if p.n.ListType != "map" {
			return reflect.DeepEqual(old, now)
		}
		for i := range now {
			if !p.element(i).unchanged() {
				return false
			}
		}
		return true
	default:
		return now == p.old
	}
}
