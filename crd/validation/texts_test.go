package validation_test

import (
	"testing"

	"github.com/keelson-project/keelson/crd/validation"
)

// TestTexts checks errors to the letter; compat/schemas compares them with kube-apiserver's own.
func TestTexts(t *testing.T) {
	for name, c := range map[string]struct{ schema, value, want string }{
		"type":           {`{type: object, properties: {a: {type: string}}}`, `{a: 1}`, `a: Invalid value: "integer": a in body must be of type string: "integer"`},
		"types":          {`{type: array, items: {type: boolean}}`, `[x, [], {}, 1.5]`, "[0]: Invalid value: \"string\": [0] in body must be of type boolean: \"string\"\n[1]: Invalid value: \"array\": [1] in body must be of type boolean: \"array\"\n[2]: Invalid value: \"object\": [2] in body must be of type boolean: \"object\"\n[3]: Invalid value: \"number\": [3] in body must be of type boolean: \"number\""},
		"null":           {`{type: object, properties: {a: {type: string}, b: {type: string, nullable: true}, c: {}}}`, `{a: null, b: null, c: null}`, `a: Invalid value: "null": a in body must be of type string: "null"`},
		"int-or-string":  {`{type: object, properties: {p: {x-kubernetes-int-or-string: true}}}`, `{p: 1.5}`, `p: Invalid value: "number": p in body must be of type integer,string: "number"`},
		"whole float":    {`{type: integer}`, `3.0`, ``},
		"required":       {`{type: object, required: [b, a], properties: {c: {type: object, required: [d]}}}`, `{c: {}}`, "c.d: Required value\nb: Required value\na: Required value"},
		"lengths":        {`{type: object, properties: {a: {type: string, minLength: 2}, b: {type: string, maxLength: 1}, c: {type: string, maxLength: 2}}}`, `{a: ü, b: üü, c: üü}`, "a: Invalid value: \"ü\": a in body should be at least 2 chars long\nb: Too long: may not be more than 1 byte"},
		"pattern":        {`{type: string, pattern: '^100%d$'}`, `x`, `<nil>: Invalid value: "x":  in body should match '^100%d$'`},
		"bounds":         {`{type: object, additionalProperties: {type: integer, minimum: 1, exclusiveMaximum: true, maximum: 5}}`, `{a: 0, b: 5}`, "a: Invalid value: 0: .a in body should be greater than or equal to 1\nb: Invalid value: 5: .b in body should be less than 5"},
		"multipleOf":     {`{type: number, multipleOf: 0.1}`, `0.25`, `<nil>: Invalid value: 0.25:  in body should be a multiple of 0.1`},
		"multipleOf 0":   {`{type: integer, multipleOf: 0}`, `7`, `<nil>: Invalid value: 0: factor MultipleOf declared for  must be positive: 0`},
		"int32":          {`{type: object, properties: {a: {type: integer, format: int32}}}`, `{a: 2147483648}`, `<nil>: Invalid value: "": Checked value must be of type integer with format int32 in a`},
		"int64":          {`{type: object, properties: {a: {type: integer}}}`, `{"a": 1e19}`, "a: Invalid value: \"number\": a in body must be of type integer: \"number\"\n<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in a"},
		"cut bounds":     {`{x-kubernetes-int-or-string: true, minimum: 1.5}`, `1`, ``},
		"sizes":          {`{type: object, minProperties: 2, properties: {l: {type: array, maxItems: 1}}}`, `{l: [1, 2]}`, "<nil>: Invalid value: 1:  in body should have at least 2 properties\nl: Too many: 2: must have at most 1 item"},
		"enum":           {`{type: object, properties: {a: {type: string, enum: [x, w]}, b: {enum: [1, {c: d}, null]}}}`, `{a: z, b: 2}`, "a: Unsupported value: \"z\": supported values: \"x\", \"w\"\nb: Unsupported value: 2: supported values: \"1\", \"{\\\"c\\\":\\\"d\\\"}\", \"null\""},
		"format":         {`{type: object, properties: {t: {type: string, format: date-time}}}`, `{t: soon}`, `t: Invalid value: "soon": t in body must be of type date-time: "soon"`},
		"unknown format": {`{type: string, format: whatever}`, `x`, ``},
		"not":            {`{type: object, not: {required: [a]}}`, `{a: 1}`, `<nil>: Invalid value: "": "" must not validate the schema (not)`},
		"anyOf":          {`{type: object, properties: {a: {}, b: {}}, anyOf: [{required: [a]}, {required: [b], minProperties: 1}]}`, `{}`, "<nil>: Invalid value: \"\": \"\" must validate at least one schema (anyOf)\na: Required value"},
		"oneOf":          {`{type: object, properties: {a: {}, b: {}}, oneOf: [{required: [a]}, {required: [b]}]}`, `{a: 1, b: 2}`, `<nil>: Invalid value: "": "" must validate one and only one schema (oneOf). Found 2 valid alternatives`},
		"allOf":          {`{type: string, allOf: [{minLength: 1}, {maxLength: 3}, {pattern: x}]}`, `abcd`, "<nil>: Too long: may not be more than 3 bytes\n<nil>: Invalid value: \"abcd\":  in body should match 'x'\n<nil>: Invalid value: \"\": \"\" must validate all the schemas (allOf)"},
		"twice":          {`{type: string, maxLength: 1, allOf: [{maxLength: 1}]}`, `ab`, "<nil>: Too long: may not be more than 1 byte\n<nil>: Invalid value: \"\": \"\" must validate all the schemas (allOf). None validated"},
		"nothing":        {`{}`, `{a: [1, null]}`, ``},
	} {
		t.Run(name, func(t *testing.T) { check(t, compile(t, c.schema).Validate(nil, parse(t, c.value)), c.want) })
	}
}

