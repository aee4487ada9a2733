package library

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

type namedType struct {
	name string
	t    *cel.Type
}

// lists are isSorted, sum, min, max, indexOf and lastIndexOf. They have an overload for each type of elements, so
// that lists of other types are refused when a rule is compiled.
func lists() []function {
	comparable := []namedType{
		{"int", cel.IntType}, {"uint", cel.UintType}, {"double", cel.DoubleType}, {"bool", cel.BoolType},
		{"duration", cel.DurationType}, {"timestamp", cel.TimestampType}, {"string", cel.StringType}, {"bytes", cel.BytesType},
	}
	summable := []struct {
		namedType
		zero ref.Val
	}{
		{namedType{"int", cel.IntType}, types.Int(0)}, {namedType{"uint", cel.UintType}, types.Uint(0)},
		{namedType{"double", cel.DoubleType}, types.Double(0)}, {namedType{"duration", cel.DurationType}, types.Duration{}},
	}
	sorted, least, greatest, sums := function{name: "isSorted"}, function{name: "min"}, function{name: "max"}, function{name: "sum"}
	for _, c := range comparable {
		list := []*cel.Type{cel.ListType(c.t)}
		sorted.overloads = append(sorted.overloads,
			member(fmt.Sprintf("list_%s_is_sorted_bool", c.name), list, cel.BoolType, cel.UnaryBinding(isSorted)))
		least.overloads = append(least.overloads,
			member(fmt.Sprintf("list_%s_min_%s", c.name, c.name), list, c.t, extreme("min", types.IntOne)))
		greatest.overloads = append(greatest.overloads,
			member(fmt.Sprintf("list_%s_max_%s", c.name, c.name), list, c.t, extreme("max", types.IntNegOne)))
	}
	for _, s := range summable {
		sums.overloads = append(sums.overloads,
			member(fmt.Sprintf("list_%s_sum_%s", s.name, s.name), []*cel.Type{cel.ListType(s.t)}, s.t, sum(s.zero)))
	}
	a := cel.TypeParamType("A")
	return []function{sorted, sums, greatest, least,
		{"indexOf", []cel.FunctionOpt{member("list_a_index_of_int", []*cel.Type{cel.ListType(a), a}, cel.IntType, cel.BinaryBinding(indexOf))}},
		{"lastIndexOf", []cel.FunctionOpt{member("list_a_last_index_of_int", []*cel.Type{cel.ListType(a), a}, cel.IntType, cel.BinaryBinding(lastIndexOf))}},
	}
}

func isSorted(list ref.Val) ref.Val {
	items, ok := list.(traits.Iterable)
	if !ok {
		return noOverload(list)
	}
	var previous traits.Comparer
	for it := items.Iterator(); it.HasNext() == types.True; {
		item := it.Next()
		c, ok := item.(traits.Comparer)
		if !ok {
			return noOverload(item)
		}
		if previous != nil && previous.Compare(item) == types.IntOne {
			return types.False
		}
		previous = c
	}
	return types.True
}

func sum(zero ref.Val) cel.OverloadOpt {
	return cel.UnaryBinding(func(list ref.Val) ref.Val {
		items, ok := list.(traits.Iterable)
		if !ok {
			return noOverload(list)
		}
		total := zero
		for it := items.Iterator(); it.HasNext() == types.True; {
			item := it.Next()
			if _, ok := item.(traits.Adder); !ok {
				return noOverload(item)
			}
			next := total.(traits.Adder).Add(item)
			if _, ok := next.(traits.Adder); !ok {
				return noOverload(next) // an overflow, say
			}
			total = next
		}
		return total
	})
}

// extreme returns the item that no later one beats: an item is beaten where its Compare gives worse.
func extreme(name string, worse ref.Val) cel.OverloadOpt {
	return cel.UnaryBinding(func(list ref.Val) ref.Val {
		items, ok := list.(traits.Iterable)
		if !ok {
			return noOverload(list)
		}
		var best ref.Val
		for it := items.Iterator(); it.HasNext() == types.True; {
			item := it.Next()
			if _, ok := item.(traits.Comparer); !ok {
				return noOverload(item)
			}
			if best == nil || best.(traits.Comparer).Compare(item) == worse {
				best = item
			}
		}
		if best == nil {
			return types.NewErr("%s called on empty list", name)
		}
		return best
	})
}

func indexOf(list, item ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return noOverload(list)
	}
	size := l.Size().(types.Int)
	for i := types.Int(0); i < size; i++ {
		if l.Get(i).Equal(item) == types.True {
			return i
		}
	}
	return types.Int(-1)
}

func lastIndexOf(list, item ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return noOverload(list)
	}
	for i := l.Size().(types.Int) - 1; i >= 0; i-- {
		if l.Get(i).Equal(item) == types.True {
			return i
		}
	}
	return types.Int(-1)
}

// includes says whether item is in the list target, or is target itself where that is no list.
func includes(target, item ref.Val) ref.Val {
	list, ok := target.(traits.Lister)
	if !ok {
		return types.Bool(target.Equal(item) == types.True)
	}
	for it := list.Iterator(); it.HasNext() == types.True; {
		if it.Next().Equal(item) == types.True {
			return types.True
		}
	}
	return types.False
}
