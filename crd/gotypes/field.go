package gotypes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
)

// place is where a node of a schema stands: its type is named base + last.
type place struct {
	base, last string
	status     bool
	what       string // for the comment of its type
	depth      int    // below the field
}

func (at place) name() string { return at.base + at.last }

// item is the place of the items or values below.
func (at place) item(what string) place {
	what += strings.TrimPrefix(at.what, "the type of ")
	return place{base: at.base, last: singular(at.last), status: at.status, what: what, depth: at.depth + 1}
}

// field makes one field. isStatus: it is the status of a kind with that subresource.
func (b *builder) field(w work, name, goField string, p *props, isStatus bool) *structField {
	at := place{base: w.out.name, last: goField, status: w.status || isStatus, what: "the type of " + w.out.name + "." + goField}
	required := slices.Contains(w.schema.Required, name)
	must := required && p.Default == nil // what has a default may be missing in what authors write
	wrapped := p.Nullable && !must
	if wrapped {
		at.depth = 1
	}
	typ := b.typeOf(at, p)
	if wrapped = wrapped && typ.name != "RawMessage"; wrapped {
		typ = b.marked(at, p, typ)
	}
	typ, option := b.presence(typ, p, must, isStatus)
	f := &structField{name: goField, json: name, doc: p.Description, typ: typ}
	if option != "" || name == "-" {
		f.json += "," + option
	}
	if required {
		f.markers = append(f.markers, "+required")
	} else {
		f.markers = append(f.markers, "+optional")
	}
	if p.Nullable {
		f.markers = append(f.markers, "+nullable")
	}
	f.markers = append(f.markers, defaultMarker(p)...)
	if typ.name == "RawMessage" {
		f.markers = append(f.markers, schemaless(p)...)
	}
	if isStruct(typ) {
		return f // the rest is said of the type
	}
	if preserves(p) {
		f.markers = append(f.markers, kb+"pruning:PreserveUnknownFields")
	}
	if p.XEmbeddedResource && p.Format != objectMeta {
		f.markers = append(f.markers, kb+"validation:EmbeddedResource")
	}
	if p.XIntOrString && p.Type != "" {
		f.markers = append(f.markers, kb+"validation:Type="+p.Type)
	}
	if p.Format != objectMeta && !wrapped {
		f.markers = append(f.markers, valueMarkers(p, typ)...)
		f.markers = append(f.markers, itemsMarkers(p)...)
	}
	return f
}

// isStruct says whether a field holds one of the package's own structs.
func isStruct(t *goType) bool {
	for t.shape == pointer || t.shape == nullable {
		t = t.elem
	}
	return t.shape == plain && t.pkg == "" && t.deep
}

// presence chooses how a field tells absent, null and zero apart, as far as the schema accepts them: its type, and
// the option of its tag.
func (b *builder) presence(t *goType, p *props, required, isStatus bool) (typ *goType, option string) {
	holdsNull := t.shape == slice || t.shape == mapping // nil is written as null
	switch {
	case p.Nullable && required:
		if holdsNull {
			return t, ""
		}
		return pointerTo(t), ""
	case p.Nullable && t.name == "RawMessage":
		return t, "omitzero"
	case p.Nullable:
		return b.nullableOf(t), "omitzero"
	case holdsNull, t.name == "RawExtension":
		return t, "omitzero"
	case required:
		return t, ""
	case isStatus && isStruct(t):
		return t, "omitzero"
	case !t.deep && t.pkg == "" && !acceptsZero(t, p):
		return t, "omitempty"
	}
	return pointerTo(t), "omitempty"
}

// acceptsZero asks the server's own validation whether the zero value of a scalar is accepted.
func acceptsZero(t *goType, p *props) bool {
	if p.XIntOrString {
		return true
	}
	var zero any
	switch p.Type {
	case "string":
		zero = ""
	case "integer":
		zero = int64(0)
	case "number":
		zero = float64(0)
	case "boolean":
		zero = false
	default:
		return true
	}
	s, err := schema.New(p)
	if err != nil {
		return true
	}
	v, err := validation.New(s)
	return err != nil || len(v.Validate(nil, zero)) == 0
}

// typeOf returns the type of the values that a node describes.
func (b *builder) typeOf(at place, p *props) *goType {
	switch {
	case p.Format == objectMeta:
		return foreignDeep(pkgMetaV1, "ObjectMeta")
	case p.XIntOrString:
		if isQuantity(p.Pattern) {
			b.pkg.helpers.quantity, b.pkg.helpers.pattern = true, p.Pattern
			return predeclared(b.pkg.helpers.names["Quantity"])
		}
		return foreign(pkgIntstr, "IntOrString")
	}
	switch p.Type {
	case "object":
		return b.objectOf(at, p)
	case "array":
		if p.Items == nil || p.Items.Schema == nil {
			return sliceOf(b.anyJSON())
		}
		if at.status && isCondition(p.Items.Schema) {
			return sliceOf(foreignDeep(pkgMetaV1, "Condition"))
		}
		items := *p.Items.Schema
		if preserves(p) { // under a preserving array the items preserve, too
			items.XPreserveUnknownFields = p.XPreserveUnknownFields
		}
		return sliceOf(b.elementOf(at.item("an item of "), &items, at.depth == 0 && hasItemsMarkers(&items)))
	case "string":
		return b.stringOf(at, p)
	case "integer":
		base := "int" // of which controller-gen makes an integer without format
		if p.Format == "int32" || p.Format == "int64" {
			base = p.Format
		}
		return b.enumOr(at, p, base)
	case "number":
		return predeclared("float64")
	case "boolean":
		return predeclared("bool")
	}
	return rawJSON()
}

