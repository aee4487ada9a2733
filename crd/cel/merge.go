package cel

import (
	"fmt"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// union is the sum of two lists of type set. It is a set itself.
type union struct{ traits.Lister }

// Add implements traits.Adder.
func (u *union) Add(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return addToSet(itemsOf(u), o)
}

// Equal implements ref.Val.
func (u *union) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	if u.Size() != o.Size() {
		return types.False
	}
	return setEqual(u, o)
}

// addToSet appends to items, which it owns, what is not in them yet.
func addToSet(items []ref.Val, other traits.Lister) ref.Val {
	in := make(map[any]struct{}, len(items))
	for _, item := range items {
		key, err := setKey(item)
		if err != nil {
			return err
		}
		in[key] = struct{}{}
	}
	for it := other.Iterator(); it.HasNext() == types.True; {
		item := it.Next()
		key, err := setKey(item)
		if err != nil {
			return err
		}
		if _, ok := in[key]; !ok {
			in[key] = struct{}{}
			items = append(items, item)
		}
	}
	return &union{types.NewRefValList(types.DefaultTypeAdapter, items)}
}

// setEqual compares lists of the same length without regard to order.
func setEqual(a, b traits.Lister) ref.Val {
	in := map[any]struct{}{}
	for it := a.Iterator(); it.HasNext() == types.True; {
		key, err := setKey(it.Next())
		if err != nil {
			return err
		}
		in[key] = struct{}{}
	}
	seen := make(map[any]struct{}, len(in))
	for it := b.Iterator(); it.HasNext() == types.True; {
		key, err := setKey(it.Next())
		if err != nil {
			return err
		}
		if _, ok := in[key]; !ok {
			return types.False
		}
		seen[key] = struct{}{}
	}
	return types.Bool(len(seen) == len(in))
}

// setKey returns what identifies an item of a set, or an error where it is no scalar.
func setKey(item ref.Val) (key any, err ref.Val) {
	switch item.(type) {
	case traits.Lister, traits.Mapper:
		return nil, types.NewErr("listSet operations are only supported on lists of scalar values")
	}
	return comparable(item.Value()), nil
}

// comparable returns v, or its text where Go cannot compare it.
func comparable(v any) any {
	if v != nil && !reflect.TypeOf(v).Comparable() {
		return fmt.Sprintf("%#v", v)
	}
	return v
}

// merger is the sum of two lists of type map. It is one itself.
type merger struct {
	traits.Lister
	keys []string // escaped
}

// Add implements traits.Adder.
func (m *merger) Add(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return addToMap(itemsOf(m), o, m.keys)
}

// Equal implements ref.Val.
func (m *merger) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	if m.Size() != o.Size() {
		return types.False
	}
	mine := map[any]ref.Val{}
	for _, item := range itemsOf(m) {
		mine[mapKey(item, m.keys)] = item
	}
	seen := make(map[any]struct{}, len(mine))
	for it := o.Iterator(); it.HasNext() == types.True; {
		item := it.Next()
		key := mapKey(item, m.keys)
		own, ok := mine[key]
		if !ok {
			return types.False
		}
		if equal := own.Equal(item); equal != types.True {
			return equal
		}
		seen[key] = struct{}{}
	}
	return types.Bool(len(seen) == len(mine))
}

// addToMap puts those items of other whose keys are in items, which it owns, in their places, and appends the rest.
func addToMap(items []ref.Val, other traits.Lister, keys []string) ref.Val {
	at := make(map[any]int, len(items))
	for i, item := range items {
		at[mapKey(item, keys)] = i
	}
	for it := other.Iterator(); it.HasNext() == types.True; {
		item := it.Next()
		if i, ok := at[mapKey(item, keys)]; ok {
			items[i] = item
		} else {
			items = append(items, item)
		}
	}
	return &merger{types.NewRefValList(types.DefaultTypeAdapter, items), keys}
}

func itemsOf(l traits.Lister) []ref.Val {
	n, _ := l.Size().(types.Int)
	items := make([]ref.Val, n)
	for i := range items {
		items[i] = l.Get(types.Int(i))
	}
	return items
}

// mapKey identifies an item of a list of type map by its members keys; rawKey does so where it is not converted.
func mapKey(item ref.Val, keys []string) any {
	return joinKeys(keys, func(name string) any {
		m, ok := item.(traits.Mapper)
		if !ok {
			return nil
		}
		v, found := m.Find(types.String(name))
		if !found || v == nil || types.IsUnknownOrError(v) {
			return nil
		}
		return comparable(v.Value())
	})
}

func rawKey(item any, keys []string) any {
	m, ok := item.(map[string]any)
	if !ok {
		return types.NewErr("unexpected data format for element of array with x-kubernetes-list-type=map: %T", item)
	}
	return joinKeys(keys, func(name string) any { return m[name] })
}

func joinKeys(keys []string, get func(string) any) any {
	switch len(keys) {
	case 1:
		return get(keys[0])
	case 2:
		return [2]any{get(keys[0]), get(keys[1])}
	case 3:
		return [3]any{get(keys[0]), get(keys[1]), get(keys[2])}
	}
	all := make([]any, len(keys))
	for i, name := range keys {
		all[i] = get(name)
	}
	return fmt.Sprintf("%#v", all)
}

// escapeAll returns names as identifiers; those that have none stay.
func escapeAll(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		if identifier, ok := escape(name); ok {
			out[i] = identifier
		}
	}
	return out
}
