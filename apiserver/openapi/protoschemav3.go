package openapi

// scalarOfV3 is how a keyword of a schema with a plain value is written: as an extension, if it is none that v3 knows.
func scalarOfV3(key []byte) schemaField {
	switch string(key) {
	case "nullable":
		return schemaField{1, (*protoWriter).flag}
	case "example":
		return schemaField{7, (*protoWriter).any}
	case "title":
		return schemaField{9, (*protoWriter).text}
	case "multipleOf":
		return schemaField{10, (*protoWriter).number}
	case "maximum":
		return schemaField{11, (*protoWriter).number}
	case "exclusiveMaximum":
		return schemaField{12, (*protoWriter).flag}
	case "minimum":
		return schemaField{13, (*protoWriter).number}
	case "exclusiveMinimum":
		return schemaField{14, (*protoWriter).flag}
	case "maxLength":
		return schemaField{15, (*protoWriter).integer}
	case "minLength":
		return schemaField{16, (*protoWriter).integer}
	case "pattern":
		return schemaField{17, (*protoWriter).text}
	case "maxItems":
		return schemaField{18, (*protoWriter).integer}
	case "minItems":
		return schemaField{19, (*protoWriter).integer}
	case "uniqueItems":
		return schemaField{20, (*protoWriter).flag}
	case "maxProperties":
		return schemaField{21, (*protoWriter).integer}
	case "minProperties":
		return schemaField{22, (*protoWriter).integer}
	case "required":
		return schemaField{23, (*protoWriter).texts}
	case "type":
		return schemaField{25, (*protoWriter).text}
	case "description":
		return schemaField{34, (*protoWriter).text}
	case "format":
		return schemaField{35, (*protoWriter).text}
	}
	return schemaField{36, (*protoWriter).extension}
}

func (w *protoWriter) schemaV3(b []byte, i int) []byte {
	w.each(i, func(key []byte, v int) {
		switch string(key) {
		case "externalDocs":
			b = w.message(b, 6, v, (*protoWriter).externalDocs)
		case "enum":
			w.list(v, func(e int) { b = w.any(b, 24, e) })
		case "allOf":
			w.list(v, func(e int) { b = w.message(b, 26, e, (*protoWriter).schemaOrRefV3) })
		case "oneOf":
			w.list(v, func(e int) { b = w.message(b, 27, e, (*protoWriter).schemaOrRefV3) })
		case "anyOf":
			w.list(v, func(e int) { b = w.message(b, 28, e, (*protoWriter).schemaOrRefV3) })
		case "not":
			b = w.message(b, 29, v, (*protoWriter).schemaV3)
		case "items":
			var at int
			b, at = beginMessage(b, 30)
			b = endMessage(w.message(b, 1, v, (*protoWriter).schemaOrRefV3), at)
		case "properties":
			b = w.namedIn(b, 31, v, 1, (*protoWriter).schemaOrRefV3)
		case "additionalProperties":
			b = w.message(b, 32, v, func(w *protoWriter, b []byte, i int) []byte {
				if w.in[w.tape[i].From] == '{' {
					return w.message(b, 1, i, (*protoWriter).schemaOrRefV3)
				}
				return w.flag(b, 2, i)
			})
		case "default":
			b = w.message(b, 33, v, (*protoWriter).defaultV3)
		default:
			f := scalarOfV3(key)
			b = f.write(w, b, f.number, v)
		}
	})
	return b
}
