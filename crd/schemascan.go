package crd

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

// The values that a schema is made of, as the schemaReader reads them.

func (r *schemaReader) strings() (out []string) {
	r.elements(func() { out = append(out, r.string()) })
	return out
}

// json reads any value, and returns it in canonical form.
func (r *schemaReader) json() apiextensionsv1.JSON {
	raw := r.raw()
	if r.bad {
		return apiextensionsv1.JSON{}
	}
	if raw[0] == '"' {
		r.i -= len(raw)
		return apiextensionsv1.JSON{Raw: resource.AppendString(nil, r.string())}
	}
	obj, strict, err := decodeStrict([]byte(`{"v":` + raw + `}`))
	if err != nil || len(strict) > 0 {
		r.bad = true
		return apiextensionsv1.JSON{}
	}
	r.size.add(obj["v"], 0, 1)
	out, err := resource.AppendValue(nil, obj["v"])
	r.bad = r.bad || err != nil
	return apiextensionsv1.JSON{Raw: out}
}

func (r *schemaReader) integer() *int64 {
	raw := r.raw()
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != raw { // JSON has no "+1" and no "01"
		r.bad = true
	}
	return &n
}

// exact is up to where every integer has a float64 of its own.
const exact = 1 << 53

func (r *schemaReader) number() *float64 {
	raw := r.raw()
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || !json.Valid([]byte(raw)) || math.Abs(f) >= exact {
		r.bad = true
	}
	return &f
}

func (r *schemaReader) bool() bool {
	switch r.raw() {
	case "true":
		return true
	case "false":
	default:
		r.bad = true
	}
	return false
}

// string reads a string, its escapes resolved.
func (r *schemaReader) string() string {
	from := r.i + 1
	if r.at() != '"' {
		r.bad = true
		return ""
	}
	plain := true
	for i := from; ; {
		if i += jsonscan.Plain(r.s[i:]); i == len(r.s) {
			break
		}
		switch c := r.s[i]; {
		case c == '"':
			r.i = i + 1
			return r.unescape(r.s[from:i], plain)
		case c < ' ':
			r.bad = true
			return ""
		case c == '\\' && i+1 < len(r.s):
			i++
		}
		plain = false
		i++
	}
	r.bad = true
	return ""
}

// unescape resolves what a string has between its quotes.
func (r *schemaReader) unescape(s string, plain bool) string {
	if plain {
		return s
	}
	if !utf8.ValidString(s) {
		r.bad = true
		return ""
	}
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for {
		n := strings.IndexByte(s, '\\')
		if n < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:n])
		if at := strings.IndexByte(escapes, s[n+1]); at >= 0 {
			b.WriteByte(escaped[at])
			s = s[n+2:]
			continue
		}
		var rest string // \u, and what is none
		if json.Unmarshal([]byte(`"`+s[n:]+`"`), &rest) != nil || strings.ContainsRune(rest, utf8.RuneError) {
			r.bad = true
		}
		b.WriteString(rest)
		return b.String()
	}
}

const (
	escapes = `"\/bfnrt`
	escaped = "\"\\/\b\f\n\r\t"
)

// raw goes over the value that begins here.
func (r *schemaReader) raw() string {
	from := r.i
	to := jsonscan.Skip(r.b, from)
	if to < 0 {
		r.bad = true
		return ""
	}
	r.i = to
	return r.s[from:to]
}

// members visits those of the object that begins here; visit has to go over their values.
func (r *schemaReader) members(visit func(name string)) {
	r.list('{', '}', func() {
		name := r.string()
		r.space()
		if r.at() != ':' {
			r.bad = true
			return
		}
		r.i++
		r.space()
		visit(name)
	})
}

func (r *schemaReader) elements(visit func()) { r.list('[', ']', visit) }

func (r *schemaReader) list(begin, end byte, visit func()) {
	if r.at() != begin {
		r.bad = true
		return
	}
	r.i++
	r.space()
	for !r.bad && r.at() != end {
		visit()
		r.space()
		if r.at() == ',' {
			r.i++
			r.space()
			r.bad = r.bad || r.at() == end
		} else if r.at() != end {
			r.bad = true
		}
	}
	r.i++
}

// at is the next byte, 0 where there is none.
func (r *schemaReader) at() byte {
	if r.i >= len(r.s) {
		return 0
	}
	return r.s[r.i]
}

func (r *schemaReader) space() { r.i = jsonscan.Space(r.b, r.i) }
