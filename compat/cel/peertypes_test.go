package cel

import (
	"math"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	apiservercel "k8s.io/apiserver/pkg/cel"
)

// decl is a declaration that may not be there.
type decl struct{ t *apiservercel.DeclType }

func (d *decl) elem() *decl {
	if d == nil || d.t == nil || d.t.ElemType == nil {
		return nil
	}
	return &decl{d.t.ElemType}
}

func (d *decl) field(name string) *decl {
	if d == nil || d.t == nil {
		return nil
	}
	if escaped, ok := apiservercel.Escape(name); ok {
		if f := d.t.Fields[escaped]; f != nil {
			return &decl{f.Type}
		}
	}
	return nil
}

func maxItems(s *structuralschema.Structural) *uint64 {
	if s.ValueValidation == nil {
		return nil
	}
	return unsigned(s.ValueValidation.MaxItems)
}

func maxProperties(s *structuralschema.Structural) *uint64 {
	if s.ValueValidation == nil {
		return nil
	}
	return unsigned(s.ValueValidation.MaxProperties)
}

func unsigned(n *int64) *uint64 {
	if n == nil {
		return nil
	}
	u := uint64(max(0, *n))
	return &u
}

func multiply(a, b *uint64) *uint64 {
	if a == nil || b == nil {
		return nil
	}
	product := *a * *b
	if *a != 0 && math.MaxUint64 / *a < *b {
		product = math.MaxUint64
	}
	return &product
}
