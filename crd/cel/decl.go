package cel

import (
	"github.com/google/cel-go/cel"

	"github.com/keelson-project/keelson/crd/schema"
)

// Sizes are in bytes of JSON. maxRequest is that of the largest request that is assumed; it is part of the formula
// of estimated costs and does not follow the server's real limit.
const (
	maxRequest     = int64(3 << 20)
	minText        = 2  // ""
	minBool        = 4  // true
	minNumber      = 1  // 0
	minDuration    = 3  // "0"
	dateSize       = 12 // "2006-01-02"
	minDateTime    = 21 // "2006-01-02T15:04:05Z", by kube-apiserver's count
	maxTime        = 32 // of durations and date-times
	minCollection  = 2  // {} or []
	memberOverhead = 4  // "":,
)

// decl is what compilation knows of the values of a schema: their CEL type, and bounds of their size. fields are by
// escaped name.
type decl struct {
	simple      *cel.Type // nil for lists, maps and objects
	fields      map[string]*decl
	values      *decl // of a map, whose keys are strings
	items       *decl // of a list
	maxElements int64 // characters, items or members
	minSize     int64

	known bool // fingerprint is
	fingerprint
}

// exposed says whether rules see values of s at all: newDecl has a declaration for it.
func exposed(s *schema.Schema) bool {
	switch {
	case s == nil:
		return false
	case s.IntOrString:
		return true
	}
	switch s.Type {
	case "array":
		return exposed(s.Items)
	case "object":
		return s.Additional == nil || exposed(s.Additional)
	case "string", "boolean", "number", "integer":
		return true
	}
	return false
}

// newDecl declares s, which visible has prepared. It returns nil for values that rules do not see: those of unknown
// type, and lists and maps of them.
func newDecl(s *schema.Schema) *decl {
	if !exposed(s) {
		return nil
	}
	if s.IntOrString {
		return &decl{simple: cel.DynType, minSize: 1, maxElements: textLimit(s, maxRequest-minText)}
	}
	switch s.Type {
	case "array":
		items := newDecl(s.Items)
		d := &decl{items: items, minSize: minCollection, maxElements: (maxRequest - minCollection) / (items.minSize + 1)}
		if s.MaxItems != nil {
			d.maxElements = max(0, *s.MaxItems)
		}
		return d
	case "object":
		if s.Additional != nil {
			return mapDecl(s)
		}
		return objectDecl(s)
	case "string":
		return textDecl(s)
	case "boolean":
		return &decl{simple: cel.BoolType, minSize: minBool}
	case "number":
		return &decl{simple: cel.DoubleType, minSize: minNumber}
	}
	return &decl{simple: cel.IntType, minSize: minNumber}
}

func mapDecl(s *schema.Schema) *decl {
	values := newDecl(s.Additional)
	// A member has a key of two bytes at least, a colon, a comma, and quotes.
	d := &decl{values: values, minSize: minCollection, maxElements: (maxRequest - minCollection) / (values.minSize + 6)}
	if s.MaxProperties != nil {
		d.maxElements = max(0, *s.MaxProperties)
	}
	return d
}

func objectDecl(s *schema.Schema) *decl {
	d := &decl{fields: make(map[string]*decl, len(s.Properties)), minSize: minCollection}
	for name, p := range s.Properties {
		if f := newDecl(p); f != nil {
			if identifier, ok := escape(name); ok {
				d.fields[identifier] = f
			}
		}
	}
	for i, name := range s.Required {
		p := s.Properties[name]
		if p == nil || p.Default != nil || contains(s.Required[:i], name) {
			continue
		}
		if identifier, ok := escape(name); ok && d.fields[identifier] != nil {
			d.minSize += int64(len(name)) + d.fields[identifier].minSize + memberOverhead
		} else if f := newDecl(p); f != nil {
			d.minSize += int64(len(name)) + f.minSize + memberOverhead
		}
	}
	return d
}

func textDecl(s *schema.Schema) *decl {
	switch s.Format {
	case "byte":
		d := &decl{simple: cel.BytesType, minSize: minText, maxElements: maxRequest - minText}
		if s.MaxLength != nil {
			d.maxElements = max(0, *s.MaxLength)
		}
		return d
	case "duration":
		return &decl{simple: cel.DurationType, minSize: minDuration, maxElements: maxTime}
	case "date":
		return &decl{simple: cel.TimestampType, minSize: dateSize, maxElements: dateSize}
	case "date-time":
		return &decl{simple: cel.TimestampType, minSize: minDateTime, maxElements: maxTime}
	}
	unbounded := maxRequest - minText
	if len(s.Enum) > 0 {
		unbounded = 0
		for _, v := range s.Enum {
			if text, ok := v.(string); ok {
				unbounded = max(unbounded, int64(len(text)))
			}
		}
	}
	return &decl{simple: cel.StringType, minSize: minText, maxElements: textLimit(s, unbounded)}
}

// textLimit is in bytes: maxLength counts characters, which may have four.
func textLimit(s *schema.Schema, unbounded int64) int64 {
	if s.MaxLength != nil {
		return max(0, *s.MaxLength) * 4
	}
	return unbounded
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
