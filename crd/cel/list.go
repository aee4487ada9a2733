package cel

import (
	"fmt"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/keelson-project/keelson/crd/schema"
)

// list is a value of type array. What == and + mean depends on its x-kubernetes-list-type, see setEqual and
// mapEqual, addToSet and addToMap.
type list struct {
	items []any
	s     *schema.Schema
}

var _ traits.Lister = (*list)(nil)

func (l *list) at(i int) ref.Val { return toValue(l.items[i], l.s.Items) }

// Size implements traits.Sizer.
func (l *list) Size() ref.Val { return types.Int(len(l.items)) }

// Get implements traits.Indexer.
func (l *list) Get(index ref.Val) ref.Val {
	i, ok := index.(types.Int)
	if !ok {
		return types.ValOrErr(index, "unsupported index: %v", index)
	}
	if i < 0 || int(i) >= len(l.items) {
		return types.NewErr("index out of bounds: %v", index)
	}
	return l.at(int(i))
}

// Contains implements traits.Container.
func (l *list) Contains(v ref.Val) ref.Val {
	if types.IsUnknownOrError(v) {
		return v
	}
	var err ref.Val
	for i := range l.items {
		equal := l.at(i).Equal(v)
		if equal == types.True {
			return types.True
		}
		if _, ok := equal.(types.Bool); !ok && err == nil {
			err = types.MaybeNoSuchOverloadErr(equal)
		}
	}
	if err != nil {
		return err
	}
	return types.False
}

// Equal implements ref.Val.
func (l *list) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	if l.Size() != o.Size() {
		return types.False
	}
	switch l.s.ListType {
	case "set":
		return setEqual(l, o)
	case "map":
		return l.mapEqual(o)
	}
	for i := range l.items {
		if equal := l.at(i).Equal(o.Get(types.Int(i))); equal != types.True {
			return equal // false, or an error
		}
	}
	return types.True
}

// mapEqual compares the items of the same keys. Keys are taken from the objects themselves.
func (l *list) mapEqual(o traits.Lister) ref.Val {
	keys := escapeAll(l.s.ListMapKeys)
	mine := make(map[any]any, len(l.items))
	for _, item := range l.items {
		mine[rawKey(item, keys)] = item
	}
	seen := make(map[any]struct{}, len(mine))
	for it := o.Iterator(); it.HasNext() == types.True; {
		v := it.Next()
		key := rawKey(v.Value(), keys)
		item, ok := mine[key]
		if !ok {
			return types.False
		}
		if equal := toValue(item, l.s.Items).Equal(v); equal != types.True {
			return equal
		}
		seen[key] = struct{}{}
	}
	return types.Bool(len(seen) == len(mine))
}

// Add implements traits.Adder.
func (l *list) Add(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	n, _ := o.Size().(types.Int)
	items := make([]ref.Val, len(l.items), len(l.items)+int(n))
	for i := range l.items {
		items[i] = l.at(i)
	}
	switch l.s.ListType {
	case "set":
		return addToSet(items, o)
	case "map":
		return addToMap(items, o, escapeAll(l.s.ListMapKeys))
	}
	for it := o.Iterator(); it.HasNext() == types.True; {
		items = append(items, it.Next())
	}
	return types.NewRefValList(types.DefaultTypeAdapter, items)
}

// Iterator implements traits.Iterable.
func (l *list) Iterator() traits.Iterator { return &iterator{n: len(l.items), at: l.at} }

// ConvertToNative implements ref.Val. Functions of texts ask for slices of strings.
func (l *list) ConvertToNative(t reflect.Type) (any, error) {
	if t.Kind() != reflect.Slice {
		return nil, fmt.Errorf("type conversion error from '%s' to '%s'", l.Type(), t)
	}
	if l.s.Items.Type != "string" {
		return l.items, nil
	}
	var out []string
	for _, item := range l.items {
		text, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("expected all elements to be of type string, but got %T", item)
		}
		out = append(out, text)
	}
	return out, nil
}

// ConvertToType implements ref.Val.
func (l *list) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.ListType:
		return l
	case types.TypeType:
		return types.ListType
	}
	return types.NewErr("type conversion error from '%s' to '%s'", l.Type(), t.TypeName())
}

// Type implements ref.Val.
func (l *list) Type() ref.Type { return types.ListType }

// Value implements ref.Val.
func (l *list) Value() any { return l.items }
