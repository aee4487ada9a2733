package crd

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/corpus"
)

// longWay is what readProps has to agree with: Go's decoder and encoder.
func longWay(t *testing.T, m map[string]any) (p apiextensionsv1.JSONSchemaProps, normal map[string]any) {
	t.Helper()
	raw, err := resource.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if raw, err = json.Marshal(&p); err != nil {
		t.Fatal(err)
	}
	if normal, err = resource.Decode(raw); err != nil {
		t.Fatal(err)
	}
	return p, normal
}

func sameProps(t *testing.T, m map[string]any) {
	t.Helper()
	wantProps, want := longWay(t, m)
	p, ok := readProps(m)
	if !ok {
		t.Errorf("not read: %v", m)
		return
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("left as\n%v\nwant\n%v", m, want)
	}
	// The long way may leave empty slices where the short one leaves nil.
	a, _ := json.Marshal(p)
	b, _ := json.Marshal(&wantProps)
	if string(a) != string(b) {
		t.Errorf("read as\n%s\nwant\n%s", a, b)
	}
}

func TestReadProps(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"type":"object","properties":{}}`, `{"type":"","description":"d","title":"","format":"f","pattern":"p"}`,
		`{"default":{"a":[1,2.5,null]},"enum":[]}`,
		`{"default":false,"enum":["a",1,null,{"b":1}],"example":"x"}`,
		`{"maximum":3,"minimum":-0.5,"multipleOf":1000,"maxLength":0,"minLength":1,"maxItems":2,"minItems":3,"maxProperties":4,"minProperties":5}`,
		`{"exclusiveMaximum":true,"exclusiveMinimum":false,"uniqueItems":true,"nullable":true}`,
		`{"x-kubernetes-preserve-unknown-fields":false,"x-kubernetes-embedded-resource":true,"x-kubernetes-int-or-string":false}`,
		`{"x-kubernetes-list-type":"","x-kubernetes-map-type":"atomic","x-kubernetes-list-map-keys":["a"],"required":[]}`,
		`{"items":{},"not":{},"additionalProperties":true}`, `{"additionalProperties":false}`, `{"additionalProperties":{"type":"string"}}`,
		`{"allOf":[{"required":["a"]}],"anyOf":[],"oneOf":[{},{"type":"x"}]}`,
		`{"x-kubernetes-validations":[{"rule":"self.a","message":"","reason":"","fieldPath":".a","optionalOldSelf":false,"messageExpression":"'x'"}]}`,
	} {
		m, err := resource.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sameProps(t, m)
	}
}

// TestReadPropsLeavesTheUnusual: those are decoded the long way, which has words for what is wrong with them.
func TestReadPropsLeavesTheUnusual(t *testing.T) {
	for _, text := range []string{
		`{"unknown":1}`, `{"type":1}`, `{"type":null}`, `{"properties":{"a":{"Type":"x"}}}`, `{"items":[]}`, `{"maxLength":1.5}`,
		`{"maximum":"1"}`, `{"maximum":9007199254740993}`, `{"maximum":1e300}`, `{"nullable":"true"}`, `{"required":[1]}`, `{"required":{}}`, `{"$ref":"x"}`,
		`{"definitions":{}}`, `{"properties":{"a":1}}`, `{"allOf":{}}`, `{"x-kubernetes-validations":[{"message":"m"}]}`,
		`{"x-kubernetes-validations":["r"]}`, `{"x-kubernetes-validations":[{"rule":"r","other":1}]}`, `{"additionalProperties":1}`,
	} {
		m, err := resource.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		before, err := resource.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := readProps(m); ok {
			t.Errorf("%s was read", text)
		}
		if after, err := resource.Encode(m); err != nil || string(after) != string(before) {
			t.Errorf("%s was left as %s, and nobody will see what was wrong with it", text, after)
		}
	}
}

// TestReadRealProps reads the schemas of the corpus.
func TestReadRealProps(t *testing.T) {
	n := 0
	for _, file := range corpus.SomeCRDs(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := yaml.YAMLToJSON(raw)
		if err != nil {
			t.Fatal(err)
		}
		obj, err := resource.Decode(asJSON)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range schemasOf(obj) {
			n++
			sameProps(t, s)
		}
	}
	t.Logf("%d schemas", n)
}

func schemasOf(obj map[string]any) (out []map[string]any) {
	spec, _ := obj["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		v, _ := v.(map[string]any)
		s, _ := v["schema"].(map[string]any)
		if m, ok := s["openAPIV3Schema"].(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// checkBytes compares the reading of bytes with the long way, where the short one says that it can.
func checkBytes(t *testing.T, raw []byte) (read bool) {
	t.Helper()
	p, size, ok := readSchema(raw, 1)
	if !ok {
		return false
	}
	m, strict, err := decodeStrict(raw)
	if err != nil || len(strict) > 0 {
		t.Fatalf("%s was read, and is none: %v %v", raw, err, strict)
	}
	var want kindSize
	want.add(m, 1, 1)
	if size.depth < want.depth || size.objects < want.objects || size.work < want.work || !reflect.DeepEqual(size.patterns, want.patterns) && len(size.patterns) == 1 {
		t.Errorf("%s: size %+v, want %+v at least", raw, size, want)
	}
	wantProps, normal := longWay(t, m)
	wantJSON, err := resource.Encode(normal)
	if err != nil {
		t.Fatal(err)
	}
	if got := appendSchema(nil, p); string(got) != string(wantJSON) {
		t.Errorf("%s is written as\n%s\nwant\n%s", raw, got, wantJSON)
	}
	a, _ := json.Marshal(p)
	b, _ := json.Marshal(&wantProps)
	if string(a) != string(b) {
		t.Errorf("read as\n%s\nwant\n%s", a, b)
	}
	return true
}

func TestReadSchema(t *testing.T) {
	for _, text := range []string{
		" {\n\t\"type\" : \"object\" , \"required\" : [ \"a\" , \"b\" ] , \"properties\" : { \"a\" : { } } }\n",
		`{"description":"a\"b\\c\/d\be\ff\ng\rh\ti\u003cj\u00e9\ud83d\ude00k ü"}`, `{"properties":{"a\"b":{},"ü":{}}}`,
		`{"maximum":1e3,"minimum":-1.50,"multipleOf":0.001}`, `{"enum":[null,"\u0041",1.0,{"b":1,"a":[]}]}`,
		`{"default":"\n","example":{"z":1,"a":2}}`, `{"pattern":"^a{3}$"}`,
		`{"x-kubernetes-validations":[{"message":"m","rule":"self.a"}]}`,
	} {
		if !checkBytes(t, []byte(text)) {
			t.Errorf("%s was not read", text)
		}
	}
}

func TestReadSchemaLeavesWhatIsNone(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{"type":"a"`, `{"type":"a",}`, `{"type":"a","type":"a"}`, `{"type" "a"}`, `{"type":"a"}x`, `{"type":"a` + "\x01" + `"}`,
		`{"type":"a` + "\xff" + `"}`, `{"maxLength":01}`, `{"maxLength":+1}`, `{"maximum":0x10}`, `{"maximum":Inf}`, `{"maximum":1.}`, `{"maximum":.5}`,
		`{"nullable":tru}`, `{"required":["a",]}`, `{"required":["a" "b"]}`, `{"properties":{"a":{},"a":{}}}`, `{"description":"\x"}`,
		`{"description":"\u12"}`, `{"description":"\ud800"}`, `{"default":{"a":1,"a":2}}`, `{"default":{,}}`, `{"default":null}`, `{"example":null}`,
		`{"enum":[1 2]}`, `{"enum":[tru]}`, `{"x-kubernetes-validations":[{"rule":"a","rule":"b"}]}`, `{"description":"\`, `{"description":"\"`,
	} {
		if _, _, ok := readSchema([]byte(text), 1); ok {
			t.Errorf("%s was read", text)
		}
	}
}

func FuzzReadSchema(f *testing.F) {
	for _, k := range keywords {
		for _, v := range []string{`"a"`, `1`, `-0.5`, `true`, `{}`, `[{}]`, `["a"]`, `{"a":{}}`, `[{"rule":"a"}]`} {
			f.Add([]byte(`{"` + k + `":` + v + `}`))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkBytes(t, raw) })
}
