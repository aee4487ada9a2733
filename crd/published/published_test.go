package published_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	kschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/crd/published"
)

var gvk = kschema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Thing"}

func Example() {
	schema := `{"type":"object","properties":{"size":{"x-kubernetes-int-or-string":true},"color":{"type":"string","nullable":true,"default":"red"}}}`
	v3 := published.Options{GVK: gvk}.Append(nil, []byte(schema))
	v2 := published.Options{GVK: gvk, V2: true}.Append(nil, []byte(schema))
	for _, doc := range [][]byte{v3, v2} {
		var s struct{ Properties map[string]json.RawMessage }
		_ = json.Unmarshal(doc, &s)
		fmt.Println(string(s.Properties["size"]), string(s.Properties["color"]))
	}
	// Output:
	// {"anyOf":[{"type":"integer"},{"type":"string"}],"x-kubernetes-int-or-string":true} {"type":"string","nullable":true,"default":"red"}
	// {"x-kubernetes-int-or-string":true} {}
}

// TestForms states what is published of one member, in both forms. Whole documents are compared with kube-apiserver's own
// code in compat/schemas.
func TestForms(t *testing.T) {
	const either = `"anyOf":[{"type":"integer"},{"type":"string"}]`
	const meta = `{"apiVersion":{},"kind":{},"metadata":{},"a":{}}`
	for _, c := range []struct{ about, in, v3, v2 string }{
		{"zero values say nothing", `{"type":"string","description":"","format":"","nullable":false,"enum":[],"required":[],"properties":{},"anyOf":[],"maximum":0}`,
			`{"type":"string","maximum":0}`, `{"type":"string","maximum":0}`},
		{"values that are null", `{"type":"object","nullable":true,"properties":{"a":{"type":"string"}},"required":["a"]}`,
			`{"type":"object","nullable":true,"properties":{"a":{"type":"string"}},"required":["a"]}`, `{"required":["a"]}`},
		{"members that may be null", `{"type":"object","properties":{"a":{"type":"string","nullable":true},"b":{"type":"string"}},"required":["a","b"]}`,
			`{"type":"object","properties":{"a":{"type":"string","nullable":true},"b":{"type":"string"}},"required":["a","b"]}`,
			`{"type":"object","properties":{"a":{},"b":{"type":"string"}},"required":["b"]}`},
		{"unknown fields", `{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"string"}}}`,
			`{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"string"}}}`, `{"x-kubernetes-preserve-unknown-fields":true}`},
		{"a list of anything", `{"type":"array","x-kubernetes-preserve-unknown-fields":true,"items":{"type":"object"}}`,
			`{"type":"array","x-kubernetes-preserve-unknown-fields":true,"items":{"type":"object"}}`, `{"x-kubernetes-preserve-unknown-fields":true}`},
		{"junctors and defaults", `{"type":"integer","default":1,"not":{"enum":[2]},"oneOf":[{"minimum":1}],"allOf":[{"maximum":3}]}`,
			`{"type":"integer","default":1,"not":{"enum":[2]},"oneOf":[{"minimum":1}],"allOf":[{"maximum":3}]}`, `{"type":"integer"}`},
		{"integers or strings", `{"x-kubernetes-int-or-string":true}`, `{"x-kubernetes-int-or-string":true,` + either + `}`, `{"x-kubernetes-int-or-string":true}`},
		{"said already", `{"x-kubernetes-int-or-string":true,"allOf":[{` + either + `}]}`, `{"x-kubernetes-int-or-string":true,"allOf":[{` + either + `}]}`,
			`{"x-kubernetes-int-or-string":true}`},
		{"said with more", `{"x-kubernetes-int-or-string":true,"anyOf":[{"pattern":"a"}],"allOf":[{"pattern":"b"}]}`,
			`{"x-kubernetes-int-or-string":true,"anyOf":[{"pattern":"a"}],"allOf":[{` + either + `},{"pattern":"b"}]}`, `{"x-kubernetes-int-or-string":true}`},
		{"resources inside", `{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"a":{},"kind":{"type":"string","pattern":"K"}},"required":["kind"]}`,
			`{"type":"object","x-kubernetes-embedded-resource":true,"properties":` + meta + `,"required":["kind","apiVersion"]}`,
			`{"type":"object","x-kubernetes-embedded-resource":true,"properties":` + meta + `,"required":["kind","apiVersion"]}`},
		{"open resources inside", `{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{}}}`,
			`{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true,"properties":` + meta + `,"required":["kind","apiVersion"]}`,
			`{"x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}`},
	} {
		for _, v2 := range []bool{false, true} {
			want := c.v3
			if v2 {
				want = c.v2
			}
			got := decode(t, published.Options{GVK: gvk, V2: v2}.Append(nil, []byte(`{"type":"object","properties":{"x":`+c.in+`}}`)))
			x := got["properties"].(map[string]any)["x"]
			if strings.Contains(want, meta) {
				forgetTexts(x)
			}
			if !reflect.DeepEqual(x, any(decode(t, []byte(want)))) {
				t.Errorf("%s (v2: %v): got %v, want %s", c.about, v2, x, want)
			}
		}
	}
}

// forgetTexts empties the properties of x.
func forgetTexts(x any) {
	properties := x.(map[string]any)["properties"].(map[string]any)
	for name := range properties {
		properties[name] = map[string]any{}
	}
}

func TestKindsOfUnknownShape(t *testing.T) {
	const bare = `{"type":"object","x-kubernetes-group-version-kind":[{"group":"example.com","version":"v1","kind":"Thing"}]`
	for _, c := range []struct {
		o        published.Options
		in, want string
	}{
		{published.Options{}, ``, bare + `}`},
		{published.Options{V2: true}, `null`, bare + `}`},
		{published.Options{Selectable: []string{"spec.a"}}, ``, bare + `,"x-kubernetes-selectable-fields":[{"fieldPath":"spec.a"}]}`},
		{published.Options{V2: true}, `{"type":"object","description":"D","x-kubernetes-preserve-unknown-fields":true}`, bare + `}`},
		{published.Options{V2: true, Open: true}, `{"type":"object","description":"D"}`, bare + `}`},
	} {
		c.o.GVK = gvk
		if got := decode(t, c.o.Append(nil, []byte(c.in))); !reflect.DeepEqual(got, decode(t, []byte(c.want))) {
			t.Errorf("%q: got %v", c.in, got)
		}
	}
}

// FuzzAppend: whatever JSON is stored, what is published is JSON.
func FuzzAppend(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,"anyOf":[null,1]}}}`), true)
	f.Add([]byte(`{"required":"x","properties":[1],"items":true,"allOf":{"a":1},"x-kubernetes-embedded-resource":true}`), false)
	f.Add([]byte(`{"required":[1,"a"],"properties":{"a":{"nullable":true}}}`), true)
	f.Fuzz(func(t *testing.T, raw []byte, v2 bool) {
		if !json.Valid(raw) {
			return
		}
		if out := (published.Options{GVK: gvk, V2: v2}).Append(nil, raw); !json.Valid(out) {
			t.Errorf("%s: %s", raw, out)
		}
	})
}

func decode(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}
