package openapi

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// protoType is how JSON values of one type are written in protobuf. The types of a document are made once per process, as
// tables that are read beside gnostic's .proto files, and never change.
type protoType struct {
	form  protoForm
	first string     // values begin with one of these characters; "": with any
	elem  *protoType // of a list
	// An object's fields are for its members, by the length of the name, which tells most apart. Members that have none are
	// written as others: messages of a name (1) and a value (2), which gnostic's maps and extensions consist of.
	fields []protoFields
	others protoField // without a type: those are left out
	// A oneof's message has one field for the whole value: the first of these that is for what its member by says, and of whose
	// type it is.
	oneof protoFields
	by    string // "": no member matters
}

type protoForm uint8

const (
	protoObject protoForm = iota
	protoOneof
	protoList // a field for each element
	protoAny  // gnostic keeps YAML; JSON is that
	protoText
	protoFlag
	protoNumber
	protoInteger
)

type protoFields []protoField

// protoField is a field of a message.
type protoField struct {
	// In an object, name is the member's, or "*" for all that have no field. In a oneof it is the JSON that the member by has to
	// be: "*" for any, "" where there has to be none.
	name   string
	number protowire.Number
	as     *protoType
}

// What tables are made of.
var (
	asText    = &protoType{form: protoText, first: `"`}
	asTexts   = &protoType{form: protoList, elem: asText}
	asFlag    = &protoType{form: protoFlag, first: "tf"}
	asNumber  = &protoType{form: protoNumber, first: "-0123456789"}
	asInteger = &protoType{form: protoInteger}
	asAny     = &protoType{form: protoAny}
)

func asList(elem *protoType) *protoType { return &protoType{form: protoList, elem: elem} }

func asOneof(by string, fields protoFields) *protoType {
	return &protoType{form: protoOneof, by: by, oneof: fields}
}

// asOnly is a message with one field, for the whole value.
func asOnly(number protowire.Number, as *protoType) *protoType {
	return asOneof("", protoFields{{"", number, as}})
}

// asMap is an object whose members are all written as one field.
func asMap(number protowire.Number, value *protoType) *protoType {
	return asObject(protoFields{{"*", number, value}})
}

func asObject(fields ...protoFields) *protoType {
	t := &protoType{}
	for _, f := range slices.Concat(fields...) {
		if f.name == "*" {
			t.others = f
			continue
		}
		for len(t.fields) <= len(f.name) {
			t.fields = append(t.fields, nil)
		}
		t.fields[len(f.name)] = append(t.fields[len(f.name)], f)
	}
	return t
}

// protoWriter writes values that tape finds in a document.
type protoWriter struct {
	in   []byte
	tape jsonscan.Tape
}

// field appends the value at i as a field, or as several if it is a list.
func (w *protoWriter) field(b []byte, number protowire.Number, as *protoType, i int) []byte {
	text := w.tape.Text(w.in, i)
	switch as.form {
	case protoList:
		for e := i + 1; e < int(w.tape[i].Next); e = int(w.tape[e].Next) {
			b = w.field(b, number, as.elem, e)
		}
		return b
	case protoFlag:
		yes := string(text) == "true"
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), protowire.EncodeBool(yes))
	case protoInteger:
		n, _ := strconv.ParseInt(string(text), 10, 64)
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(n))
	case protoNumber:
		n, _ := strconv.ParseFloat(string(text), 64)
		return protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), math.Float64bits(n))
	}
	b, at := beginField(b, number, len(text))
	switch as.form {
	case protoText:
		b = jsonscan.AppendText(b, text)
	case protoAny:
		b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), text)
	case protoOneof:
		if f := w.choose(as, i); f != nil {
			b = w.field(b, f.number, f.as, i)
		}
	default:
		b = w.members(b, as, i)
	}
	return endField(b, at, len(text))
}

// members appends the fields of the object at i.
func (w *protoWriter) members(b []byte, t *protoType, i int) []byte {
	if w.in[w.tape[i].From] != '{' {
		return b
	}
	for k := i + 1; k < int(w.tape[i].Next); k = int(w.tape[k+1].Next) {
		switch f := t.field(w.tape.Key(w.in, k)); {
		case f != &t.others:
			b = w.field(b, f.number, f.as, k+1)
		case f.as != nil:
			size := int(w.tape[k+1].To - w.tape[k].From)
			var at int
			b, at = beginField(b, f.number, size)
			b = w.field(b, 1, asText, k)
			b = endField(w.field(b, 2, f.as, k+1), at, size)
		}
	}
	return b
}

// field returns the field for a member.
func (t *protoType) field(name []byte) *protoField {
	if len(name) < len(t.fields) {
		for i := range t.fields[len(name)] {
			if f := &t.fields[len(name)][i]; f.name == string(name) {
				return f
			}
		}
	}
	return &t.others
}

// choose returns the field of a oneof that the value at i is, nil for none.
func (w *protoWriter) choose(t *protoType, i int) *protoField {
	var says []byte
	if t.by != "" {
		if at := w.tape.Member(w.in, i, t.by); at > 0 {
			says = w.tape.Text(w.in, at)
		}
	}
	first := w.in[w.tape[i].From]
	for c := range t.oneof {
		f := &t.oneof[c]
		if (f.name == string(says) || f.name == "*" && says != nil) && (f.as.first == "" || strings.IndexByte(f.as.first, first) >= 0) {
			return f
		}
	}
	return nil
}

// beginField begins a field of bytes. These are appended until endField, which is told the same guess of how many they are.
func beginField(b []byte, number protowire.Number, guess int) (_ []byte, start int) {
	if number < 1<<4 && guess < 1<<7 { // a byte each
		b = append(b, byte(number)<<3|byte(protowire.BytesType), 0)
		return b, len(b)
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(guess))
	return b, len(b)
}

// endField writes how many bytes there are in place of the guess. Only if that takes another number of bytes, they move.
func endField(b []byte, start, guess int) []byte {
	n := len(b) - start
	if n < 1<<7 && guess < 1<<7 {
		b[start-1] = byte(n)
		return b
	}
	at := start - protowire.SizeVarint(uint64(guess))
	var room [binary.MaxVarintLen64]byte
	size := protowire.AppendVarint(room[:0], uint64(n))
	if len(size) == start-at {
		copy(b[at:], size)
		return b
	}
	return slices.Replace(b, at, start, size...)
}
