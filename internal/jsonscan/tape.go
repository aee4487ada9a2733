package jsonscan

import "bytes"

// Node is a value or a key in encoded JSON.
type Node struct {
	From, To int32 // where it stands: b[From:To], the quotes of strings and keys included
	Next     int32 // index of the node after this one and all that is inside it
}

// Tape is the structure of encoded JSON: the nodes in the order in which they begin, a key right before its value. With
// it, a reader can look ahead and come back at no cost, where Members and Get would scan again.
//
// The members of an object at i are keys at k = i+1, k = t[k+1].Next and so on until t[i].Next; the elements of an array
// begin at i+1, each at the Next of the one before.
type Tape []Node

// Parse appends the nodes of the one value that b holds to t, which may be nil or the memory of an earlier Tape cut to
// length zero. It returns false where b is not well-formed (literals are not looked at) or longer than 2 GiB.
func Parse(b []byte, t Tape) (Tape, bool) {
	if int64(len(b)) >= 1<<31 {
		return t, false
	}
	p := tapeParser{b: b, t: t}
	if !p.value(Space(b, 0)) {
		return p.t, false
	}
	for p.depth() > 0 {
		if !p.step() {
			return p.t, false
		}
	}
	return p.t, Space(b, p.at) == len(b)
}

// tapeParser keeps a stack of the objects and arrays that are open in place of recursion.
type tapeParser struct {
	b    []byte
	t    Tape
	at   int
	open []int32
	buf  [32]int32
}

func (p *tapeParser) depth() int { return len(p.open) }

// value notes the value that begins at i; of an object or array only that it is open.
func (p *tapeParser) value(i int) bool {
	if i >= len(p.b) {
		return false
	}
	switch p.b[i] {
	case '{', '[':
		if p.open == nil {
			p.open = p.buf[:0]
		}
		p.open = append(p.open, int32(len(p.t)))
		p.t = append(p.t, Node{From: int32(i)})
		p.at = i + 1
		return true
	case '"':
		return p.text(i)
	}
	end := Skip(p.b, i)
	if end < 0 {
		return false
	}
	p.t = append(p.t, Node{int32(i), int32(end), int32(len(p.t) + 1)})
	p.at = end
	return true
}

func (p *tapeParser) text(i int) bool {
	end := skipText(p.b, i)
	if end < 0 {
		return false
	}
	p.t = append(p.t, Node{int32(i), int32(end), int32(len(p.t) + 1)})
	p.at = end
	return true
}

// step reads the next member or element of the innermost open value, or closes it.
func (p *tapeParser) step() bool {
	top := p.open[len(p.open)-1]
	from := p.t[top].From
	closing := p.b[from] + 2 // of '{' and of '[' alike
	i := Space(p.b, p.at)
	if i >= len(p.b) {
		return false
	}
	if p.b[i] == closing {
		p.t[top].To, p.t[top].Next = int32(i+1), int32(len(p.t))
		p.open, p.at = p.open[:len(p.open)-1], i+1
		return true
	}
	if int(top) != len(p.t)-1 { // not the first
		if p.b[i] != ',' {
			return false
		}
		i = Space(p.b, i+1)
	}
	if closing == '}' {
		if i >= len(p.b) || p.b[i] != '"' || !p.text(i) {
			return false
		}
		i = Space(p.b, p.at)
		if i >= len(p.b) || p.b[i] != ':' {
			return false
		}
		i = Space(p.b, i+1)
	}
	return p.value(i)
}

// skipText is skipString for texts that may be long.
func skipText(b []byte, i int) int {
	for i++; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		end := i + n
		escapes := 0
		for end-escapes-1 >= i && b[end-escapes-1] == '\\' {
			escapes++
		}
		i = end + 1
		if escapes%2 == 0 {
			return i
		}
	}
	return -1
}

// Text returns what node i spells in b.
func (t Tape) Text(b []byte, i int) []byte { return b[t[i].From:t[i].To:t[i].To] }

// Key returns what the key at k spells between its quotes, as encoded.
func (t Tape) Key(b []byte, k int) []byte { return b[t[k].From+1 : t[k].To-1] }

// Member returns the node of the value of that name in the object at i, or -1.
func (t Tape) Member(b []byte, i int, name string) int {
	if b[t[i].From] != '{' {
		return -1
	}
	for k := i + 1; k < int(t[i].Next); k = int(t[k+1].Next) {
		if string(t.Key(b, k)) == name {
			return k + 1
		}
	}
	return -1
}
