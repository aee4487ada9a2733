package packed

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// Packer makes Values of JSON. It is used by one goroutine at a time.
type Packer struct {
	Keys *Keys
	// DropManagedFields leaves out metadata.managedFields.
	DropManagedFields bool

	data []byte
	at   int
	out  []byte
	// ids has those of Keys that this packer has met, and follows what key came last after a key: objects of a kind
	// have the same keys in the same order, which makes most lookups a comparison.
	ids     map[string]uint32
	follows []uint32
	last    uint32
	names   []string
}

// Pack packs the JSON value in data, of which it keeps nothing. It returns false where it cannot: what is no JSON, or
// not UTF-8, or nested too deeply, or has a number that no float64 can hold.
func (p *Packer) Pack(data []byte) (Value, bool) {
	p.data, p.at, p.out = data, 0, p.out[:0]
	if p.ids == nil {
		p.ids = map[string]uint32{}
	}
	p.last, p.names = 0, p.Keys.names()
	p.space()
	ok := p.value(0, 0)
	p.space()
	ok = ok && p.at == len(data)
	p.data = nil
	if !ok {
		return "", false
	}
	v := Value(p.out)
	if cap(p.out) > 1<<20 {
		p.out = nil // one large object is no reason to keep so much
	}
	return v, true
}

func (p *Packer) space() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// eat takes c, after space, if it is next.
func (p *Packer) eat(c byte) bool {
	if p.at < len(p.data) && p.data[p.at] > ' ' && p.data[p.at] != c {
		return false
	}
	p.space()
	if p.at < len(p.data) && p.data[p.at] == c {
		p.at++
		return true
	}
	return false
}

// value packs the value at p.at, which is that of a member of a name; 0: of none, or one that has no number.
func (p *Packer) value(depth int, name uint32) bool {
	if p.at >= len(p.data) || depth > maxDepth {
		return false
	}
	switch p.data[p.at] {
	case '{':
		return p.object(depth, name)
	case '[':
		return p.array(depth)
	case '"':
		if name == keyAPIVersion || name == keyKind || name == keyNamespace {
			return p.interned()
		}
		return p.str()
	case 't':
		return p.literal("true", tagTrue)
	case 'f':
		return p.literal("false", tagFalse)
	case 'n':
		return p.literal("null", tagNull)
	default:
		return p.number()
	}
}

func (p *Packer) literal(text string, tag byte) bool {
	if !bytes.HasPrefix(p.data[p.at:], []byte(text)) {
		return false
	}
	p.at += len(text)
	p.out = append(p.out, tag)
	return true
}

// open begins a container, for close to fill in what it holds.
func (p *Packer) open(tag byte) (start int) {
	p.out = append(p.out, tag, 0, 0) // two bytes are enough for small ones
	return len(p.out)
}

func (p *Packer) close(start, count int) {
	var head [2 * binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(p.out)-start)) //nolint:gosec // a length
	n += binary.PutUvarint(head[n:], uint64(count))           //nolint:gosec // a length
	if more := n - 2; more > 0 {
		body := len(p.out) - start
		p.out = append(p.out, head[:more]...) // whatever: room
		copy(p.out[start+more:], p.out[start:start+body])
	}
	copy(p.out[start-2:], head[:n])
}

func (p *Packer) object(depth int, name uint32) bool {
	p.at++
	start, count := p.open(tagObject), 0
	for first := true; !p.eat('}'); first = false {
		if !first && !p.eat(',') {
			return false
		}
		p.space()
		from := len(p.out)
		key, ok := p.key()
		if !ok || !p.eat(':') {
			return false
		}
		p.space()
		if key == keyManagedFields && p.DropManagedFields && depth == 1 && name == keyMetadata {
			p.out = p.out[:from]
			if p.at = jsonscan.Skip(p.data, p.at); p.at < 0 {
				return false
			}
			continue
		}
		if !p.value(depth+1, key) {
			return false
		}
		count++
	}
	p.close(start, count)
	return true
}

func (p *Packer) array(depth int) bool {
	p.at++
	start, count := p.open(tagArray), 0
	for ; !p.eat(']'); count++ {
		if count > 0 && !p.eat(',') {
			return false
		}
		p.space()
		if !p.value(depth+1, 0) {
			return false
		}
	}
	p.close(start, count)
	return true
}