// TestFormats checks one string that has each format and one that lacks it.
func TestFormats(t *testing.T) {
	for format, c := range map[string][2]string{
		"date":           {"2020-02-29", "2021-02-29"},
		"date-time":      {"2020-01-02T03:04:05Z", "2020-01-02T24:04:05Z"},
		"datetime":       {"2020-02-29t03:04:05.5+01:00", "2021-02-29T03:04:05Z"},
		"duration":       {"22 ns", "22 lightyears"},
		"email":          {"a@b.c", "a"},
		"hostname":       {"example.com", "-"},
		"ipv4":           {"1.2.3.4", "::1"},
		"ipv6":           {"::1", "1.2.3.4"},
		"cidr":           {"10.0.0.0/8", "10.0.0.0"},
		"mac":            {"aa:bb:cc:dd:ee:ff", "aa:bb"},
		"uri":            {"http://a/b", "a b"},
		"uuid":           {"FA1B2C3D-0000-4000-8000-123456789abc", "fa1b"},
		"uuid3":          {"fa1b2c3d-0000-3000-8000-123456789abc", "fa1b2c3d-0000-4000-8000-123456789abc"},
		"uuid4":          {"fa1b2c3d-0000-4000-8000-123456789abc", "fa1b2c3d-0000-3000-8000-123456789abc"},
		"uuid5":          {"fa1b2c3d-0000-5000-8000-123456789abc", "fa1b2c3d-0000-3000-8000-123456789abc"},
		"byte":           {"Zm9v", "Zm9"},
		"hexcolor":       {"#ffF", "ff"},
		"rgbcolor":       {"rgb(1,2,255)", "rgb(1,2,256)"},
		"isbn":           {"978-0321751041", "978"},
		"isbn10":         {"0321751043", "978-0321751041"},
		"isbn13":         {"978-0321751041", "0321751043"},
		"creditcard":     {"4111-1111-1111-1111", "4111"},
		"ssn":            {"123-45-6789", "123"},
		"bsonobjectid":   {"507f1f77bcf86cd799439011", "507f"},
		"k8s-short-name": {"a-b", "A"},
		"k8s-long-name":  {"a.b-c", "a..b"},
	} {
		v := compile(t, `{type: string, format: `+format+`}`)
		check(t, v.Validate(nil, c[0]), "")
		if errs := v.Validate(nil, c[1]); len(errs) != 1 || !validation.IsSupportedFormat("string", format) {
			t.Errorf("%s: %q: %v", format, c[1], errs)
		}
	}
	if validation.IsSupportedFormat("integer", "date") || validation.IsSupportedFormat("boolean", "int32") || !validation.IsSupportedFormat("number", "double") {
		t.Error("formats belong to types")
	}
}

