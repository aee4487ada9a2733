package gotypes

import (
	"fmt"
	"strings"
)

// deepCopyFile has the methods that make objects of the types, in the shape that deepcopy-gen gives them.
func (p *goPackage) deepCopyFile() *goFile {
	f := p.newFile()
	for _, k := range p.kinds {
		for _, s := range k.structs {
			p.writeDeepCopy(f, s)
		}
	}
	return f
}

func (p *goPackage) writeDeepCopy(f *goFile, s *structType) {
	f.printf("// DeepCopyInto writes a copy that shares nothing into out.\nfunc (in *%s) DeepCopyInto(out *%s) {\n*out = *in\n", s.name, s.name)
	for _, field := range s.fields {
		name := field.name
		if name == "" {
			name = field.typ.name // embedded
		}
		f.copyValue("in."+name, "out."+name, field.typ, 0)
	}
	if s.extra {
		f.copyValue("in.Extra", "out.Extra", mapOf(rawJSON()), 0)
	}
	f.printf("}\n\n")
	f.printf("// DeepCopy returns a copy that shares nothing.\nfunc (in *%s) DeepCopy() *%s {\nif in == nil {\nreturn nil\n}\n", s.name, s.name)
	f.printf("out := new(%s)\nin.DeepCopyInto(out)\nreturn out\n}\n\n", s.name)
	if s.kind || s.list {
		f.printf("// DeepCopyObject returns a copy that shares nothing.\nfunc (in *%s) DeepCopyObject() %s.Object {\n", s.name, f.use(pkgRuntime))
		f.printf("if c := in.DeepCopy(); c != nil {\nreturn c\n}\nreturn nil\n}\n\n")
	}
}

// copyValue writes statements after which out, which is a copy of in by assignment, shares nothing with it. Both
// are expressions that can be addressed; depth counts the loops around.
func (f *goFile) copyValue(in, out string, t *goType, depth int) {
	if !t.shares() {
		return
	}
	switch t.shape {
	case plain:
		f.printf("%s.DeepCopyInto(&%s)\n", operand(in), out)
	case nullable:
		f.copyValue(in+".Value", out+".Value", pointerTo(t.elem), depth)
	case pointer:
		if t.elem.shape == plain && t.elem.deep {
			f.printf("%s = %s.DeepCopy()\n", out, in)
			return
		}
		f.printf("if %s != nil {\n%s = new(%s)\n*%s = *%s\n", in, out, f.expr(t.elem), out, in)
		f.copyValue("*"+in, "*"+out, t.elem, depth)
		f.printf("}\n")
	case slice:
		if !t.elem.shares() {
			f.printf("%s = %s.Clone(%s)\n", out, f.use("slices"), in)
			return
		}
		i := fmt.Sprintf("i%d", depth)
		f.printf("if %s != nil {\n%s = make(%s, len(%s))\nfor %s := range %s {\n", in, out, f.expr(t), in, i, in)
		f.copyValue(index(in, i), index(out, i), t.elem, depth+1)
		f.printf("}\n}\n")
	case mapping:
		if !t.elem.shares() {
			f.printf("%s = %s.Clone(%s)\n", out, f.use("maps"), in)
			return
		}
		k, v, c := fmt.Sprintf("k%d", depth), fmt.Sprintf("v%d", depth), fmt.Sprintf("c%d", depth)
		f.printf("if %s != nil {\n%s = make(%s, len(%s))\nfor %s, %s := range %s {\n%s := %s\n", in, out, f.expr(t), in, k, v, in, c, v)
		f.copyValue(v, c, t.elem, depth+1)
		f.printf("%s = %s\n}\n}\n", index(out, k), c)
	}
}

func index(expr, i string) string { return operand(expr) + "[" + i + "]" }

// operand puts what is dereferenced into parentheses, for what follows.
func operand(expr string) string {
	if strings.HasPrefix(expr, "*") {
		return "(" + expr + ")"
	}
	return expr
}
