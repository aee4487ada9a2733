// Package jsonscan finds things in encoded JSON without decoding it. It allocates nothing but the strings it is
// asked for, reads each byte once, and never panics: malformed input ends a walk early, it is not diagnosed
// (whoever accepted the bytes has parsed them).
package jsonscan

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// Members yields the members of the object that b holds: the key between its quotes, as encoded, and the raw
// value without surrounding space. Nothing is yielded where b holds no object.
func Members(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		walk(b, 0, func(key []byte, from, to int) bool { return yield(key, b[from:to:to]) })
	}
}

// walk visits the members of the object that begins at b[i], if one does.
func walk(b []byte, i int, visit func(key []byte, from, to int) bool) {
	i = Space(b, i)
	if i >= len(b) || b[i] != '{' {
		return
	}
	i = Space(b, i+1)
	for i < len(b) && b[i] == '"' {
		end := skipString(b, i)
		if end < 0 {
			return
		}
		key := b[i+1 : end-1]
		i = Space(b, end)
		if i >= len(b) || b[i] != ':' {
			return
		}
		i = Space(b, i+1)
		end = Skip(b, i)
		if end < 0 || !visit(key, i, end) {
			return
		}
		i = Space(b, end)
		if i >= len(b) || b[i] != ',' {
			return
		}
		i = Space(b, i+1)
	}
}

// Elements yields the raw elements of the array that b holds, nothing where it holds none.
func Elements(b []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		i := Space(b, 0)
		if i >= len(b) || b[i] != '[' {
			return
		}
		i = Space(b, i+1)
		for i < len(b) && b[i] != ']' {
			end := Skip(b, i)
			if end < 0 || !yield(b[i:end:end]) {
				return
			}
			i = Space(b, end)
			if i >= len(b) || b[i] != ',' {
				return
			}
			i = Space(b, i+1)
		}
	}
}

// Index returns where the raw value at a path of member names stands: b[from:to]. from is -1 where there is none.
func Index(b []byte, path ...string) (from, to int) {
	to = len(b)
	for _, name := range path {
		at := from
		from = -1
		walk(b[:to], at, func(k []byte, f, t int) bool {
			if string(k) != name {
				return true
			}
			from, to = f, t
			return false
		})
		if from < 0 {
			return -1, -1
		}
	}
	return from, to
}

// Get returns the raw value at a path of member names, nil where there is none.
func Get(b []byte, path ...string) []byte {
	from, to := Index(b, path...)
	if from < 0 {
		return nil
	}
	return b[from:to:to]
}

// String decodes a raw JSON string; "" where raw is no string.
func String(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	body := raw[1 : len(raw)-1]
	if bytes.IndexByte(body, '\\') < 0 && utf8.Valid(body) {
		return string(body)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// Text is the value as a field selector compares it: the content of a string, the literal of a number or
// boolean, "" for null and for objects and arrays.
func Text(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		return String(raw)
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}

// Skip returns the index after the value that begins at b[i], or -1 where there is no whole value. Depth is not
// bounded by the stack: nesting is counted, not recursed into.
func Skip(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				if i = skipString(b, i); i < 0 {
					return -1
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	case ',', ':', '}', ']':
		return -1
	}
	start := i
	for i < len(b) && !delimiter[b[i]] {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// Deeper says whether objects and lists nest more than limit levels deep in b, which need not be JSON.
func Deeper(b []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			end := skipString(b, i)
			if end < 0 {
				return false
			}
			i = end - 1
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

var delimiter = [256]bool{',': true, '}': true, ']': true, ' ': true, '\n': true, '\t': true, '\r': true, ':': true}

// skipString returns the index after the closing quote of the string that opens at b[i], or -1.
func skipString(b []byte, i int) int {
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		end := i + n
		escapes := 0
		for end-escapes > i && b[end-escapes-1] == '\\' {
			escapes++
		}
		i = end + 1
		if escapes%2 == 0 {
			return i
		}
		// The quote is escaped; what was counted ends before it.
	}
}

// Space returns the index of the first byte from b[i] on that is no JSON space.
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
