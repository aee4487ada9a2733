package packed

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ordinary returns the index, from i on, of the first byte that is a quote, a backslash, a control character or not
// ASCII; len(b) where there is none. It looks at eight bytes at a time: in each mask below, the lowest byte whose high
// bit is set is one that was looked for.
func ordinary(b []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		if m := (w | (quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & high; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(b) && b[i] >= ' ' && b[i] < utf8.RuneSelf && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// unescape appends to dst what text, the content of a JSON string, stands for.
func unescape(dst, text []byte) ([]byte, bool) {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		if i+1 >= len(text) {
			return nil, false
		}
		if text[i+1] == 'u' {
			r, n := escapedRune(text[i:])
			if n == 0 {
				return nil, false
			}
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		c := escapes[text[i+1]]
		if c == 0 {
			return nil, false
		}
		dst = append(dst, c)
		i += 2
	}
	return dst, true
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escapedRune reads \uXXXX, or two of them that are one rune, and returns how long that is; 0 where there is none. Half
// a rune is the replacement character, as in encoding/json.
func escapedRune(text []byte) (rune, int) {
	r, ok := hex(text)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if second, ok := hex(text[6:]); ok {
		if whole := utf16.DecodeRune(r, second); whole != utf8.RuneError {
			return whole, 12
		}
	}
	return utf8.RuneError, 6
}

func hex(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 32)
	return rune(n), err == nil //nolint:gosec // four digits
}

// appendQuoted appends text as a JSON string.
func appendQuoted(dst []byte, text string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(dst, text[from:]...), '"')
}
