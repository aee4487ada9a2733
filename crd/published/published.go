// Package published writes the schemas of CustomResourceDefinitions as kube-apiserver publishes them in its OpenAPI
// documents, straight from their JSON.
package published

import (
	"bytes"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// RefPrefix and RefPrefixV2 begin every reference to another schema in documents of OpenAPI v3 and v2.
const (
	RefPrefix   = "#/components/schemas/"
	RefPrefixV2 = "#/definitions/"
)

// ObjectMetaName is the name under which the schema of metadata is published.
const ObjectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// Options say of what kind a schema is, and how it is published.
type Options struct {
	GVK kschema.GroupVersionKind
	// Selectable are the fields that field selectors may name, without a leading dot ("spec.color").
	Selectable []string
	// V2 is the form of OpenAPI v2, which says less: nothing of values that are null or of unknown fields, and no
	// defaults, since kubectl takes what v2 says too literally.
	V2 bool
	// Open: nothing is known of the kind's fields (spec.preserveUnknownFields). Only v2 says so.
	Open bool
}

// Append appends the OpenAPI schema of the whole kind to b, as JSON: what kube-apiserver publishes, with apiVersion, kind
// and a reference to ObjectMeta. raw is the encoded schema of a CustomResourceDefinition's version, which was accepted;
// nil or what is no object is published as an object of any content.
//
// It copies out of raw and builds nothing in memory, since a document may have thousands of schemas of 40 KB each.
func (o Options) Append(b, raw []byte) []byte {
	p := publisher{in: raw, out: b, v2: o.V2}
	kept := tapes.Get().(*jsonscan.Tape)
	defer tapes.Put(kept)
	t, ok := jsonscan.Parse(raw, (*kept)[:0])
	p.tape, *kept = t, t
	if !ok || raw[t[0].From] != '{' || o.V2 && (o.Open || p.isTrue(t.Member(raw, 0, "x-kubernetes-preserve-unknown-fields"))) {
		p.out = append(p.out, `{"type":"object"`...)
	} else {
		p.node(0, atRoot)
		p.out = p.out[:len(p.out)-1] // go on with the extensions
	}
	b = append(p.out, `,"x-kubernetes-group-version-kind":[`...)
	b = append(AppendGVK(b, o.GVK), ']')
	return append(AppendSelectable(b, o.Selectable), '}')
}

// tapes are those in use: a document of thousands of kinds needs the memory of one.
var tapes = sync.Pool{New: func() any { return new(jsonscan.Tape) }}

// AppendGVK appends a group, version and kind as an object.
func AppendGVK(b []byte, gvk kschema.GroupVersionKind) []byte {
	b = jsonscan.AppendString(append(b, `{"group":`...), gvk.Group)
	b = jsonscan.AppendString(append(b, `,"kind":`...), gvk.Kind)
	b = jsonscan.AppendString(append(b, `,"version":`...), gvk.Version)
	return append(b, '}')
}

// AppendSelectable appends the extension that names selectable fields, with a comma before it, if there are any.
func AppendSelectable(b []byte, fields []string) []byte {
	if len(fields) == 0 {
		return b
	}
	b = append(b, `,"x-kubernetes-selectable-fields":[`...)
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"fieldPath":`...)
		b = append(jsonscan.AppendString(b, f), '}')
	}
	return append(b, ']')
}

// AppendMetadata appends what is said of the member metadata: description and a reference to a model.
func AppendMetadata(b []byte, description, model string, v2 bool) []byte {
	b = append(b, `{"description":`...)
	b = jsonscan.AppendString(b, description)
	if v2 {
		return append(append(append(b, `,"$ref":"`+RefPrefixV2...), model...), `"}`...)
	}
	// A reference has no siblings in v3, hence allOf.
	return append(append(append(b, `,"allOf":[{"$ref":"`+RefPrefix...), model...), `"}]}`...)
}

// AppendTypeMeta appends the members apiVersion and kind of a properties object, with a comma between them.
func AppendTypeMeta(b []byte) []byte {
	docs := metav1.TypeMeta{}.SwaggerDoc()
	return appendTypeMeta(b, docs["apiVersion"], docs["kind"])
}

func appendTypeMeta(b []byte, apiVersion, kind string) []byte {
	b = jsonscan.AppendString(append(b, `"apiVersion":{"description":`...), apiVersion)
	b = jsonscan.AppendString(append(b, `,"type":"string"},"kind":{"description":`...), kind)
	return append(b, `,"type":"string"}`...)
}

// place is where a schema stands.
type place uint8

const (
	atRoot   place = iota
	inTree         // under properties, items, additionalProperties
	inValues       // under allOf, anyOf, oneOf, not
)

// publisher writes the published form of the schema that tape and in describe to out.
type publisher struct {
	in   []byte
	tape jsonscan.Tape
	out  []byte
	v2   bool
}

func (p *publisher) isTrue(i int) bool { return i > 0 && string(p.tape.Text(p.in, i)) == "true" }

func (p *publisher) is(i int32, text string) bool {
	return i > 0 && string(p.tape.Text(p.in, int(i))) == text
}

// node writes the schema at i.
func (p *publisher) node(i int, at place) {
	var m members
	end := int(p.tape[i].Next)
	for k := i + 1; k < end; k = int(p.tape[k+1].Next) {
		m[keywordOf(p.tape.Key(p.in, k))] = int32(k + 1)
	}
	m[kwUnknown] = 0
	preserves := p.isTrue(int(m[kwPreserve]))
	embeds := at != inValues && p.isTrue(int(m[kwEmbedded])) && (!p.v2 || !preserves)
	if p.v2 {
		p.restrict(&m, preserves)
	}
	if at == inValues {
		m[kwAdditional] = 0
	}
	p.out = append(p.out, '{')
	start := len(p.out)
	for kw := kwUnknown + 1; kw < keywordCount; kw++ {
		p.member(kw, &m, at, embeds)
	}
	if len(p.out) > start {
		p.out[len(p.out)-1] = '}' // the last comma
		return
	}
	p.out = append(p.out, '}')
}

// restrict takes from m what v2 does not say.
func (p *publisher) restrict(m *members, preserves bool) {
	m[kwAllOf], m[kwAnyOf], m[kwOneOf], m[kwNot], m[kwDefault] = 0, 0, 0, 0, 0
	if p.isTrue(int(m[kwNullable])) {
		m[kwType], m[kwNullable], m[kwItems], m[kwProperties] = 0, 0, 0, 0
	}
	if preserves {
		m[kwItems], m[kwProperties] = 0, 0
	}
	if m[kwItems] == 0 && p.is(m[kwType], `"array"`) || preserves && p.is(m[kwType], `"object"`) {
		m[kwType] = 0
	}
	if p.isNullable(int(m[kwAdditional])) {
		m[kwRequired] = 0
	}
}

func (p *publisher) isNullable(schema int) bool {
	return schema > 0 && p.isTrue(p.tape.Member(p.in, schema, "nullable"))
}

// member writes one keyword, if it is there and says something, and a comma.
func (p *publisher) member(kw keyword, m *members, at place, embeds bool) {
	switch kw {
	case kwProperties:
		p.properties(int(m[kw]), at, embeds)
		return
	case kwRequired:
		p.required(m, embeds)
		return
	case kwAnyOf, kwAllOf:
		if at != inValues && !p.v2 && p.isTrue(int(m[kwIntOrString])) && p.unfold(kw, m) {
			return
		}
	}
	i := int(m[kw])
	if i == 0 {
		return
	}
	text := p.tape.Text(p.in, i)
	if string(text) == "null" {
		return
	}
	switch kw.form() {
	case aText, aList:
		if len(text) == 2 { // empty
			return
		}
	case aFlag:
		if string(text) != "true" {
			return
		}
	case aSchema:
		if text[0] == '{' { // and not true or false
			p.name(kw)
			p.node(i, p.below(kw, at))
			p.out = append(p.out, ',')
			return
		}
	case someSchemas:
		if p.tape[i].Next > int32(i+1) {
			p.name(kw)
			p.out = append(p.out, '[')
			p.list(i)
			p.out = append(p.out, ']', ',')
		}
		return
	}
	p.name(kw)
	p.out = append(append(p.out, text...), ',')
}

func (p *publisher) below(kw keyword, at place) place {
	if at == inValues || kw == kwNot {
		return inValues
	}
	return inTree
}

func (p *publisher) name(kw keyword) {
	p.out = append(append(append(p.out, '"'), kw.name()...), '"', ':')
}

// list writes the elements of the list of schemas at i.
func (p *publisher) list(i int) {
	for e := i + 1; e < int(p.tape[i].Next); e = int(p.tape[e].Next) {
		if e > i+1 {
			p.out = append(p.out, ',')
		}
		p.node(e, inValues)
	}
}

// properties writes the members, those of an object that is a resource as Kubernetes describes them.
func (p *publisher) properties(i int, at place, embeds bool) {
	root := at == atRoot
	start := len(p.out)
	p.name(kwProperties)
	p.out = append(p.out, '{')
	empty := len(p.out)
	if i > 0 && p.in[p.tape[i].From] == '{' {
		for k := i + 1; k < int(p.tape[i].Next); k = int(p.tape[k+1].Next) {
			if (root || embeds) && isMeta(p.tape.Key(p.in, k)) {
				continue
			}
			p.out = append(append(p.out, p.tape.Text(p.in, k)...), ':')
			p.node(k+1, p.below(kwProperties, at))
			p.out = append(p.out, ',')
		}
	}
	if root || embeds {
		if embeds {
			const conventions = "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
			p.out = appendTypeMeta(p.out,
				"apiVersion defines the versioned schema of this representation of an object. "+conventions+"#resources",
				"kind is a string value representing the type of this object. In CamelCase. "+conventions+"#types-kinds")
		} else {
			p.out = AppendTypeMeta(p.out)
		}
		p.out = append(p.out, `,"metadata":`...)
		p.out = append(AppendMetadata(p.out, metav1.PartialObjectMetadata{}.SwaggerDoc()["metadata"], ObjectMetaName, p.v2), ',')
	}
	if len(p.out) == empty {
		p.out = p.out[:start]
		return
	}
	p.out[len(p.out)-1] = '}'
	p.out = append(p.out, ',')
}

func isMeta(name []byte) bool {
	return string(name) == "apiVersion" || string(name) == "kind" || string(name) == "metadata"
}

// required writes the names of members that must be there. In v2 these are never such that may be null.
func (p *publisher) required(m *members, embeds bool) {
	var names [][]byte
	has := func(name string) bool {
		return slices.ContainsFunc(names, func(n []byte) bool { return string(n) == name })
	}
	if i := int(m[kwRequired]); i > 0 {
		for e := i + 1; e < int(p.tape[i].Next); e = int(p.tape[e].Next) {
			name := p.tape.Text(p.in, e)
			if name[0] != '"' {
				continue
			}
			if p.v2 && m[kwProperties] > 0 && p.isNullable(p.property(int(m[kwProperties]), name)) {
				continue
			}
			names = append(names, name)
		}
	}
	if embeds {
		for _, name := range []string{`"kind"`, `"apiVersion"`} {
			if !has(name) {
				names = append(names, []byte(name))
			}
		}
	}
	if len(names) == 0 {
		return
	}
	p.name(kwRequired)
	p.out = append(p.out, '[')
	p.out = append(p.out, bytes.Join(names, []byte{','})...)
	p.out = append(p.out, ']', ',')
}

// property returns the schema of the property whose name is quoted, or -1.
func (p *publisher) property(i int, quoted []byte) int {
	return p.tape.Member(p.in, i, string(quoted[1:len(quoted)-1]))
}

const (
	either         = `[{"type":"integer"},{"type":"string"}]`
	eitherInstance = `"anyOf":` + either + `,`
)

// unfold spells out what x-kubernetes-int-or-string means, for readers that do not know it, in anyOf or in front of
// allOf. It returns false where nothing is to be done.
func (p *publisher) unfold(kw keyword, m *members) bool {
	some, all := int(m[kwAnyOf]), int(m[kwAllOf])
	spelled := some > 0 && p.spells(some)
	if all > 0 && p.tape[all].Next > int32(all+1) && !spelled {
		first := p.tape.Member(p.in, all+1, "anyOf")
		spelled = first > 0 && p.spells(first)
	}
	if spelled {
		return false
	}
	if some == 0 || p.tape[some].Next == int32(some+1) { // none, or empty
		if kw == kwAnyOf {
			p.out = append(p.out, eitherInstance...)
		}
		return kw == kwAnyOf
	}
	if kw == kwAnyOf {
		return false
	}
	p.out = append(p.out, `"allOf":[{"anyOf":`+either+`}`...)
	if all > 0 && p.tape[all].Next > int32(all+1) {
		p.out = append(p.out, ',')
		p.list(all)
	}
	p.out = append(p.out, ']', ',')
	return true
}

// spells says whether the list at i is exactly that of the types integer and string.
func (p *publisher) spells(i int) bool {
	want := []string{`"integer"`, `"string"`}
	n := 0
	for e := i + 1; e < int(p.tape[i].Next); e = int(p.tape[e].Next) {
		if n == 2 || p.in[p.tape[e].From] != '{' || int(p.tape[e].Next) != e+3 || string(p.tape.Key(p.in, e+1)) != "type" ||
			string(p.tape.Text(p.in, e+2)) != want[n] {
			return false
		}
		n++
	}
	return n == 2
}
