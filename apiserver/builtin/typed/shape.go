package typed

import (
	"encoding/json"
	"fmt"
	"iter"
	"sort"
	"strings"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
)

// kind of values that a shape admits.
type kind uint8

const (
	anything kind = iota // kept as it is: RawExtension, FieldsV1, JSON
	object               // of named fields
	mapping              // of string keys to elem
	list                 // of elem
	text
	int32s
	int64s
	float
	boolean
	base64Bytes
	timestamp      // metav1.Time: whole seconds, UTC
	microTimestamp // metav1.MicroTime
	duration       // metav1.Duration
	quantity
	intOrString
)

// wellKnown are the models whose JSON form is not that of their Go structure.
var wellKnown = map[string]kind{
	"io.k8s.apimachinery.pkg.apis.meta.v1.Time":       timestamp,
	"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime":  microTimestamp,
	"io.k8s.apimachinery.pkg.apis.meta.v1.Duration":   duration,
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   quantity,
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": intOrString,
}

// shape is a compiled model, or a type inside one. It is immutable once the Compiler has returned it.
type shape struct {
	kind   kind
	fields map[string]*fieldShape // of an object
	elem   *shape                 // of a mapping or list
	enum   []string               // of a text, sorted; nil: any

	always    []*fieldShape // the fields with a default
	recurse   []*fieldShape // the fields whose values have something to fill in
	checked   []*fieldShape // the fields whose values have an enum
	defaulter Defaulter
	// fills: there is something to fill in here or below. enumerates: there is an enum here or below.
	fills, enumerates bool
}

// fieldShape is a field of an object.
type fieldShape struct {
	name  string
	shape *shape
	// omitted: the zero value is left out of the encoding.
	omitted bool
	// value is the default: for most the Go zero value that is always written ({}, "", 0, false; nil for a time).
	value      any
	hasDefault bool
}

// byName yields the fields in alphabetical order.
func (s *shape) byName() iter.Seq2[string, *fieldShape] {
	return func(yield func(string, *fieldShape) bool) {
		names := make([]string, 0, len(s.fields))
		for name := range s.fields {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			if !yield(name, s.fields[name]) {
				return
			}
		}
	}
}

// source is what a shape is compiled from: the part of an OpenAPI schema that matters here.
type source struct {
	Type                 string            `json:"type"`
	Format               string            `json:"format"`
	Ref                  string            `json:"$ref"`
	AllOf                []source          `json:"allOf"`
	Properties           map[string]source `json:"properties"`
	Items                *source           `json:"items"`
	AdditionalProperties *source           `json:"additionalProperties"`
	Default              json.RawMessage   `json:"default"`
	Enum                 []string          `json:"enum"`
}

// compile returns the shape of a model and of all that it refers to.
func (c *Compiler) compile(model string) *shape {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.model(model)
	for c.propagate() {
	}
	c.fresh = nil
	return s
}

// model requires mu.
func (c *Compiler) model(name string) *shape {
	if s := c.shapes[name]; s != nil {
		return s
	}
	s := &shape{}
	c.fresh = append(c.fresh, s)
	c.shapes[name] = s // before its fields, which may refer to it
	if k, ok := wellKnown[name]; ok {
		s.kind = k
		return s
	}
	e, ok := c.models.Entry(name)
	if !ok {
		panic(fmt.Sprintf("typed: no model %s", name)) // the generated data is incomplete
	}
	var src source
	if err := json.Unmarshal(e.Schema, &src); err != nil {
		return s // a model outside the common form (JSONSchemaPropsOrBool): anything
	}
	if len(src.Properties) == 0 {
		return s
	}
	s.kind, s.fields, s.defaulter = object, make(map[string]*fieldShape, len(src.Properties)), c.defaulters[name]
	for field, p := range src.Properties {
		s.fields[field] = c.field(field, &p)
	}
	for _, field := range e.Zero {
		if f := s.fields[field]; f != nil {
			f.omitted = true
		}
	}
	for _, field := range e.Null {
		if f := s.fields[field]; f != nil {
			f.hasDefault = true
		}
	}
	return s
}

func (c *Compiler) field(name string, src *source) *fieldShape {
	f := &fieldShape{name: name, shape: c.inline(src)}
	if src.Default != nil {
		f.hasDefault = true
		if err := json.Unmarshal(src.Default, &f.value); err != nil {
			panic(fmt.Sprintf("typed: default of %s: %v", name, err))
		}
		if n, ok := f.value.(float64); ok && f.shape.kind != float {
			f.value = int64(n)
		}
	}
	return f
}

// inline requires mu. It compiles a schema that stands inside a model.
func (c *Compiler) inline(src *source) *shape {
	if len(src.AllOf) == 1 {
		return c.model(strings.TrimPrefix(src.AllOf[0].Ref, models.RefPrefix))
	}
	if src.Ref != "" {
		return c.model(strings.TrimPrefix(src.Ref, models.RefPrefix))
	}
	s := &shape{}
	switch src.Type {
	case "object":
		if src.AdditionalProperties != nil {
			s.kind, s.elem = mapping, c.inline(src.AdditionalProperties)
		}
	case "array":
		s.kind, s.elem = list, c.inline(src.Items)
	case "string":
		s.kind, s.enum = text, src.Enum
		if src.Format == "byte" {
			s.kind = base64Bytes
		}
	case "integer":
		s.kind = int64s
		if src.Format == "int32" {
			s.kind = int32s
		}
	case "number":
		s.kind = float
	case "boolean":
		s.kind = boolean
	}
	// Inline shapes take part in propagate through the fields that hold them.
	return s
}

// propagate requires mu. It carries fills and enumerates one step up, and says whether that changed anything; models
// refer to each other in circles, so it is repeated until nothing does.
func (c *Compiler) propagate() bool {
	changed := false
	for _, s := range c.fresh {
		if s.kind == object && s.refresh() {
			changed = true
		}
	}
	return changed
}

func (s *shape) refresh() bool {
	fills, enumerates := s.defaulter != nil, false
	s.always, s.recurse, s.checked = nil, nil, nil
	for _, f := range s.byName() {
		f.shape.inherit()
		if f.hasDefault {
			s.always = append(s.always, f)
			fills = true
		}
		if f.shape.fills {
			s.recurse = append(s.recurse, f)
			fills = true
		}
		if f.shape.enumerates {
			s.checked = append(s.checked, f)
			enumerates = true
		}
	}
	changed := fills != s.fills || enumerates != s.enumerates
	s.fills, s.enumerates = fills, enumerates
	return changed
}

// inherit takes over the marks of a mapping's or list's elements.
func (s *shape) inherit() {
	switch s.kind {
	case mapping, list:
		s.elem.inherit()
		s.fills, s.enumerates = s.elem.fills, s.elem.enumerates
	case text:
		s.enumerates = s.enum != nil
	}
}
