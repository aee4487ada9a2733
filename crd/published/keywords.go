package published

// keyword is a member of a schema.
type keyword uint8

// The keywords of structural schemas, in the order in which they are published.
const (
	kwUnknown keyword = iota // any other
	kwDescription
	kwType
	kwNullable
	kwFormat
	kwTitle
	kwDefault
	kwMaximum
	kwExclusiveMaximum
	kwMinimum
	kwExclusiveMinimum
	kwMaxLength
	kwMinLength
	kwPattern
	kwMaxItems
	kwMinItems
	kwUniqueItems
	kwMultipleOf
	kwEnum
	kwMaxProperties
	kwMinProperties
	kwRequired
	kwItems
	kwAllOf
	kwOneOf
	kwAnyOf
	kwNot
	kwProperties
	kwAdditional
	kwExternalDocs
	kwExample
	kwEmbedded
	kwIntOrString
	kwListMapKeys
	kwListType
	kwMapType
	kwPreserve
	kwValidations
	keywordCount
)

// members are the nodes of a schema's keywords; 0 where one is absent (no member is the first node of its schema).
type members [keywordCount]int32

// valueForm is what the value of a keyword looks like, and when it says nothing.
type valueForm uint8

const (
	aValue valueForm = iota // anything but null
	aText                   // a string; empty: nothing
	aFlag                   // false: nothing
	aList                   // empty: nothing
	aSchema
	someSchemas
)

type keywordInfo struct {
	name string
	form valueForm
}

var keywordTable = [keywordCount]keywordInfo{
	kwDescription: {"description", aText}, kwType: {"type", aText}, kwNullable: {"nullable", aFlag}, kwFormat: {"format", aText},
	kwTitle: {"title", aText}, kwDefault: {"default", aValue}, kwMaximum: {"maximum", aValue}, kwExclusiveMaximum: {"exclusiveMaximum", aFlag},
	kwMinimum: {"minimum", aValue}, kwExclusiveMinimum: {"exclusiveMinimum", aFlag}, kwMaxLength: {"maxLength", aValue},
	kwMinLength: {"minLength", aValue}, kwPattern: {"pattern", aText}, kwMaxItems: {"maxItems", aValue}, kwMinItems: {"minItems", aValue},
	kwUniqueItems: {"uniqueItems", aFlag}, kwMultipleOf: {"multipleOf", aValue}, kwEnum: {"enum", aList},
	kwMaxProperties: {"maxProperties", aValue}, kwMinProperties: {"minProperties", aValue}, kwRequired: {"required", aList},
	kwItems: {"items", aSchema}, kwAllOf: {"allOf", someSchemas}, kwOneOf: {"oneOf", someSchemas}, kwAnyOf: {"anyOf", someSchemas},
	kwNot: {"not", aSchema}, kwProperties: {"properties", aSchema}, kwAdditional: {"additionalProperties", aSchema},
	kwExternalDocs: {"externalDocs", aValue}, kwExample: {"example", aValue}, kwEmbedded: {"x-kubernetes-embedded-resource", aFlag},
	kwIntOrString: {"x-kubernetes-int-or-string", aFlag}, kwListMapKeys: {"x-kubernetes-list-map-keys", aList},
	kwListType: {"x-kubernetes-list-type", aValue}, kwMapType: {"x-kubernetes-map-type", aValue},
	kwPreserve: {"x-kubernetes-preserve-unknown-fields", aFlag}, kwValidations: {"x-kubernetes-validations", aList},
}

func (k keyword) name() string    { return keywordTable[k].name }
func (k keyword) form() valueForm { return keywordTable[k].form }

// keywordOf returns the keyword of that name. Most members are of the first few.
func keywordOf(name []byte) keyword {
	switch string(name) {
	case "description":
		return kwDescription
	case "type":
		return kwType
	case "properties":
		return kwProperties
	case "items":
		return kwItems
	case "required":
		return kwRequired
	}
	for kw := kwUnknown + 1; kw < keywordCount; kw++ {
		if string(name) == keywordTable[kw].name {
			return kw
		}
	}
	return kwUnknown
}