// TestLists checks sets and maps for what appears twice.
func TestLists(t *testing.T) {
	set := `{type: object, properties: {l: {type: array, x-kubernetes-list-type: set, items: {}}}}`
	one := `{type: object, additionalProperties: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a], items: {type: object}}}`
	two := `{type: array, items: {type: object, properties: {l: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a, b], items: {type: object}}}}}`
	for name, c := range map[string]struct{ schema, value, want string }{
		"a set":                    {set, `{l: [1, a, null, {x: [1]}, [2]]}`, ``},
		"a set twice":              {set, `{l: [a, a, a, {x: 1, z: 2}, b, {z: 2, x: 1}, [1], [1], null, null]}`, "l[1]: Duplicate value: \"a\"\nl[5]: Duplicate value: {\"x\":1,\"z\":2}\nl[7]: Duplicate value: [1]\nl[9]: Duplicate value: null"},
		"kinds of numbers":         {set, `{"l": [1, 1.0, "1", "[1]", [1]]}`, ``},
		"a map":                    {one, `{m: [{a: x}, {a: y}, {b: x}]}`, ``},
		"a key twice":              {one, `{m: [{a: x, b: 1}, {a: x, b: 2}, {c: 1}, {}, null]}`, "[m][1]: Duplicate value: {\"a\":\"x\"}\n[m][3]: Duplicate value: {}"},
		"compound keys":            {one, `{m: [{a: [1]}, {a: [1]}, {a: "[1]"}]}`, `[m][1]: Duplicate value: {"a":[1]}`},
		"kinds of numbers as key":  {one, `{"m": [{"a": 1}, {"a": 1.0}]}`, ``},
		"kinds of numbers as keys": {two, `[{"l": [{"a": 1, "b": 1}, {"a": 1.0, "b": 1}]}]`, `[0].l[1]: Duplicate value: {"a":1,"b":1}`},
		"a null as key":            {one, `{m: [{a: null}, {}, {a: null}]}`, `[m][2]: Duplicate value: {"a":null}`},
		"two keys":                 {two, `[{l: [{a: 1, b: 2}, {a: 1}, {b: 1}, {a: 1, b: 2}]}]`, `[0].l[3]: Duplicate value: {"a":1,"b":2}`},
		"no keys":                  {two, `[{l: [{}, {c: 1}]}]`, `[0].l[1]: Duplicate value: {}`},
		"no objects":               {one, `{m: [{a: x}, 1, {a: x}]}`, `[m][1]: Invalid value: 1: must be an object for an array of list-type map`},
		"something else":           {one, `{m: text}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, validation.ValidateLists(nil, parse(t, c.value), parseSchema(t, c.schema)), c.want)
		})
	}
}

// TestNew checks that only patterns can be wrong, and that no schema accepts everything.
func TestNew(t *testing.T) {
	if _, err := validation.New(parseSchema(t, `{type: object, properties: {a: {type: array, items: {type: string, pattern: '('}}}}`)); err == nil {
		t.Error("( is no pattern")
	}
	v, err := validation.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, v.Validate(nil, parse(t, `{a: 1}`)), "")
	check(t, v.Property("a").ValidateUpdate(nil, int64(1), nil), "")
}
