package gotypes

// writeNullable writes the type of fields that may be absent, null or a value.
func (p *goPackage) writeNullable(f *goFile) {
	name, js, uj := p.helpers.names["Nullable"], f.use(pkgJSON), f.use(pkgUtilJSON)
	f.printf(`
// %[1]s is a field that may be absent (the zero value), null, or a value.
type %[1]s[T any] struct {
	// Value is nil where the field is absent or null.
	Value *T
	// Null says that the field is null. It counts only where there is no value.
	Null bool
}

// IsZero says whether the field is absent.
func (n %[1]s[T]) IsZero() bool { return n.Value == nil && !n.Null }

// MarshalJSON writes the value, or null.
func (n %[1]s[T]) MarshalJSON() ([]byte, error) { return %[2]s.Marshal(n.Value) }

// UnmarshalJSON reads a value, or null.
func (n *%[1]s[T]) UnmarshalJSON(data []byte) error {
	n.Value, n.Null = nil, string(data) == "null"
	if n.Null {
		return nil
	}
	n.Value = new(T)
	return %[3]s.Unmarshal(data, n.Value)
}
`, name, js, uj)
}

// writeQuantity writes the type of quantities, which are resource.Quantity's text or a whole number of 64 bits.
func (p *goPackage) writeQuantity(f *goFile) {
	name, js, res := p.helpers.names["Quantity"], f.use(pkgJSON), f.use(pkgResource)
	f.printf(`
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
