package schema

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
)

// Share returns a schema equal to s in which equal nodes are one. Generated schemas repeat themselves a lot (each string
// without further rules, each label selector, each resource list), so this saves most of what they take, and of what
// is compiled from them. s must not be used afterwards. Nodes with CEL rules stay apart.
func (s *Schema) Share() *Schema {
	sh := sharer{known: map[string]*Schema{}, numbers: map[*Schema]uint64{}}
	return sh.share(s)
}

type sharer struct {
	known   map[string]*Schema // by the keys of keyOf
	numbers map[*Schema]uint64 // of those that are kept
}

func (sh *sharer) share(s *Schema) *Schema {
	if s == nil {
		return nil
	}
	if _, done := sh.numbers[s]; done {
		return s
	}
	s.Items, s.Additional, s.Not = sh.share(s.Items), sh.share(s.Additional), sh.share(s.Not)
	for name, p := range s.Properties {
		s.Properties[name] = sh.share(p)
	}
	for _, branches := range [][]*Schema{s.AllOf, s.AnyOf, s.OneOf} {
		for i, b := range branches {
			branches[i] = sh.share(b)
		}
	}
	if len(s.Rules) == 0 {
		key := string(sh.keyOf(s))
		if same, ok := sh.known[key]; ok {
			return same
		}
		sh.known[key] = s
	}
	sh.numbers[s] = uint64(len(sh.numbers) + 1)
	return s
}

// keyOf writes all that s says, its children as their numbers.
func (sh *sharer) keyOf(s *Schema) []byte {
	k := key{sh: sh}
	k.texts(s.Type, s.ListType, s.MapType, s.Format, s.Pattern)
	k.flags(s.Nullable, s.AnyAdditional, s.PreserveUnknown, s.Embedded, s.IntOrString, s.ExclusiveMinimum, s.ExclusiveMaximum, s.UniqueItems)
	k.value(s.Default)
	for _, limit := range []*int64{s.MinLength, s.MaxLength, s.MinItems, s.MaxItems, s.MinProperties, s.MaxProperties} {
		if k.flags(limit != nil); limit != nil {
			k.value(*limit)
		}
	}
	for _, bound := range []*float64{s.Minimum, s.Maximum, s.MultipleOf} {
		if k.flags(bound != nil); bound != nil {
			k.value(*bound)
		}
	}
	for _, list := range [][]string{s.ListMapKeys, s.Required} {
		k.number(uint64(len(list)))
		k.texts(list...)
	}
	k.number(uint64(len(s.Enum)))
	for _, e := range s.Enum {
		k.value(e)
	}
	k.children(s.Items, s.Additional, s.Not)
	for _, branches := range [][]*Schema{s.AllOf, s.AnyOf, s.OneOf} {
		k.number(uint64(len(branches)))
		k.children(branches...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		k.texts(name)
		k.children(s.Properties[name])
	}
	return k.bytes
}

// key is written such that no two different sequences of calls write the same bytes.
type key struct {
	sh    *sharer
	bytes []byte
}

func (k *key) number(n uint64) { k.bytes = binary.AppendUvarint(k.bytes, n) }

func (k *key) texts(texts ...string) {
	for _, t := range texts {
		k.number(uint64(len(t)))
		k.bytes = append(k.bytes, t...)
	}
}

func (k *key) flags(flags ...bool) {
	for _, f := range flags {
		b := byte(0)
		if f {
			b = 1
		}
		k.bytes = append(k.bytes, b)
	}
}

func (k *key) children(children ...*Schema) {
	for _, c := range children {
		k.number(k.sh.numbers[c]) // zero for nil
	}
}

// value writes a JSON value behind a letter for its type.
func (k *key) value(v any) {
	switch v := v.(type) {
	case nil:
		k.bytes = append(k.bytes, 'n')
	case bool:
		k.bytes = append(k.bytes, 'b')
		k.flags(v)
	case string:
		k.bytes = append(k.bytes, 's')
		k.texts(v)
	case int64:
		k.bytes = append(k.bytes, 'i')
		k.number(uint64(v))
	case float64:
		k.bytes = append(k.bytes, 'f')
		k.number(math.Float64bits(v))
	case []any:
		k.bytes = append(k.bytes, 'l')
		k.number(uint64(len(v)))
		for _, element := range v {
			k.value(element)
		}
	case map[string]any:
		k.bytes = append(k.bytes, 'm')
		k.number(uint64(len(v)))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			k.texts(name)
			k.value(v[name])
		}
	}
}
