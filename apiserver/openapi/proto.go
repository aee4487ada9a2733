package openapi

import (
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// protoSink writes the document in the protobuf form that gnostic defines (openapi.v2.Document). Its parts are messages
// that protobuf merges: a field of a message may be written in several pieces, so that none must be known as a whole.
type protoSink struct {
	w    io.Writer
	b    []byte
	tape jsonscan.Tape
}

// Fields of openapi.v2.Document.
const (
	docSwagger             = 1
	docInfo                = 2
	docPaths               = 8
	docDefinitions         = 9
	docParameters          = 10
	docSecurity            = 12
	docSecurityDefinitions = 13
)

func (s *protoSink) flush() error {
	_, err := s.w.Write(s.b)
	s.b = s.b[:0]
	return err
}

func (s *protoSink) begin(title, version string) error {
	b, info := beginMessage(appendText(s.b, docSwagger, "2.0"), docInfo)
	s.b = endMessage(appendText(appendText(b, 1, title), 2, version), info)
	return s.flush()
}

// members writes one piece of a field that holds named messages: field{element{1: name, 2: value}...}.
func (s *protoSink) members(object []byte, field, element protowire.Number, value func(w *protoWriter, b []byte, i int) []byte) error {
	var ok bool
	if s.tape, ok = jsonscan.Parse(object, s.tape[:0]); !ok || len(s.tape) < 2 {
		return nil
	}
	w := &protoWriter{object, s.tape}
	b, all := beginMessage(s.b, field)
	b = w.named(b, 0, element, value)
	s.b = endMessage(b, all)
	return s.flush()
}

func (s *protoSink) paths(object []byte) error {
	return s.members(object, docPaths, 2, (*protoWriter).pathItem)
}

func (s *protoSink) definitions(object []byte) error {
	return s.members(object, docDefinitions, 1, (*protoWriter).schema)
}

func (s *protoSink) parameters(object []byte) error {
	return s.members(object, docParameters, 1, (*protoWriter).parameter)
}

func (s *protoSink) end() error {
	b, security := beginMessage(s.b, docSecurity)
	b, item := beginMessage(b, 1)
	b, none := beginMessage(appendText(b, 1, "BearerToken"), 2)
	b = endMessage(endMessage(endMessage(b, none), item), security)

	b, definitions := beginMessage(b, docSecurityDefinitions)
	b, named := beginMessage(b, 1)
	b, value := beginMessage(appendText(b, 1, "BearerToken"), 2)
	b, key := beginMessage(b, 2) // ApiKeySecurity
	b = appendText(appendText(appendText(appendText(b, 1, "apiKey"), 2, "authorization"), 3, "header"), 4, "Bearer Token authentication")
	s.b = endMessage(endMessage(endMessage(endMessage(b, key), value), named), definitions)
	return s.flush()
}

// beginMessage begins a field that is a message; what is appended until endMessage(b, start) is inside it.
func beginMessage(b []byte, field protowire.Number) (_ []byte, start int) {
	b = append(protowire.AppendTag(b, field, protowire.BytesType), 0)
	return b, len(b)
}

func endMessage(b []byte, start int) []byte {
	n := len(b) - start
	size := protowire.SizeVarint(uint64(n))
	if size > 1 { // one byte was left for it
		b = append(b, make([]byte, size-1)...)
		copy(b[start+size-1:], b[start:start+n])
	}
	protowire.AppendVarint(b[start-1:start-1], uint64(n))
	return b
}

func appendText(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

// protoWriter writes parts of a document in v2 form, which tape and in describe, as messages. Its methods write the
// fields of the message that the value at i is.
type protoWriter struct {
	in   []byte
	tape jsonscan.Tape
}

// each calls f with the key and the node of each member of the object at i.
func (w *protoWriter) each(i int, f func(key []byte, value int)) {
	if w.in[w.tape[i].From] != '{' {
		return
	}
	for k := i + 1; k < int(w.tape[i].Next); k = int(w.tape[k+1].Next) {
		f(w.tape.Key(w.in, k), k+1)
	}
}

// named writes the members of the object at i as messages with a name and a value.
func (w *protoWriter) named(b []byte, i int, field protowire.Number, value func(w *protoWriter, b []byte, i int) []byte) []byte {
	w.each(i, func(_ []byte, v int) {
		var item, at int
		b, item = beginMessage(b, field)
		b, at = beginMessage(w.text(b, 1, v-1), 2)
		b = endMessage(endMessage(value(w, b, v), at), item)
	})
	return b
}

// list writes the elements of the list at i.
func (w *protoWriter) list(i int, f func(element int)) {
	for e := i + 1; e < int(w.tape[i].Next); e = int(w.tape[e].Next) {
		f(e)
	}
}

func (w *protoWriter) texts(b []byte, field protowire.Number, i int) []byte {
	w.list(i, func(e int) { b = w.text(b, field, e) })
	return b
}

// text writes the string at i.
func (w *protoWriter) text(b []byte, field protowire.Number, i int) []byte {
	b, at := beginMessage(b, field)
	return endMessage(jsonscan.AppendText(b, w.tape.Text(w.in, i)), at)
}

func (w *protoWriter) flag(b []byte, field protowire.Number, i int) []byte {
	yes := string(w.tape.Text(w.in, i)) == "true"
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), protowire.EncodeBool(yes))
}

func (w *protoWriter) number(b []byte, field protowire.Number, i int) []byte {
	f, _ := strconv.ParseFloat(string(w.tape.Text(w.in, i)), 64)
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), math.Float64bits(f))
}

func (w *protoWriter) integer(b []byte, field protowire.Number, i int) []byte {
	n, _ := strconv.ParseInt(string(w.tape.Text(w.in, i)), 10, 64)
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(n))
}

// any writes a value of any kind, which gnostic keeps as YAML. JSON is YAML.
func (w *protoWriter) any(b []byte, field protowire.Number, i int) []byte {
	b, at := beginMessage(b, field)
	b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), w.tape.Text(w.in, i))
	return endMessage(b, at)
}

func (w *protoWriter) extension(b []byte, field protowire.Number, i int) []byte {
	b, at := beginMessage(b, field)
	return endMessage(w.any(w.text(b, 1, i-1), 2, i), at)
}

// message writes the value at i as a message of the form that value writes.
func (w *protoWriter) message(b []byte, field protowire.Number, i int, value func(w *protoWriter, b []byte, i int) []byte) []byte {
	b, at := beginMessage(b, field)
	return endMessage(value(w, b, i), at)
}