// isQuantity knows the pattern that controller-gen gives to resource.Quantity.
func isQuantity(pattern string) bool {
	return strings.Contains(pattern, "KMGTPE") && strings.Contains(pattern, "numkMGTPE")
}

// elementOf is the type of items and values, which null may be among. What markers of the field cannot say of them is
// said of a type of their own.
func (b *builder) elementOf(at place, p *props, markedByField bool) *goType {
	t := b.typeOf(at, p)
	if t.name == "RawMessage" {
		t = b.anyJSON()
	}
	if !markedByField {
		t = b.marked(at, p, t)
	}
	if p.Nullable && t.shape == plain {
		return pointerTo(t)
	}
	return t
}

// nullableOf returns the type of fields that may be absent, null, or a t.
func (b *builder) nullableOf(t *goType) *goType {
	key := t.label()
	for inner := t; inner != nil; inner = inner.elem {
		key += " " + inner.pkg
	}
	if b.pkg.helpers.nullables[key] == nil {
		b.pkg.helpers.nullables[key] = &goType{shape: nullable, name: b.names.take("Nullable" + t.label()), elem: t}
	}
	return b.pkg.helpers.nullables[key]
}

// label is the type in words that can be part of a name, without packages.
func (t *goType) label() string {
	if t.name != "" {
		return goName(t.name)
	}
	switch t.shape {
	case pointer:
		return "Optional" + t.elem.label()
	case mapping:
		return t.elem.label() + "Map"
	}
	return t.elem.label() + "List"
}

func (b *builder) anyJSON() *goType {
	b.pkg.helpers.json = true
	return &goType{name: b.pkg.helpers.names["JSON"], deep: true}
}

// marked returns t with the markers that p needs: a named type, if there are any.
func (b *builder) marked(at place, p *props, t *goType) *goType {
	if t.deep || t.pkg != "" || t.name == b.pkg.helpers.names["Quantity"] {
		return t // has its own, or methods that a type made of it would lose
	}
	markers := valueMarkers(p, t)
	if len(markers) == 0 {
		return t
	}
	if i := slices.IndexFunc(b.kind.named, func(n *namedType) bool { return n.name == t.name }); i >= 0 {
		b.kind.named[i].markers = append(b.kind.named[i].markers, markers...)
		return t
	}
	n := &namedType{name: b.names.take(at.name()), base: t, markers: markers}
	n.doc = n.name + " is " + at.what + "."
	b.kind.named = append(b.kind.named, n)
	out := *t
	out.name = n.name
	return &out
}

func (b *builder) objectOf(at place, p *props) *goType {
	if a := p.AdditionalProperties; a != nil && len(p.Properties) == 0 {
		if a.Schema == nil {
			return mapOf(b.anyJSON())
		}
		return mapOf(b.elementOf(at.item("a value in "), a.Schema, false))
	}
	if preserves(p) && len(p.Properties) == 0 {
		return foreignDeep(pkgRuntime, "RawExtension")
	}
	s := &structType{name: b.names.take(at.name()), markers: typeMarkers(p)}
	s.doc = s.name + " is " + at.what + "."
	if !strings.HasPrefix(at.what, "the") && p.Description != "" { // a field has the description itself
		s.doc += "\n\n" + p.Description
	}
	b.todo = append(b.todo, work{out: s, schema: p, status: at.status})
	return &goType{name: s.name, deep: true}
}

// isCondition says whether a schema is that of metav1.Condition.
func isCondition(p *props) bool {
	want := map[string]string{
		"type": "string", "status": "string", "reason": "string", "message": "string",
		"lastTransitionTime": "string", "observedGeneration": "integer",
	}
	if p.Type != "object" || preserves(p) || p.Nullable {
		return false
	}
	for name, child := range p.Properties {
		if want[name] != child.Type || child.Nullable {
			return false
		}
	}
	for name := range want {
		if name != "observedGeneration" && !slices.Contains(p.Required, name) {
			return false
		}
	}
	return p.Properties["lastTransitionTime"].Format == "date-time"
}

func (b *builder) stringOf(at place, p *props) *goType {
	switch {
	case p.Format == "byte":
		return sliceOf(predeclared("byte"))
	case p.Format == "date-time" && at.status:
		return foreignDeep(pkgMetaV1, "Time")
	}
	return b.enumOr(at, p, "string")
}

// enumOr returns a named type with constants where the schema lists the values, else base.
func (b *builder) enumOr(at place, p *props, base string) *goType {
	if len(p.Enum) == 0 {
		return predeclared(base)
	}
	var values []any
	for i := range p.Enum {
		var v any // null is decoded to no bytes
		if raw := p.Enum[i].Raw; len(raw) > 0 && utiljson.Unmarshal(raw, &v) != nil {
			return predeclared(base)
		}
		switch v.(type) {
		case nil:
		case string:
			if base != "string" {
				return predeclared(base)
			}
		case int64:
			if base == "string" {
				return predeclared(base)
			}
		default:
			return predeclared(base)
		}
		values = append(values, v)
	}
	e := &namedType{name: b.names.take(at.name()), base: predeclared(base), markers: []string{enumMarker(values)}}
	e.doc = e.name + " is " + at.what + "."
	for _, v := range values {
		if v == nil {
			continue
		}
		text := fmt.Sprint(v)
		literal := text
		if base == "string" {
			literal = strconv.Quote(text)
		}
		e.values = append(e.values, enumValue{b.names.take(e.name + valueName(text)), literal})
	}
	b.kind.named = append(b.kind.named, e)
	return predeclared(e.name)
}
