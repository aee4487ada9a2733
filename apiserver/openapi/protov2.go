package openapi

import (
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// protoDocumentV2 returns openapi.v2.Document, as far as our documents have it. All names and numbers are those of gnostic's
// OpenAPIv2.proto.
var protoDocumentV2 = sync.OnceValue(func() *protoType {
	schema := protoSchemaV2()
	parameter := protoParameterV2(schema)
	reference := asObject(protoFields{{"$ref", 1, asText}})
	parameters := asList(asOneof("$ref", protoFields{{"", 1, parameter}, {"*", 2, reference}}))
	response := asObject(protoFields{{"description", 1, asText}, {"schema", 2, asOnly(1, schema)}})
	operation := asObject(protoFields{
		{"tags", 1, asTexts},
		{"description", 3, asText},
		{"operationId", 5, asText},
		{"produces", 6, asTexts},
		{"consumes", 7, asTexts},
		{"parameters", 8, parameters},
		{"responses", 9, asMap(1, asOnly(1, response))},
		{"schemes", 10, asTexts},
		{"*", 13, asAny},
	})
	pathItem := asObject(protoFields{
		{"get", 2, operation}, {"put", 3, operation}, {"post", 4, operation}, {"delete", 5, operation}, {"patch", 8, operation},
		{"parameters", 9, parameters},
	})
	apiKey := asObject(protoFields{{"type", 1, asText}, {"name", 2, asText}, {"in", 3, asText}, {"description", 4, asText}})
	return asObject(protoFields{
		{"swagger", 1, asText},
		{"info", 2, asObject(protoFields{{"title", 1, asText}, {"version", 2, asText}})},
		{"paths", 8, asMap(2, pathItem)},
		{"definitions", 9, asMap(1, schema)},
		{"parameters", 10, asMap(1, parameter)},
		{"security", 12, asList(asMap(1, asOnly(1, asTexts)))},
		{"securityDefinitions", 13, asMap(1, asOnly(2, apiKey))},
	})
})

// protoParameterV2 returns openapi.v2.Parameter.
func protoParameterV2(schema *protoType) *protoType {
	body := asObject(protoFields{{"name", 2, asText}, {"in", 3, asText}, {"required", 4, asFlag}, {"schema", 5, schema}})
	both := protoFields{{"required", 1, asFlag}, {"in", 2, asText}, {"description", 3, asText}, {"name", 4, asText}}
	path := asObject(both, protoFields{{"type", 5, asText}, {"uniqueItems", 19, asFlag}})
	query := asObject(both, protoFields{{"type", 6, asText}, {"uniqueItems", 20, asFlag}})
	notBody := asOneof("in", protoFields{{`"path"`, 4, path}, {"*", 3, query}})
	return asOneof("in", protoFields{{`"body"`, 1, body}, {"*", 2, notBody}})
}

// protoSchemaV2 returns openapi.v2.Schema.
func protoSchemaV2() *protoType {
	schema := &protoType{}
	*schema = *asObject(protoKeywords(6), protoFields{
		{"$ref", 1, asText},
		{"format", 2, asText},
		{"title", 3, asText},
		{"description", 4, asText},
		{"default", 5, asAny},
		{"additionalProperties", 21, asOneof("", protoFields{{"", 2, asFlag}, {"", 1, schema}})},
		{"type", 22, asOnly(1, asText)},
		{"items", 23, asOnly(1, schema)},
		{"properties", 25, asMap(1, schema)},
		{"externalDocs", 29, asObject(protoFields{{"description", 1, asText}, {"url", 2, asText}})},
		{"example", 30, asAny},
		{"*", 31, asAny},
	})
	return schema
}

// protoKeywords returns the fields of a schema that v2 and v3 have in the same order, from a number on.
func protoKeywords(n protowire.Number) protoFields {
	return protoFields{
		{"multipleOf", n, asNumber},
		{"maximum", n + 1, asNumber}, {"exclusiveMaximum", n + 2, asFlag},
		{"minimum", n + 3, asNumber}, {"exclusiveMinimum", n + 4, asFlag},
		{"maxLength", n + 5, asInteger}, {"minLength", n + 6, asInteger}, {"pattern", n + 7, asText},
		{"maxItems", n + 8, asInteger}, {"minItems", n + 9, asInteger}, {"uniqueItems", n + 10, asFlag},
		{"maxProperties", n + 11, asInteger}, {"minProperties", n + 12, asInteger},
		{"required", n + 13, asTexts}, {"enum", n + 14, asList(asAny)},
	}
}
