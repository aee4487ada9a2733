package cel

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/keelson-project/keelson/crd/schema"
)

// object is a value of type object: one with properties, by their escaped names, or a map with additionalProperties.
// Members that the schema does not specify are not seen; they count in size and in comparisons.
type object struct {
	value    map[string]any
	s        *schema.Schema
	resource bool // its metadata is seen as visible says
}

var _ traits.Mapper = (*object)(nil)

func (o *object) isMap() bool { return o.s.Properties == nil && !o.resource }

// member returns the schema of the member name; nil where none is specified.
func (o *object) member(name string) *schema.Schema {
	if o.isMap() {
		return o.s.Additional
	}
	if o.resource && (name == "apiVersion" || name == "kind" || name == "metadata") && !specifiesMetadata(o.s) {
		if name == "metadata" {
			return names
		}
		return text
	}
	return o.s.Properties[name]
}

// text and names are the schemas of what is seen of resources. The limits of names matter for costs only.
var (
	text  = &schema.Schema{Type: "string"}
	names = &schema.Schema{Type: "object", Properties: map[string]*schema.Schema{"name": text, "generateName": text}}
)

// Find implements traits.Mapper. A null property counts as absent; a null in a map is there.
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	text, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), true
	}
	name := string(text)
	if !o.isMap() {
		if name, ok = unescape(name); !ok {
			return nil, false
		}
	}
	v, ok := o.value[name]
	if !ok || v == nil && !o.isMap() {
		return nil, false
	}
	s := o.member(name)
	if s == nil {
		return nil, false
	}
	return toValue(v, s), true
}

// Get implements traits.Indexer.
func (o *object) Get(key ref.Val) ref.Val {
	if v, ok := o.Find(key); ok {
		return v
	}
	return types.ValOrErr(key, "no such key: %v", key)
}

// Contains implements traits.Container.
func (o *object) Contains(key ref.Val) ref.Val {
	v, ok := o.Find(key)
	if v != nil && types.IsUnknownOrError(v) {
		return v
	}
	return types.Bool(ok)
}

// Size implements traits.Sizer.
func (o *object) Size() ref.Val { return types.Int(len(o.value)) }

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val {
	m, ok := other.(traits.Mapper)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	if o.Size() != m.Size() {
		return types.False
	}
	for name, value := range o.value {
		if o.member(name) == nil {
			// A member of unknown type; what the other does not have makes no difference, in kube-apiserver too.
			theirs, ok := other.(*object)
			if !ok {
				return types.MaybeNoSuchOverloadErr(other)
			}
			if v, ok := theirs.value[name]; ok && !equality.Semantic.DeepEqual(value, v) {
				return types.False
			}
			continue
		}
		mine, found := o.Find(types.String(name))
		theirs, foundThere := m.Find(types.String(name))
		if found != foundThere {
			return types.False
		}
		if !found {
			continue
		}
		if equal := mine.Equal(theirs); equal != types.True {
			return equal // false, or an error
		}
	}
	return types.True
}

// Iterator implements traits.Iterable. Keys come in order, so that rules that are evaluated twice give the same
// messages. Members that the schema does not specify come last, as nil.
func (o *object) Iterator() traits.Iterator {
	keys := make([]ref.Val, 0, len(o.value))
	for _, name := range slices.Sorted(maps.Keys(o.value)) {
		if o.member(name) == nil {
			continue
		}
		if !o.isMap() {
			if identifier, ok := escape(name); ok {
				name = identifier
			}
		}
		keys = append(keys, types.String(name))
	}
	return &iterator{n: len(o.value), at: func(i int) ref.Val {
		if i < len(keys) {
			return keys[i]
		}
		return nil
	}}
}

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(t reflect.Type) (any, error) {
	if t.Kind() == reflect.Map {
		return o.value, nil
	}
	return nil, fmt.Errorf("type conversion error from '%s' to '%s'", o.Type(), t)
}

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return o
	case types.TypeType:
		return types.MapType
	}
	return types.NewErr("type conversion error from '%s' to '%s'", o.Type(), t.TypeName())
}

// Type implements ref.Val.
func (o *object) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (o *object) Value() any { return o.value }

// iterator goes through n values.
type iterator struct {
	ref.Val // an Iterator is a Val; nobody asks this one for anything of it
	n, next int
	at      func(int) ref.Val
}

func (it *iterator) HasNext() ref.Val { return types.Bool(it.next < it.n) }

func (it *iterator) Next() ref.Val {
	it.next++
	return it.at(it.next - 1)
}
