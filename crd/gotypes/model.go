package gotypes

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type props = apiextensionsv1.JSONSchemaProps

// shape is how a type is made of another.
type shape int

const (
	plain    shape = iota // a name
	pointer               // *elem
	slice                 // []elem
	mapping               // map[string]elem
	nullable              // a struct of the package's own, with *elem
)

// goType is the type of a field.
type goType struct {
	shape shape
	name  string // of a plain type, without its package; of another one, an alias to write in its place
	pkg   string // import path of name; "" for types of the package itself and for predeclared ones
	deep  bool   // a plain type that has DeepCopyInto and DeepCopy, since assignment does not copy it
	elem  *goType
}

// shares says whether a copy by assignment would share memory.
func (t *goType) shares() bool { return t.shape != plain || t.deep }

func predeclared(name string) *goType      { return &goType{name: name} }
func foreign(pkg, name string) *goType     { return &goType{name: name, pkg: pkg} }
func foreignDeep(pkg, name string) *goType { return &goType{name: name, pkg: pkg, deep: true} }
func pointerTo(t *goType) *goType          { return &goType{shape: pointer, elem: t} }
func sliceOf(t *goType) *goType            { return &goType{shape: slice, elem: t} }
func mapOf(t *goType) *goType              { return &goType{shape: mapping, elem: t} }

// rawJSON is any JSON value. It tells null from absent.
func rawJSON() *goType {
	return &goType{shape: slice, name: "RawMessage", pkg: pkgJSON, elem: predeclared("byte")}
}

// Import paths of what the generated packages use.
const (
	pkgJSON     = "encoding/json"
	pkgMetaV1   = "k8s.io/apimachinery/pkg/apis/meta/v1"
	pkgRuntime  = "k8s.io/apimachinery/pkg/runtime"
	pkgSchema   = "k8s.io/apimachinery/pkg/runtime/schema"
	pkgIntstr   = "k8s.io/apimachinery/pkg/util/intstr"
	pkgUtilJSON = "k8s.io/apimachinery/pkg/util/json"
	pkgResource = "k8s.io/apimachinery/pkg/api/resource"
)

// structType is a struct of a generated package.
type structType struct {
	name    string
	doc     string
	markers []string
	fields  []*structField
	extra   bool // unknown members are kept in the field Extra
	known   []string

	// kind and list are set of the types that are whole objects.
	kind, list bool
	listOf     *structType
}

// structField is a field; an embedded one has no name.
type structField struct {
	name    string
	json    string // the whole tag
	doc     string
	markers []string
	typ     *goType
}

// namedType is a named scalar, list or map: an enum with its constants, or what has markers that can stand nowhere else.
type namedType struct {
	name    string
	base    *goType
	doc     string
	markers []string
	values  []enumValue
}

type enumValue struct{ name, literal string }

// kindType is one kind: what is written into one file.
type kindType struct {
	kind, listKind string // as they go over the wire
	file           string
	structs        []*structType
	named          []*namedType
}

// goPackage is one version of a group.
type goPackage struct {
	group, version string
	name           string
	kinds          []*kindType
	helpers        helpers
}

// helpers are the types that a package has only where it needs them, by the names that were free for them.
type helpers struct {
	names                map[string]string
	nullables            map[string]*goType // by what may be null
	quantity, json, keep bool
	pattern              string // of quantities
}
