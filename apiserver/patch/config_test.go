package patch

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// viaYAML reads a configuration the long way.
func viaYAML(body []byte) (config resource.Object, strict error, err error) { //nolint:revive // strict is no failure
	raw, err := yaml.YAMLToJSON(body)
	if err != nil {
		return nil, nil, err
	}
	err = kjson.UnmarshalCaseSensitivePreserveInts(raw, &config)
	return config, yaml.UnmarshalStrict(body, &map[string]any{}), err
}

// FuzzConfig compares what is read of a configuration with what YAML's reader makes of it.
func FuzzConfig(f *testing.F) {
	long := strings.Repeat("k", plainKey)
	for _, s := range []string{
		`{}`, `{"a":1,"b":[true,null,"x\n\t\"\\"],"c":{"d":-5}}`, "{\n  \"a\": 1,\n  \"b\": {}\n}\n", `{"a":1.0}`, `{"a":1e3}`, `{"a":12345678901234567890}`,
		`{"a":"é"}`, "{\"a\":\"x\u2028y\"}", `{"a":"é\/"}`, "{\"a\":\t1}", `{"<<":{"a":1},"a":2}`, `{"a":1,"a":2}`, `{"a":1}{"b":2}`, `{"a":01}`, `{"a":-}`,
		`{"` + long + `":1}`, `{"` + long + `k":1}`, `{"` + strings.Repeat(long, 3) + `" : 1}`, `{"a":"` + strings.Repeat(long, 3) + `"}`, "a: 1\n", `{"a":"\b\f\r"}`,
		"{\"a\":\"\x7f\"}", `{"a":1,}`, `{"a":"---"}`, "{\n---\n}", `{"a":True}`, `{"a":y}`, `{"":1}`, `{"a" :1}`, `{"a":"b#c"} #d`, `{"a":-0}`, `[1]`, `{"a":"<<"}`, `{"a": !x "b"}`, `{a: 1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, strict, err := viaYAML(body)
		p, gotErr := Parse(Apply, body, Options{})
		if (gotErr == nil) != (err == nil) {
			t.Fatalf("%q: got error %v, want %v", body, gotErr, err)
		}
		if err != nil {
			return
		}
		if want == nil {
			want = resource.Object{}
		}
		if (strict == nil) != (len(p.Strict) == 0) || !reflect.DeepEqual(p.Config, want) {
			t.Errorf("%q: got %v and %v, want %v and %v", body, p.Config, p.Strict, want, strict)
		}
	})
}

func TestProgramsApplyPlainJSON(t *testing.T) {
	for body, want := range map[string]bool{
		`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"two\nlines"},"n":[1,-2,true,null]}`: true,
		"{\n  \"a\": 1\n}\n": true, `{"a":1.5}`: false, `{"a":"é"}`: false, "a: 1": false, "": false, `{"<<":1}`: false, `{"a":"<<"}`: true,
		`{"a":"` + strings.Repeat("x", 2000) + `"}`: true, `{"` + strings.Repeat("x", 2000) + `": 1}`: false,
	} {
		if got := isPlainJSON([]byte(body)); got != want {
			t.Errorf("%.80s: %t", body, got)
		}
		if want && !json.Valid([]byte(body)) {
			t.Errorf("%.80s is not JSON", body)
		}
	}
}
