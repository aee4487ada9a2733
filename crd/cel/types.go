package cel

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// provider tells the type checker the types of one declaration. Objects get type names by their place, when the
// checker first meets them.
type provider struct {
	types.Provider // of the library
	objects        map[string]*decl
}

// typeOf returns the CEL type of d, which stands at the place called name.
func (p *provider) typeOf(d *decl, name string) *cel.Type {
	switch {
	case d.simple != nil:
		return d.simple
	case d.items != nil:
		return cel.ListType(p.typeOf(d.items, name+".@idx"))
	case d.values != nil:
		return cel.MapType(cel.StringType, p.typeOf(d.values, name+".@elem"))
	}
	p.objects[name] = d
	return cel.ObjectType(name)
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.objects[name]; ok {
		return types.NewTypeTypeWithParam(cel.ObjectType(name)), true
	}
	if t := kubernetesName(name); t != nil {
		return types.NewTypeTypeWithParam(t), true
	}
	return p.Provider.FindStructType(name)
}

// kubernetesName returns the type that kube-apiserver takes for an object's, by a name that CEL has for another thing
// or not at all; nil where there is none. No rule gets far with these, but the errors are others.
func kubernetesName(name string) *cel.Type {
	switch name {
	case "bool":
		return cel.BoolType
	case "bytes":
		return cel.BytesType
	case "double":
		return cel.DoubleType
	case "duration":
		return cel.DurationType
	case "int":
		return cel.IntType
	case "null_type":
		return cel.NullType
	case "string":
		return cel.StringType
	case "timestamp":
		return cel.TimestampType
	case "uint":
		return cel.UintType
	case "list":
		return cel.ListType(cel.AnyType)
	case "map":
		return cel.MapType(cel.AnyType, cel.AnyType)
	}
	return nil
}

// FindStructFieldNames implements types.Provider. No object is ever made by a rule, so none has names to tell.
func (p *provider) FindStructFieldNames(string) ([]string, bool) { return []string{}, false }

// FindStructFieldType implements types.Provider. A reserved word is the property of that name: after a dot, the
// grammar takes it for a field.
func (p *provider) FindStructFieldType(object, field string) (*types.FieldType, bool) {
	d, ok := p.objects[object]
	if !ok {
		return p.Provider.FindStructFieldType(object, field)
	}
	f := d.fields[field]
	if f == nil && reserved(field) {
		f = d.fields["__"+field+"__"]
	}
	if f == nil {
		return nil, false
	}
	return &types.FieldType{Type: p.typeOf(f, object+"."+field)}, true
}

// NewValue implements types.Provider.
func (p *provider) NewValue(object string, fields map[string]ref.Val) ref.Val {
	return p.Provider.NewValue(object, fields)
}

// EstimateSize bounds the size of the value at a path that begins with self. It makes d a size estimator of the
// library's costs.
func (d *decl) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	path := node.Path()
	if len(path) == 0 {
		return nil
	}
	at := d
	for _, name := range path[1:] {
		switch name {
		case "@items", "@values":
			if at.values != nil {
				at = at.values
			} else {
				at = at.items
			}
		case "@keys":
			if at.values == nil {
				return nil
			}
			at = anyText
		default:
			at = at.fields[name]
		}
		if at == nil {
			return nil
		}
	}
	return &checker.SizeEstimate{Max: uint64(at.maxElements)}
}

// anyText stands for the keys of maps, to which kube-apiserver gives no size.
var anyText = &decl{simple: cel.StringType, minSize: minText}
