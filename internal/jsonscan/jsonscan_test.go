package jsonscan_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/keelson-project/keelson/internal/jsonscan"
)

func ExampleGet() {
	b := []byte(`{"kind":"Pod","metadata":{"name":"web-0","labels":{"a":"b"}},"spec":{"nodeName":"n1"}}`)
	fmt.Println(jsonscan.String(jsonscan.Get(b, "metadata", "name")), string(jsonscan.Get(b, "metadata", "labels")))
	fmt.Println(jsonscan.Get(b, "spec", "absent") == nil)
	// Output:
	// web-0 {"a":"b"}
	// true
}

// decode rebuilds a value with the scanner alone, so that the fuzzer can compare it with encoding/json.
func decode(t *testing.T, raw []byte) any {
	switch raw[0] {
	case '{':
		m := map[string]any{}
		for k, v := range jsonscan.Members(raw) {
			m[jsonscan.String(append(append([]byte{'"'}, k...), '"'))] = decode(t, v)
		}
		return m
	case '[':
		l := []any{}
		for v := range jsonscan.Elements(raw) {
			l = append(l, decode(t, v))
		}
		return l
	default:
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("the scanner cut out %q: %v", raw, err)
		}
		return v
	}
}

// deepest is how deep b nests at most, byte by byte.
func deepest(b []byte) (most int) {
	depth, inString, escaped := 0, false, false
	for _, c := range b {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `{"a":[1,2,{"b":null}],"c":"d\"e","f":-1.5e3}`, ` { "a" : [ ] , "b" : true } `, `{"a":`, `{"a"`, `[1,`, `"\`, `{"":""}`, `[["[[[["]]`, `[["\\\"[[[["`, `]][[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range jsonscan.Members(b) { // must not panic, whatever b is
			jsonscan.Text(v)
		}
		for range jsonscan.Elements(b) {
		}
		jsonscan.Get(b, "a", "b")
		for limit := range 4 {
			if got, want := jsonscan.Deeper(b, limit), deepest(b) > limit; got != want {
				t.Fatalf("%q is deeper than %d: %t", b, limit, got)
			}
		}
		var want any
		if json.Unmarshal(b, &want) != nil {
			return
		}
		start := 0
		for b[start] == ' ' || b[start] == '\n' || b[start] == '\t' || b[start] == '\r' {
			start++
		}
		end := jsonscan.Skip(b, start)
		if end < 0 {
			t.Fatalf("no value found in %q", b)
		}
		if got := decode(t, b[start:end]); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: scanned %v, encoding/json says %v", b, got, want)
		}
	})
}
