package openapi

import "sync"

// protoDocumentV3 returns openapi.v3.Document, as far as our documents have it. All names and numbers are those of gnostic's
// OpenAPIv3.proto.
var protoDocumentV3 = sync.OnceValue(func() *protoType {
	schema := protoSchemaV3()
	parameters := asList(asOnly(1, asObject(protoFields{
		{"name", 1, asText}, {"in", 2, asText}, {"description", 3, asText}, {"required", 4, asFlag}, {"schema", 10, schema},
	})))
	content := asMap(1, asObject(protoFields{{"schema", 1, schema}}))
	body := asObject(protoFields{{"content", 2, content}, {"required", 3, asFlag}})
	response := asObject(protoFields{{"description", 1, asText}, {"content", 3, content}})
	operation := asObject(protoFields{
		{"tags", 1, asTexts},
		{"description", 3, asText},
		{"operationId", 5, asText},
		{"parameters", 6, parameters},
		{"requestBody", 7, asOnly(1, body)},
		{"responses", 8, asMap(2, asOnly(1, response))},
		{"*", 13, asAny},
	})
	pathItem := asObject(protoFields{
		{"get", 4, operation}, {"put", 5, operation}, {"post", 6, operation}, {"delete", 7, operation}, {"patch", 10, operation},
		{"parameters", 13, parameters},
	})
	security := asObject(protoFields{{"type", 1, asText}, {"description", 2, asText}, {"name", 3, asText}, {"in", 4, asText}})
	return asObject(protoFields{
		{"openapi", 1, asText},
		{"info", 2, asObject(protoFields{{"title", 1, asText}, {"version", 6, asText}})},
		{"paths", 4, asMap(1, pathItem)},
		{"components", 5, asObject(protoFields{
			{"schemas", 1, asMap(1, schema)},
			{"securitySchemes", 7, asMap(1, asOnly(1, security))},
		})},
	})
})

// protoSchemaV3 returns openapi.v3.SchemaOrReference. What has a reference is nothing else.
func protoSchemaV3() *protoType {
	schema := &protoType{}
	reference := asObject(protoFields{{"$ref", 1, asText}, {"description", 3, asText}})
	orReference := asOneof("$ref", protoFields{{"", 1, schema}, {"*", 2, reference}})
	*schema = *asObject(protoKeywords(10), protoFields{
		{"nullable", 1, asFlag},
		{"externalDocs", 6, asObject(protoFields{{"description", 1, asText}, {"url", 2, asText}})},
		{"example", 7, asAny},
		{"title", 9, asText},
		{"type", 25, asText},
		{"allOf", 26, asList(orReference)},
		{"oneOf", 27, asList(orReference)},
		{"anyOf", 28, asList(orReference)},
		{"not", 29, schema},
		{"items", 30, asOnly(1, orReference)},
		{"properties", 31, asMap(1, orReference)},
		{"additionalProperties", 32, asOneof("", protoFields{{"", 2, asFlag}, {"", 1, orReference}})},
		{"default", 33, asOneof("", protoFields{{"", 1, asNumber}, {"", 2, asFlag}, {"", 3, asText}})},
		{"description", 34, asText},
		{"format", 35, asText},
		{"*", 36, asAny},
	})
	return orReference
}
