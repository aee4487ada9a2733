package library

import (
	"errors"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"k8s.io/apimachinery/pkg/api/resource"
)

var quantityType = cel.ObjectType("kubernetes.Quantity")

// quantity is a value of type kubernetes.Quantity. Results of add and sub are pointers to one: kube-apiserver finds
// "no such overload" where such a result is on the right side of ==, and rules must not pass here that fail there.
type quantity struct{ *resource.Quantity }

func (q quantity) ConvertToNative(t reflect.Type) (any, error) {
	return toNative(q.Quantity, q.Quantity, "Quantity", t)
}

func (q quantity) ConvertToType(t ref.Type) ref.Val { return toType(q, quantityType, t) }

func (q quantity) Equal(other ref.Val) ref.Val {
	o, ok := other.(quantity)
	if !ok {
		return noOverload(other)
	}
	return types.Bool(q.Quantity.Equal(*o.Quantity))
}

func (q quantity) Type() ref.Type { return quantityType }
func (q quantity) Value() any     { return q.Quantity }

// quantities are quantity, isQuantity, their comparisons, arithmetic, and conversions to numbers.
func quantities() []function {
	text, one := []*cel.Type{cel.StringType}, []*cel.Type{quantityType}
	two, withInt := []*cel.Type{quantityType, quantityType}, []*cel.Type{quantityType, cel.IntType}
	compare := func(name, id string, result *cel.Type, f func(int) ref.Val) function {
		return function{name, []cel.FunctionOpt{member(id, two, result, binary(func(q, o *resource.Quantity) ref.Val {
			return f(q.Cmp(*o))
		}))}}
	}
	return []function{
		{"quantity", []cel.FunctionOpt{global("string_to_quantity", text, quantityType, unary(func(s string) ref.Val {
			q, err := resource.ParseQuantity(s)
			if err != nil {
				return types.WrapErr(err)
			}
			return quantity{&q}
		}))}},
		{"isQuantity", []cel.FunctionOpt{global("is_quantity_string", text, cel.BoolType, unary(func(s string) ref.Val {
			_, err := resource.ParseQuantity(s)
			return types.Bool(err == nil)
		}))}},
		// Not a member, in kube-apiserver: sign(q) is how it is called.
		{"sign", []cel.FunctionOpt{global("quantity_sign", one, cel.IntType, unary(func(q *resource.Quantity) ref.Val {
			return types.Int(q.Sign())
		}))}},
		compare("isGreaterThan", "quantity_is_greater_than", cel.BoolType, func(c int) ref.Val { return types.Bool(c == 1) }),
		compare("isLessThan", "quantity_is_less_than", cel.BoolType, func(c int) ref.Val { return types.Bool(c == -1) }),
		compare("compareTo", "quantity_compare_to", cel.IntType, func(c int) ref.Val { return types.Int(c) }),
		{"asApproximateFloat", []cel.FunctionOpt{member("quantity_get_float", one, cel.DoubleType, unary(func(q *resource.Quantity) ref.Val {
			return types.Double(q.AsApproximateFloat64())
		}))}},
		{"asInteger", []cel.FunctionOpt{member("quantity_get_int", one, cel.IntType, unary(func(q *resource.Quantity) ref.Val {
			n, ok := q.AsInt64()
			if !ok {
				return types.WrapErr(errors.New("cannot convert value to integer"))
			}
			return types.Int(n)
		}))}},
		{"isInteger", []cel.FunctionOpt{member("quantity_is_integer", one, cel.BoolType, unary(func(q *resource.Quantity) ref.Val {
			_, ok := q.AsInt64()
			return types.Bool(ok)
		}))}},
		{"add", []cel.FunctionOpt{
			member("quantity_add", two, quantityType, binary(add)),
			member("quantity_add_int", withInt, quantityType, binary(func(q *resource.Quantity, n int64) ref.Val { return add(q, ofInt(n)) })),
		}},
		{"sub", []cel.FunctionOpt{
			member("quantity_sub", two, quantityType, binary(sub)),
			member("quantity_sub_int", withInt, quantityType, binary(func(q *resource.Quantity, n int64) ref.Val { return sub(q, ofInt(n)) })),
		}},
	}
}

func ofInt(n int64) *resource.Quantity { return resource.NewQuantity(n, resource.DecimalExponent) }

func add(q, o *resource.Quantity) ref.Val {
	result := q.DeepCopy()
	result.Add(*o)
	return &quantity{&result}
}

func sub(q, o *resource.Quantity) ref.Val {
	result := q.DeepCopy()
	result.Sub(*o)
	return &quantity{&result}
}
