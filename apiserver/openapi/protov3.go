package openapi

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

// The messages of openapi.v3, as far as our documents have them. The numbers are those of gnostic's OpenAPIv3.proto.

// appendProtoV3 appends the protobuf form (openapi.v3.Document) of a v3 document in JSON.
func appendProtoV3(b, document []byte) []byte {
	tape, ok := jsonscan.Parse(document, nil)
	if !ok {
		return b
	}
	w := &protoWriter{document, tape}
	w.each(0, func(key []byte, v int) {
		switch string(key) {
		case "openapi":
			b = w.text(b, 1, v)
		case "info":
			b = w.message(b, 2, v, (*protoWriter).infoV3)
		case "paths":
			b = w.namedIn(b, 4, v, 1, (*protoWriter).pathItemV3)
		case "components":
			b = w.message(b, 5, v, (*protoWriter).componentsV3)
		}
	})
	return b
}

// namedIn writes the members of the object at i as a message of named messages.
func (w *protoWriter) namedIn(b []byte, field protowire.Number, i int, element protowire.Number, value func(w *protoWriter, b []byte, i int) []byte) []byte {
	b, at := beginMessage(b, field)
	return endMessage(w.named(b, i, element, value), at)
}

func (w *protoWriter) infoV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "title":
			b = w.text(b, 1, v)
		case "version":
			b = w.text(b, 6, v)
		}
	})
	return b
}

func (w *protoWriter) componentsV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "schemas":
			b = w.namedIn(b, 1, v, 1, (*protoWriter).schemaOrRefV3)
		case "securitySchemes":
			b = w.namedIn(b, 7, v, 1, func(w *protoWriter, b []byte, i int) []byte { return w.message(b, 1, i, (*protoWriter).securityV3) })
		}
	})
	return b
}

func (w *protoWriter) securityV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "type":
			b = w.text(b, 1, v)
		case "description":
			b = w.text(b, 2, v)
		case "name":
			b = w.text(b, 3, v)
		case "in":
			b = w.text(b, 4, v)
		}
	})
	return b
}

func (w *protoWriter) pathItemV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "get":
			b = w.message(b, 4, v, (*protoWriter).operationV3)
		case "put":
			b = w.message(b, 5, v, (*protoWriter).operationV3)
		case "post":
			b = w.message(b, 6, v, (*protoWriter).operationV3)
		case "delete":
			b = w.message(b, 7, v, (*protoWriter).operationV3)
		case "patch":
			b = w.message(b, 10, v, (*protoWriter).operationV3)
		case "parameters":
			b = w.parametersV3(b, 13, v)
		}
	})
	return b
}

func (w *protoWriter) operationV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "tags":
			b = w.texts(b, 1, v)
		case "description":
			b = w.text(b, 3, v)
		case "operationId":
			b = w.text(b, 5, v)
		case "parameters":
			b = w.parametersV3(b, 6, v)
		case "requestBody":
			var at int
			b, at = beginMessage(b, 7)
			b = endMessage(w.message(b, 1, v, (*protoWriter).bodyV3), at)
		case "responses":
			b = w.namedIn(b, 8, v, 2, func(w *protoWriter, b []byte, i int) []byte { return w.message(b, 1, i, (*protoWriter).responseV3) })
		default:
			b = w.extension(b, 13, v)
		}
	})
	return b
}

func (w *protoWriter) parametersV3(b []byte, field protowire.Number, i int) []byte {
	w.list(i, func(e int) {
		var at int
		b, at = beginMessage(b, field)
		b = endMessage(w.message(b, 1, e, (*protoWriter).parameterV3), at)
	})
	return b
}

func (w *protoWriter) parameterV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "name":
			b = w.text(b, 1, v)
		case "in":
			b = w.text(b, 2, v)
		case "description":
			b = w.text(b, 3, v)
		case "required":
			b = w.flag(b, 4, v)
		case "schema":
			b = w.message(b, 10, v, (*protoWriter).schemaOrRefV3)
		}
	})
	return b
}

func (w *protoWriter) bodyV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "content":
			b = w.namedIn(b, 2, v, 1, (*protoWriter).mediaTypeV3)
		case "required":
			b = w.flag(b, 3, v)
		}
	})
	return b
}

func (w *protoWriter) responseV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "description":
			b = w.text(b, 1, v)
		case "content":
			b = w.namedIn(b, 3, v, 1, (*protoWriter).mediaTypeV3)
		}
	})
	return b
}

func (w *protoWriter) mediaTypeV3(b []byte, i int) []byte {
	if schema := w.tape.Member(w.in, i, "schema"); schema > 0 {
		return w.message(b, 1, schema, (*protoWriter).schemaOrRefV3)
	}
	return b
}

// schemaOrRefV3 writes a schema. What has a reference is nothing else.
func (w *protoWriter) schemaOrRefV3(b []byte, i int) []byte {
	if ref := w.tape.Member(w.in, i, "$ref"); ref > 0 {
		b, at := beginMessage(b, 2)
		b = w.text(b, 1, ref)
		if text := w.tape.Member(w.in, i, "description"); text > 0 {
			b = w.text(b, 3, text)
		}
		return endMessage(b, at)
	}
	return w.message(b, 1, i, (*protoWriter).schemaV3)
}

// defaultV3 writes a default, as far as the message has room for one: a list, an object or null is there, but empty.
func (w *protoWriter) defaultV3(b []byte, i int) []byte {
	switch text := w.tape.Text(w.in, i); text[0] {
	case '"':
		return w.text(b, 3, i)
	case 't', 'f':
		return w.flag(b, 2, i)
	case '{', '[', 'n':
		return b
	default:
		f, _ := strconv.ParseFloat(string(text), 64)
		return protowire.AppendFixed64(protowire.AppendTag(b, 1, protowire.Fixed64Type), math.Float64bits(f))
	}
}
