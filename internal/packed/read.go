package packed

import (
	"iter"
	"strconv"
	"strings"
)

// reader reads a Value from i on.
type reader struct {
	names []string
	s     string
	i     int
	clone bool
	heap  int // that the decoded values take, about; see size.go
}

func (r *reader) uvarint() int {
	var n uint64
	for shift := 0; ; shift += 7 {
		c := r.s[r.i]
		r.i++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int(n) //nolint:gosec // a length, or the number of a key
		}
	}
}

func (r *reader) varint() int64 {
	var n uint64
	for shift := 0; ; shift += 7 {
		c := r.s[r.i]
		r.i++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int64(n>>1) ^ -int64(n&1) //nolint:gosec // zigzag
		}
	}
}

// take returns the next n bytes.
func (r *reader) take(n int) string {
	r.i += n
	return r.s[r.i-n : r.i]
}

// text reads a string, whose tag was read.
func (r *reader) text(tag byte) string {
	var s string
	switch {
	case tag == tagInterned:
		return r.names[r.uvarint()]
	case tag <= maxShort:
		s = r.take(int(tag))
	default:
		s = r.take(r.uvarint())
	}
	if r.clone {
		s = strings.Clone(s)
		r.heap += len(s)
	}
	return s
}

func (r *reader) key() string {
	if id := r.uvarint(); id != 0 {
		return r.names[id]
	}
	return r.text(r.tag())
}

func (r *reader) tag() byte {
	r.i++
	return r.s[r.i-1]
}

// skip moves behind the value.
func (r *reader) skip() {
	switch tag := r.tag(); {
	case tag <= maxShort:
		r.i += int(tag)
	case tag == tagInt:
		r.varint()
	case tag == tagNumber, tag == tagLong:
		n := r.uvarint()
		r.i += n
	case tag == tagInterned:
		r.uvarint()
	case tag == tagObject, tag == tagArray:
		n := r.uvarint()
		r.uvarint()
		r.i += n
	}
}

func (r *reader) value() any {
	switch tag := r.tag(); {
	case tag <= maxShort, tag == tagLong, tag == tagInterned:
		r.heap += stringSize
		return r.text(tag)
	case tag >= tagSmall:
		return int64(tag - tagSmall)
	case tag == tagTrue, tag == tagFalse:
		return tag == tagTrue
	case tag == tagInt:
		r.heap += numberSize
		return r.varint()
	case tag == tagNumber:
		r.heap += numberSize
		return number(r.take(r.uvarint()))
	case tag == tagObject:
		r.uvarint()
		n := r.uvarint()
		r.heap += mapSize(n)
		m := make(map[string]any, n)
		for range n {
			key := r.key()
			m[key] = r.value()
		}
		return m
	case tag == tagArray:
		r.uvarint()
		l := make([]any, r.uvarint())
		r.heap += sliceSize + anySize*len(l)
		for i := range l {
			l[i] = r.value()
		}
		return l
	default:
		return nil
	}
}

// number is what Kubernetes makes of one: int64 where it is an integer that fits.
func number(text string) any {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	f, _ := strconv.ParseFloat(text, 64) // Pack has tried
	return f
}

// Decode makes the decoded value: map[string]any, []any, string, int64, float64, bool or nil. It is the caller's. Its
// strings are parts of v, which stays in memory with any of them.
func (k *Keys) Decode(v Value) any {
	value, _ := k.DecodeSized(v, false)
	return value
}

// DecodeSized is Decode, and tells about how many bytes of memory the value takes, those of v included. Where detached,
// each string has memory of its own.
func (k *Keys) DecodeSized(v Value, detached bool) (value any, size int) {
	r := reader{names: k.names(), s: string(v), clone: detached}
	value = r.value()
	if !detached {
		r.heap += len(v)
	}
	return value, r.heap
}

// AppendJSON appends v as JSON, members in the order in which they were packed.
func (k *Keys) AppendJSON(dst []byte, v Value) []byte {
	r := reader{names: k.names(), s: string(v)}
	return r.json(dst)
}

func (r *reader) json(dst []byte) []byte {
	switch tag := r.tag(); {
	case tag <= maxShort, tag == tagLong, tag == tagInterned:
		return appendQuoted(dst, r.text(tag))
	case tag >= tagSmall:
		return strconv.AppendInt(dst, int64(tag-tagSmall), 10)
	case tag == tagTrue:
		return append(dst, "true"...)
	case tag == tagFalse:
		return append(dst, "false"...)
	case tag == tagInt:
		return strconv.AppendInt(dst, r.varint(), 10)
	case tag == tagNumber:
		return append(dst, r.take(r.uvarint())...)
	case tag == tagObject:
		r.uvarint()
		dst = append(dst, '{')
		for i := range r.uvarint() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, r.key()), ':')
			dst = r.json(dst)
		}
		return append(dst, '}')
	case tag == tagArray:
		r.uvarint()
		dst = append(dst, '[')
		for i := range r.uvarint() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = r.json(dst)
		}
		return append(dst, ']')
	default:
		return append(dst, "null"...)
	}
}

// Members yields the names and values of an object, in the order in which they were packed; nothing where v is none.
func (k *Keys) Members(v Value) iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		r := reader{names: k.names(), s: string(v)}
		if len(v) == 0 || r.tag() != tagObject {
			return
		}
		r.uvarint()
		for range r.uvarint() {
			key, from := r.key(), r.i
			r.skip()
			if !yield(key, v[from:r.i]) {
				return
			}
		}
	}
}

// Elements yields the elements of an array; nothing where v is none.
func (k *Keys) Elements(v Value) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		r := reader{names: k.names(), s: string(v)}
		if len(v) == 0 || r.tag() != tagArray {
			return
		}
		r.uvarint()
		for range r.uvarint() {
			from := r.i
			r.skip()
			if !yield(v[from:r.i]) {
				return
			}
		}
	}
}

// Find returns the value at a path of member names; "" where there is none. It reads no more than it must, and
// allocates nothing.
func (k *Keys) Find(v Value, path ...string) Value {
	r := reader{names: k.names(), s: string(v)}
next:
	for _, name := range path {
		if r.i >= len(r.s) || r.tag() != tagObject {
			return ""
		}
		r.uvarint()
		for range r.uvarint() {
			if r.key() == name {
				continue next
			}
			r.skip()
		}
		return ""
	}
	from := r.i
	r.skip()
	return v[from:r.i]
}

// Text is a string that v holds; "" where it is no string.
func (k *Keys) Text(v Value) string {
	if len(v) == 0 {
		return ""
	}
	r := reader{names: k.names(), s: string(v)}
	if tag := r.tag(); tag <= maxShort || tag == tagLong || tag == tagInterned {
		return r.text(tag)
	}
	return ""
}

// Int is an integer that v holds; 0 where it is none.
func (k *Keys) Int(v Value) int64 {
	if len(v) == 0 {
		return 0
	}
	n, _ := k.Decode(v).(int64)
	return n
}
