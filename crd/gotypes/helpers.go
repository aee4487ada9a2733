package gotypes

import (
	"maps"
	"slices"
)

// writeNullables writes the types of fields that may be absent, null or a value. controller-gen takes their schema to be
// that of the value, since it is inline, and knows no generic types.
func (p *goPackage) writeNullables(f *goFile) {
	js, uj := f.use(pkgJSON), f.use(pkgUtilJSON)
	for _, key := range slices.Sorted(maps.Keys(p.helpers.nullables)) {
		t := p.helpers.nullables[key]
		f.printf("\n")
		if !isStruct(t) {
			f.printf("// +kubebuilder:validation:Type=\"\"\n\n")
		}
		f.printf(`// %[1]s is a field that may be absent (the zero value), null, or a value.
type %[1]s struct {
	// Value is nil where the field is absent or null.
	Value *%[2]s %[4]s
	// Null says that the field is null. It counts only where there is no value.
	Null bool %[5]s
}

// IsZero says whether the field is absent.
func (n %[1]s) IsZero() bool { return n.Value == nil && !n.Null }

// MarshalJSON writes the value, or null.
func (n %[1]s) MarshalJSON() ([]byte, error) { return %[3]s.Marshal(n.Value) }

// UnmarshalJSON reads a value, or null.
func (n *%[1]s) UnmarshalJSON(data []byte) (err error) {
	n.Value, n.Null, err = unmarshalNullable[%[2]s](data)
	return err
}
`, t.name, f.expr(t.elem), js, "`json:\",inline\"`", "`json:\"-\"`")
	}
	f.printf(`
func unmarshalNullable[T any](data []byte) (value *T, null bool, err error) {
	if string(data) == "null" {
		return nil, true, nil
	}
	value = new(T)
	return value, false, %[1]s.Unmarshal(data, value)
}
`, uj)
}

// writeQuantity writes the type of quantities, which are resource.Quantity's text or a whole number of 64 bits.
func (p *goPackage) writeQuantity(f *goFile) {
	name, js, res := p.helpers.names["Quantity"], f.use(pkgJSON), f.use(pkgResource)
	f.printf(`
// +kubebuilder:validation:Type=""
// +kubebuilder:validation:XIntOrString
// +kubebuilder:validation:Pattern=%[4]s

// %[1]s is an amount, such as 500m or 2Gi, kept as it was written: as text, or as a whole number. (An
// intstr.IntOrString has no room for 4294967296, and a resource.Quantity would write 1024Mi as 1Gi.)
type %[1]s struct {
	// Text counts where it is not empty.
	Text string %[5]s
	Int  int64  %[5]s
}

// %[1]sOf returns an amount as text.
func %[1]sOf(q %[3]s.Quantity) *%[1]s { return &%[1]s{Text: q.String()} }

// Parse returns the amount. The error is resource.ParseQuantity's.
func (q %[1]s) Parse() (%[3]s.Quantity, error) {
	if q.Text != "" {
		return %[3]s.ParseQuantity(q.Text)
	}
	return *%[3]s.NewQuantity(q.Int, %[3]s.DecimalSI), nil
}

// MarshalJSON writes text or a number.
func (q %[1]s) MarshalJSON() ([]byte, error) {
	if q.Text != "" {
		return %[2]s.Marshal(q.Text)
	}
	return %[2]s.Marshal(q.Int)
}

// UnmarshalJSON reads text or a number.
func (q *%[1]s) UnmarshalJSON(data []byte) error {
	*q = %[1]s{}
	if len(data) > 0 && data[0] == '"' {
		return %[2]s.Unmarshal(data, &q.Text)
	}
	return %[2]s.Unmarshal(data, &q.Int)
}
`, name, js, res, quoted(p.helpers.pattern), "`json:\"-\"`")
}

// writeJSON writes the type of items and values of which the schema says nothing. (A field of its own can be a
// json.RawMessage, of which controller-gen makes what markers say.)
func (p *goPackage) writeJSON(f *goFile) {
	f.printf(`
// +kubebuilder:validation:Type=""
// +kubebuilder:pruning:PreserveUnknownFields

// %[1]s is any value.
type %[1]s struct {
	Raw %[2]s.RawMessage %[3]s
}

// MarshalJSON returns Raw, or null where there is none.
func (j %[1]s) MarshalJSON() ([]byte, error) {
	if len(j.Raw) == 0 {
		return []byte("null"), nil
	}
	return j.Raw, nil
}

// UnmarshalJSON keeps data in Raw.
func (j *%[1]s) UnmarshalJSON(data []byte) error {
	j.Raw = append(%[2]s.RawMessage(nil), data...)
	return nil
}

// DeepCopyInto writes a copy that shares nothing into out.
func (j *%[1]s) DeepCopyInto(out *%[1]s) { out.Raw = append(%[2]s.RawMessage(nil), j.Raw...) }

// DeepCopy returns a copy that shares nothing.
func (j *%[1]s) DeepCopy() *%[1]s {
	if j == nil {
		return nil
	}
	out := new(%[1]s)
	j.DeepCopyInto(out)
	return out
}
`, p.helpers.names["JSON"], f.use(pkgJSON), "`json:\"-\"`")
}

// jsonFile has the methods of types that keep unknown members; nil where there are none.
func (p *goPackage) jsonFile() *goFile {
	if !p.helpers.keep {
		return nil
	}
	f := p.newFile()
	js, uj, rt := f.use(pkgJSON), f.use(pkgUtilJSON), f.use("maps")
	for _, k := range p.kinds {
		for _, s := range k.structs {
			if s.extra {
				writeKeeping(f, s)
			}
		}
	}
	f.printf(`// marshalKeeping writes known, a struct, and the members of extra that it does not have.
func marshalKeeping(known any, extra map[string]%[1]s.RawMessage) ([]byte, error) {
	data, err := %[1]s.Marshal(known)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	all := %[3]s.Clone(extra)
	if err := %[1]s.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	return %[1]s.Marshal(all)
}

// unmarshalKeeping reads data into known, a pointer to a struct, and returns the members that are none of names.
func unmarshalKeeping(data []byte, known any, names ...string) (map[string]%[1]s.RawMessage, error) {
	if err := %[2]s.Unmarshal(data, known); err != nil {
		return nil, err
	}
	var extra map[string]%[1]s.RawMessage
	if err := %[1]s.Unmarshal(data, &extra); err != nil {
		return nil, err
	}
	for _, name := range names {
		delete(extra, name)
	}
	if len(extra) == 0 {
		return nil, nil
	}
	return extra, nil
}
`, js, uj, rt)
	return f
}

func writeKeeping(f *goFile, s *structType) {
	f.printf("// MarshalJSON writes Extra with the fields.\nfunc (in %s) MarshalJSON() ([]byte, error) {\ntype plain %s\n", s.name, s.name)
	f.printf("return marshalKeeping(plain(in), in.Extra)\n}\n\n")
	f.printf("// UnmarshalJSON reads the fields, and all else into Extra.\nfunc (in *%s) UnmarshalJSON(data []byte) error {\ntype plain %s\n", s.name, s.name)
	f.printf("var out plain\nextra, err := unmarshalKeeping(data, &out")
	for _, name := range s.known {
		f.printf(", %q", name)
	}
	f.printf(")\nif err != nil {\nreturn err\n}\n*in = %s(out)\nin.Extra = extra\nreturn nil\n}\n\n", s.name)
}
