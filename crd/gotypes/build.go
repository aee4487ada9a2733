package gotypes

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// builder makes the types of one package. Types of nested objects are named after their path; where two want a
// name, the one nearer to the root has it, and then the first by alphabet.
type builder struct {
	pkg   *goPackage
	names namespace

	kind *kindType // the one being built
	todo []work    // structs that have a name and no fields yet
}

// work is a struct whose fields are to be made.
type work struct {
	out    *structType
	schema *props
	status bool // in the status of a kind with that subresource
}

// reserved are the names that no field may take: those of methods, and of what every object embeds.
func reserved(kind bool) namespace {
	out := namespace{"DeepCopy": true, "DeepCopyInto": true}
	if !kind {
		return out
	}
	out["DeepCopyObject"], out["TypeMeta"], out["ObjectMeta"] = true, true, true
	for _, t := range []reflect.Type{reflect.TypeFor[*metav1.ObjectMeta](), reflect.TypeFor[*metav1.TypeMeta]()} {
		for m := range t.Methods() {
			out[m.Name] = true
		}
	}
	return out
}

func newBuilder(group, version string) *builder {
	return &builder{
		pkg:   &goPackage{group: group, version: version, name: packageName(version), helpers: helpers{names: map[string]string{}, nullables: map[string]*goType{}}},
		names: namespace{},
	}
}

// build makes the package of all kinds of a group that have the version.
func build(crds []*apiextensionsv1.CustomResourceDefinition, version string) *goPackage {
	b := newBuilder(crds[0].Spec.Group, version)
	type pending struct {
		c    *apiextensionsv1.CustomResourceDefinition
		v    *apiextensionsv1.CustomResourceDefinitionVersion
		root *structType
		list *structType
	}
	var kinds []pending
	for _, c := range crds { // kinds choose their names first
		i := slices.IndexFunc(c.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == version })
		if i >= 0 {
			kinds = append(kinds, pending{c: c, v: &c.Spec.Versions[i], root: &structType{kind: true, name: b.names.take(goName(c.Spec.Names.Kind))}})
		}
	}
	for i := range kinds {
		kinds[i].list = &structType{list: true, listOf: kinds[i].root, name: b.names.take(goName(listKind(kinds[i].c)))}
	}
	for _, helper := range []string{"GroupVersion", "AddToScheme", "Quantity", "JSON"} {
		b.pkg.helpers.names[helper] = b.names.take(helper)
	}
	files := namespace{"groupversion_info": true}
	for _, k := range kinds {
		b.kind = &kindType{kind: k.c.Spec.Names.Kind, listKind: listKind(k.c), file: files.take(strings.ToLower(goName(k.c.Spec.Names.Kind))) + "_types.go"}
		b.buildKind(k.root, k.list, k.c, k.v)
		b.pkg.kinds = append(b.pkg.kinds, b.kind)
	}
	return b.pkg
}

func listKind(c *apiextensionsv1.CustomResourceDefinition) string {
	if c.Spec.Names.ListKind != "" {
		return c.Spec.Names.ListKind
	}
	return c.Spec.Names.Kind + "List"
}

func (b *builder) buildKind(root, list *structType, c *apiextensionsv1.CustomResourceDefinition, v *apiextensionsv1.CustomResourceDefinitionVersion) {
	schema := &props{Type: "object", XPreserveUnknownFields: new(bool)}
	*schema.XPreserveUnknownFields = true
	if v.Schema != nil && v.Schema.OpenAPIV3Schema != nil {
		schema = v.Schema.OpenAPIV3Schema
	}
	root.doc = schema.Description
	root.markers = append(kindMarkers(c, v), typeMarkers(schema)...)
	hasStatus := v.Subresources != nil && v.Subresources.Status != nil
	b.fields(work{out: root, schema: schema}, hasStatus)
	all := []*structType{root}
	for len(b.todo) > 0 {
		next := b.todo[0]
		b.todo = b.todo[1:]
		b.fields(next, false)
		all = append(all, next.out)
	}
	list.doc = list.name + " is a list of " + root.name + "."
	list.markers = []string{kb + "object:root=true"}
	list.fields = []*structField{
		{json: ",inline", typ: foreign(pkgMetaV1, "TypeMeta")},
		{json: "metadata,omitempty", typ: foreignDeep(pkgMetaV1, "ListMeta")},
		{name: "Items", json: "items", typ: sliceOf(&goType{name: root.name, deep: true})},
	}
	b.kind.structs = append(byPath(all), list)
	slices.SortStableFunc(b.kind.named, func(a, b *namedType) int { return strings.Compare(a.name, b.name) })
}

// byPath brings each struct behind the one that has it, for reading from top to bottom.
func byPath(all []*structType) []*structType {
	children := map[string]*structType{}
	for _, s := range all {
		children[s.name] = s
	}
	var out []*structType
	var visit func(s *structType)
	visit = func(s *structType) {
		out = append(out, s)
		for _, f := range s.fields {
			t := f.typ
			for t.elem != nil {
				t = t.elem
			}
			if c := children[t.name]; c != nil && t.pkg == "" {
				visit(c)
			}
		}
	}
	visit(all[0])
	return out
}

// fields makes the fields of a struct. hasStatus: it is a kind with a status subresource.
func (b *builder) fields(w work, hasStatus bool) {
	s, p := w.out, w.schema
	used := reserved(s.kind)
	members := p.Properties
	if s.kind {
		s.fields = append(s.fields,
			&structField{json: ",inline", typ: foreign(pkgMetaV1, "TypeMeta")},
			&structField{json: "metadata,omitzero", typ: foreignDeep(pkgMetaV1, "ObjectMeta"), markers: []string{"+optional"}})
		s.known = append(s.known, "apiVersion", "kind", "metadata")
	} else if p.XEmbeddedResource {
		members = embedded(p)
	}
	s.extra = preserves(p) || p.AdditionalProperties != nil
	var names []string
	for _, name := range ordered(members, s.kind) {
		switch {
		case s.kind && (name == "apiVersion" || name == "kind" || name == "metadata"):
		case !validTag(name):
			s.extra = true
		default:
			names = append(names, name)
			s.known = append(s.known, name)
		}
	}
	if s.extra {
		used["Extra"], used["MarshalJSON"], used["UnmarshalJSON"] = true, true, true
		b.pkg.helpers.keep = true
	}
	for _, name := range names {
		field := goName(name)
		if field == "" {
			field = valueName(name)
		}
		child := members[name]
		s.fields = append(s.fields, b.field(w, name, used.take(field), &child, hasStatus && name == "status"))
	}
}

// embedded returns the members of an embedded resource: those of its schema, and those that every resource has.
func embedded(p *props) map[string]props {
	out := maps.Clone(p.Properties)
	if out == nil {
		out = map[string]props{}
	}
	text := props{Type: "string"}
	out["apiVersion"], out["kind"] = text, text
	out["metadata"] = props{Type: "object", XEmbeddedResource: true, Format: objectMeta}
	return out
}

// objectMeta marks, in schemas that embedded made, where full metadata stands.
const objectMeta = "keelson-object-meta"

// ordered sorts names; of a kind, spec is first and status last.
func ordered(members map[string]props, kind bool) []string {
	rank := func(name string) int {
		switch {
		case kind && name == "spec":
			return 0
		case kind && name == "status":
			return 2
		}
		return 1
	}
	return slices.SortedFunc(maps.Keys(members), func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}

func preserves(p *props) bool { return p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields }

// validTag says whether a struct tag can hold a name; encoding/json ignores the others.
func validTag(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !strings.ContainsRune(letters+"0123456789", r)
	}) < 0
}
