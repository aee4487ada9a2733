package informer

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// parser decodes JSON objects into the shape of unstructured.Unstructured. It copies the text once, and keys and
// strings are parts of that copy, so that an object costs one allocation for all text, one or two for each map
// or list and one for each value. What it cannot parse goes to the ordinary decoder, whose errors count.
//
// It is used by one goroutine at a time.
type parser struct {
	keepManagedFields bool
	// detach gives each string its own memory: what a transform cuts off must not stay alive.
	detach bool

	text  string
	at    int
	stack []member // of the objects and lists that are being parsed
}

type member struct {
	key   string
	value any
}

// maxDepth of nesting, beyond which the ordinary decoder is asked.
const maxDepth = 500

// object decodes data, which holds one object. It keeps nothing of data.
func (p *parser) object(data []byte) (map[string]any, error) {
	cut := false
	p.text = ""
	if !p.keepManagedFields {
		if from, to := jsonscan.Index(data, "metadata", "managedFields"); from >= 0 {
			p.text = string(slices.Concat(data[:from], []byte("null"), data[to:]))
			cut = true
		}
	}
	if !cut {
		p.text = string(data)
	}
	content, ok := p.parse()
	if !ok {
		var err error
		if content, err = slowObject(data); err != nil {
			return nil, err
		}
	}
	if metadata, ok := content["metadata"].(map[string]any); ok && !p.keepManagedFields {
		delete(metadata, "managedFields")
	}
	return content, nil
}

func (p *parser) parse() (map[string]any, bool) {
	text := p.text
	defer func() {
		p.text = ""
		clear(p.stack[:cap(p.stack)])
		p.stack = p.stack[:0]
	}()
	if !utf8.ValidString(text) {
		return nil, false
	}
	p.at = 0
	p.stack = p.stack[:0]
	v, ok := p.value(0)
	p.space()
	content, isObject := v.(map[string]any)
	return content, ok && isObject && p.at == len(text)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// eat takes c, after space, if it is next.
func (p *parser) eat(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) value(depth int) (any, bool) {
	p.space()
	if p.at >= len(p.text) || depth > maxDepth {
		return nil, false
	}
	switch c := p.text[p.at]; c {
	case '{':
		return p.members(depth)
	case '[':
		return p.elements(depth)
	case '"':
		s, ok := p.str()
		return s, ok
	case 't':
		return true, p.literal("true")
	case 'f':
		return false, p.literal("false")
	case 'n':
		return nil, p.literal("null")
	default:
		return p.number()
	}
}

func (p *parser) literal(word string) bool {
	if !strings.HasPrefix(p.text[p.at:], word) {
		return false
	}
	p.at += len(word)
	return true
}

func (p *parser) members(depth int) (any, bool) {
	p.at++
	base := len(p.stack)
	if !p.eat('}') {
		for {
			p.space()
			key, ok := p.str()
			if !ok || !p.eat(':') {
				return nil, false
			}
			v, ok := p.value(depth + 1)
			if !ok {
				return nil, false
			}
			p.stack = append(p.stack, member{key, v})
			if p.eat(',') {
				continue
			}
			if p.eat('}') {
				break
			}
			return nil, false
		}
	}
	m := make(map[string]any, len(p.stack)-base)
	for _, e := range p.stack[base:] {
		m[e.key] = e.value
	}
	p.stack = p.stack[:base]
	return m, true
}

func (p *parser) elements(depth int) (any, bool) {
	p.at++
	base := len(p.stack)
	if !p.eat(']') {
		for {
			v, ok := p.value(depth + 1)
			if !ok {
				return nil, false
			}
			p.stack = append(p.stack, member{value: v})
			if p.eat(',') {
				continue
			}
			if p.eat(']') {
				break
			}
			return nil, false
		}
	}
	l := make([]any, len(p.stack)-base)
	for i, e := range p.stack[base:] {
		l[i] = e.value
	}
	p.stack = p.stack[:base]
	return l, true
}

// str parses the string that begins at p.at.
func (p *parser) str() (string, bool) {
	if p.at >= len(p.text) || p.text[p.at] != '"' {
		return "", false
	}
	start := p.at + 1
	for i := start; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.at = i + 1
			if p.detach {
				return strings.Clone(p.text[start:i]), true
			}
			return p.text[start:i], true
		case c == '\\':
			return p.escaped(start - 1)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// escaped parses the string that opens at from, which holds an escape.
func (p *parser) escaped(from int) (string, bool) {
	for i := from + 1; i < len(p.text); i++ {
		switch p.text[i] {
		case '\\':
			i++
		case '"':
			var s string
			p.at = i + 1
			err := json.Unmarshal([]byte(p.text[from:i+1]), &s)
			return s, err == nil
		}
	}
	return "", false
}

// number parses an integer into int64, anything else, and what does not fit, into float64.
func (p *parser) number() (any, bool) {
	start := p.at
	integer := true
scan:
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case '0' <= c && c <= '9', c == '-' && p.at == start:
		case c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-':
			integer = false
		default:
			break scan
		}
	}
	raw := p.text[start:p.at]
	if integer && isInteger(raw) {
		if i, err := strconv.ParseInt(raw, 10, 64); err == nil {
			return i, true
		}
	}
	if !json.Valid([]byte(raw)) {
		return nil, false
	}
	f, err := strconv.ParseFloat(raw, 64)
	return f, err == nil
}

// isInteger: JSON knows no leading zeros.
func isInteger(raw string) bool {
	digits := strings.TrimPrefix(raw, "-")
	return digits == "0" || digits != "" && digits[0] != '0'
}
