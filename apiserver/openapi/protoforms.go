package openapi

import "google.golang.org/protobuf/encoding/protowire"

// The messages of openapi.v2, as far as our documents have them. The numbers are those of gnostic's OpenAPIv2.proto.

func (w *protoWriter) pathItem(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "get":
			b = w.message(b, 2, v, (*protoWriter).operation)
		case "put":
			b = w.message(b, 3, v, (*protoWriter).operation)
		case "post":
			b = w.message(b, 4, v, (*protoWriter).operation)
		case "delete":
			b = w.message(b, 5, v, (*protoWriter).operation)
		case "patch":
			b = w.message(b, 8, v, (*protoWriter).operation)
		case "parameters":
			w.list(v, func(e int) { b = w.message(b, 9, e, (*protoWriter).parametersItem) })
		}
	})
	return b
}

func (w *protoWriter) operation(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "tags":
			b = w.texts(b, 1, v)
		case "description":
			b = w.text(b, 3, v)
		case "operationId":
			b = w.text(b, 5, v)
		case "produces":
			b = w.texts(b, 6, v)
		case "consumes":
			b = w.texts(b, 7, v)
		case "parameters":
			w.list(v, func(e int) { b = w.message(b, 8, e, (*protoWriter).parametersItem) })
		case "responses":
			b = w.message(b, 9, v, func(w *protoWriter, b []byte, i int) []byte {
				return w.named(b, i, 1, (*protoWriter).responseValue)
			})
		case "schemes":
			b = w.texts(b, 10, v)
		default:
			b = w.extension(b, 13, v)
		}
	})
	return b
}

func (w *protoWriter) parametersItem(b []byte, i int) []byte {
	if ref := w.tape.Member(w.in, i, "$ref"); ref > 0 {
		b, at := beginMessage(b, 2)
		return endMessage(w.text(b, 1, ref), at)
	}
	return w.message(b, 1, i, (*protoWriter).parameter)
}

func (w *protoWriter) parameter(b []byte, i int) []byte {
	where := w.tape.Member(w.in, i, "in")
	switch {
	case where < 0:
		return b
	case string(w.tape.Text(w.in, where)) == `"body"`:
		return w.message(b, 1, i, (*protoWriter).bodyParameter)
	case string(w.tape.Text(w.in, where)) == `"path"`:
		b, at := beginMessage(b, 2)
		return endMessage(w.message(b, 4, i, func(w *protoWriter, b []byte, i int) []byte { return w.plainParameter(b, i, 5, 19) }), at)
	}
	b, at := beginMessage(b, 2)
	return endMessage(w.message(b, 3, i, func(w *protoWriter, b []byte, i int) []byte { return w.plainParameter(b, i, 6, 20) }), at)
}

func (w *protoWriter) bodyParameter(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "name":
			b = w.text(b, 2, v)
		case "in":
			b = w.text(b, 3, v)
		case "required":
			b = w.flag(b, 4, v)
		case "schema":
			b = w.message(b, 5, v, (*protoWriter).schema)
		}
	})
	return b
}

// plainParameter is one in a path or a query, which differ in the numbers of some fields.
func (w *protoWriter) plainParameter(b []byte, i int, kind, unique protowire.Number) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "required":
			b = w.flag(b, 1, v)
		case "in":
			b = w.text(b, 2, v)
		case "description":
			b = w.text(b, 3, v)
		case "name":
			b = w.text(b, 4, v)
		case "type":
			b = w.text(b, kind, v)
		case "uniqueItems":
			b = w.flag(b, unique, v)
		}
	})
	return b
}

func (w *protoWriter) responseValue(b []byte, i int) []byte {
	return w.message(b, 1, i, func(w *protoWriter, b []byte, i int) []byte {
		w.each(i, func(key []byte, v int) {
			switch string(key) {
			case "description":
				b = w.text(b, 1, v)
			case "schema":
				var at int
				b, at = beginMessage(b, 2)
				b = endMessage(w.message(b, 1, v, (*protoWriter).schema), at)
			}
		})
		return b
	})
}

// schemaField is how a keyword of a schema is written.
type schemaField struct {
	number protowire.Number
	write  func(w *protoWriter, b []byte, field protowire.Number, i int) []byte
}

func schemaFieldOf(key []byte) schemaField {
	switch string(key) {
	case "$ref":
		return schemaField{1, (*protoWriter).text}
	case "format":
		return schemaField{2, (*protoWriter).text}
	case "title":
		return schemaField{3, (*protoWriter).text}
	case "description":
		return schemaField{4, (*protoWriter).text}
	case "default":
		return schemaField{5, (*protoWriter).any}
	case "multipleOf":
		return schemaField{6, (*protoWriter).number}
	case "maximum":
		return schemaField{7, (*protoWriter).number}
	case "exclusiveMaximum":
		return schemaField{8, (*protoWriter).flag}
	case "minimum":
		return schemaField{9, (*protoWriter).number}
	case "exclusiveMinimum":
		return schemaField{10, (*protoWriter).flag}
	case "maxLength":
		return schemaField{11, (*protoWriter).integer}
	case "minLength":
		return schemaField{12, (*protoWriter).integer}
	case "pattern":
		return schemaField{13, (*protoWriter).text}
	case "maxItems":
		return schemaField{14, (*protoWriter).integer}
	case "minItems":
		return schemaField{15, (*protoWriter).integer}
	case "uniqueItems":
		return schemaField{16, (*protoWriter).flag}
	case "maxProperties":
		return schemaField{17, (*protoWriter).integer}
	case "minProperties":
		return schemaField{18, (*protoWriter).integer}
	case "required":
		return schemaField{19, (*protoWriter).texts}
	case "example":
		return schemaField{30, (*protoWriter).any}
	}
	return schemaField{31, (*protoWriter).extension}
}

func (w *protoWriter) schema(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "enum":
			w.list(v, func(e int) { b = w.any(b, 20, e) })
		case "additionalProperties":
			b = w.message(b, 21, v, func(w *protoWriter, b []byte, i int) []byte {
				if w.in[w.tape[i].From] == '{' {
					return w.message(b, 1, i, (*protoWriter).schema)
				}
				return w.flag(b, 2, i)
			})
		case "type":
			var at int
			b, at = beginMessage(b, 22)
			b = endMessage(w.text(b, 1, v), at)
		case "items":
			var at int
			b, at = beginMessage(b, 23)
			b = endMessage(w.message(b, 1, v, (*protoWriter).schema), at)
		case "properties":
			b = w.message(b, 25, v, func(w *protoWriter, b []byte, i int) []byte {
				return w.named(b, i, 1, (*protoWriter).schema)
			})
		case "externalDocs":
			b = w.message(b, 29, v, (*protoWriter).externalDocs)
		default:
			f := schemaFieldOf(key)
			b = f.write(w, b, f.number, v)
		}
	})
	return b
}

func (w *protoWriter) externalDocs(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "description":
			b = w.text(b, 1, v)
		case "url":
			b = w.text(b, 2, v)
		}
	})
	return b
}