// key packs the name of a member and returns its number.
func (p *Packer) key() (uint32, bool) {
	from, to, plain := p.span()
	if to < 0 {
		return 0, false
	}
	text := p.data[from:to]
	if !plain {
		var ok bool
		if text, ok = unescape(nil, text); !ok {
			return 0, false
		}
	}
	id := p.id(text)
	p.out = binary.AppendUvarint(p.out, uint64(id))
	if id == 0 {
		p.appendString(text)
	}
	return id, true
}

// id is the number of a name, 0 where it has none.
func (p *Packer) id(text []byte) uint32 {
	for int(p.last) >= len(p.follows) {
		p.follows = append(p.follows, 0)
	}
	if guess := p.follows[p.last]; guess != 0 && p.names[guess] == string(text) {
		p.last = guess
		return guess
	}
	id, ok := p.ids[string(text)]
	if !ok {
		if id = p.Keys.add(text); id == 0 {
			return 0
		}
		p.ids[string(text)] = id
	}
	p.names = p.Keys.names()
	p.follows[p.last], p.last = id, id
	return id
}

// span finds the string at p.at, whose content is data[from:to], and moves behind it. plain: it stands for itself. to
// is negative where there is no string.
func (p *Packer) span() (from, to int, plain bool) {
	if p.at >= len(p.data) || p.data[p.at] != '"' {
		return 0, -1, false
	}
	from, plain = p.at+1, true
	ascii := true
	for i := ordinary(p.data, from); i < len(p.data); i = ordinary(p.data, i) {
		switch c := p.data[i]; {
		case c == '"':
			p.at = i + 1
			if !ascii && !utf8.Valid(p.data[from:i]) {
				return 0, -1, false
			}
			return from, i, plain
		case c == '\\':
			plain = false
			i += 2
		case c < ' ':
			return 0, -1, false
		default:
			ascii = false
			for i < len(p.data) && p.data[i] >= utf8.RuneSelf {
				i++
			}
		}
	}
	return 0, -1, false
}

func (p *Packer) str() bool {
	from, to, plain := p.span()
	if to < 0 {
		return false
	}
	text := p.data[from:to]
	if !plain {
		var ok bool
		if text, ok = unescape(nil, text); !ok {
			return false
		}
	}
	p.appendString(text)
	return true
}

func (p *Packer) appendString(text []byte) {
	if len(text) <= maxShort {
		p.out = append(p.out, byte(len(text)))
	} else {
		p.out = binary.AppendUvarint(append(p.out, tagLong), uint64(len(text)))
	}
	p.out = append(p.out, text...)
}

// interned packs a string that other objects are likely to have, too.
func (p *Packer) interned() bool {
	begin := p.at
	from, to, plain := p.span()
	if to > from && plain {
		if id := p.id(p.data[from:to]); id != 0 {
			p.out = binary.AppendUvarint(append(p.out, tagInterned), uint64(id))
			return true
		}
	}
	p.at = begin
	return p.str()
}

// number packs an integer that is written as strconv would as an int, anything else as its text.
func (p *Packer) number() bool {
	start := p.at
	for p.at < len(p.data) && isNumeric[p.data[p.at]] {
		p.at++
	}
	raw := p.data[start:p.at]
	if i, ok := integer(raw); ok {
		if i >= 0 && i <= maxSmall {
			p.out = append(p.out, tagSmall+byte(i))
		} else {
			p.out = binary.AppendVarint(append(p.out, tagInt), i)
		}
		return true
	}
	if len(raw) == 0 || !json.Valid(raw) {
		return false
	}
	if _, err := strconv.ParseFloat(string(raw), 64); err != nil {
		return false
	}
	p.out = binary.AppendUvarint(append(p.out, tagNumber), uint64(len(raw)))
	p.out = append(p.out, raw...)
	return true
}

// integer reads what has no leading zero and is not -0.
func integer(raw []byte) (n int64, ok bool) {
	digits := bytes.TrimPrefix(raw, []byte("-"))
	if len(digits) == 0 || digits[0] == '0' && len(raw) > 1 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0') // wrong beyond 18 digits
	}
	if len(digits) > 18 {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return n, err == nil
	}
	if len(digits) < len(raw) {
		n = -n
	}
	return n, true
}

var isNumeric = [256]bool{
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'-': true, '+': true, '.': true, 'e': true, 'E': true,
}
