package packed_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	goruntime "runtime"
	"strings"
	"testing"
	"unicode/utf8"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/internal/packed"
)

func Example() {
	keys := packed.NewKeys()
	p := packed.Packer{Keys: keys, DropManagedFields: true}
	v, _ := p.Pack([]byte(`{"metadata":{"name":"web","managedFields":[{}]},"spec":{"replicas":3}}`))
	fmt.Println(keys.Text(keys.Find(v, "metadata", "name")), keys.Int(keys.Find(v, "spec", "replicas")))
	fmt.Println(string(keys.AppendJSON(nil, v)), len(v), "bytes")
	// Output:
	// web 3
	// {"metadata":{"name":"web"},"spec":{"replicas":3}} 18 bytes
}

var seeds = []string{
	`{}`, ` {"a":[1,-0,1.5,1e3,9223372036854775807,9223372036854775808,-9223372036854775808,true,false,null,"x\ny\u00e9",{}],"b":{"c":[]}} `,
	`{"a":01}`, `{"a":1.}`, `{"a":-}`, `[]`, `null`, `{"a":1}x`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, "{\"a\":\"\xff\"}", `{"a":1,"a":2}`,
	`{"metadata":{"managedFields":[1],"name":"n"}}`, `{"metadata":{"name":"n","managedFields":[1]}}`, `{"metadata":{"managedFields":[1]}}`,
	`{"metadata":{"managedFields":[1],}}`, `{"a":1e400}`, `{"a":"\ud800"}`, `{"a":"\ud83d\ude00\ud83dx"}`, `{"a":"\u12"}`, `{"a":"\q"}`, `{"a":"\`,
	`{"kind":"A","apiVersion":"v1","namespace":"","x":{"kind":"A","kind":1}}`, `{"a":63,"b":64,"c":-1,"d":127,"e":1234567890123456789}`,
	`{"` + strings.Repeat("k", 100) + `":"` + strings.Repeat("v", 300) + `"}`, strings.Repeat("[", 600), `{"":""}`, `"é"`,
}

// FuzzPack compares with the decoder of the rest of Kubernetes.
func FuzzPack(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys := packed.NewKeys()
		p := packed.Packer{Keys: keys}
		v, ok := p.Pack(data)
		if !ok {
			return // the ordinary decoder is asked
		}
		var want any
		if err := utiljson.Unmarshal(data, &want); err != nil {
			t.Fatalf("packed what is wrong: %v", err)
		}
		detached, _ := keys.DecodeSized(v, true)
		for _, got := range []any{keys.Decode(v), detached} {
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%#v, but %#v is right", got, want)
			}
		}
		if !json.Valid(keys.AppendJSON(nil, v)) {
			t.Fatalf("%s is no JSON", keys.AppendJSON(nil, v))
		}
		again, ok := p.Pack(keys.AppendJSON(nil, v))
		if !ok || again != v {
			t.Fatalf("%q of its own JSON, not %q", again, v)
		}
		if m, ok := want.(map[string]any); ok {
			seen := map[string]any{}
			for name, v := range keys.Members(v) {
				seen[name] = keys.Decode(v)
			}
			if !reflect.DeepEqual(seen, m) {
				t.Fatalf("members %#v of %#v", seen, m)
			}
		}
		p.DropManagedFields = true
		v, ok = p.Pack(data)
		if !ok {
			t.Fatal("not without managedFields")
		}
		if m, ok := want.(map[string]any); ok {
			if m, ok := m["metadata"].(map[string]any); ok {
				delete(m, "managedFields")
			}
		}
		if got := keys.Decode(v); !reflect.DeepEqual(got, want) {
			t.Fatalf("without managedFields: %#v, but %#v is right", got, want)
		}
	})
}

// What is ordinary JSON must not need the ordinary decoder.
func TestPacksWhatServersSend(t *testing.T) {
	p := packed.Packer{Keys: packed.NewKeys()}
	for _, s := range seeds {
		var v any
		want := json.Unmarshal([]byte(s), &v) == nil && utf8.ValidString(s)
		if _, ok := p.Pack([]byte(s)); ok != want {
			t.Errorf("%.40q: packed %v", s, ok)
		}
	}
}

func TestDictionaryIsBounded(t *testing.T) {
	keys := packed.NewKeys()
	p := packed.Packer{Keys: keys}
	for i := range 10_000 {
		text := fmt.Appendf(nil, `{"key-%d":"value-%d","last":true}`, i, i)
		v, ok := p.Pack(text)
		if got := keys.AppendJSON(nil, v); !ok || string(got) != string(text) {
			t.Fatalf("%s, not %s", got, text)
		}
		if keys.Text(keys.Find(v, fmt.Sprintf("key-%d", i))) != fmt.Sprintf("value-%d", i) || keys.Find(v, "last") == "" || keys.Find(v, "last", "x") != "" {
			t.Fatalf("not found in %s", text)
		}
	}
	if keys.Len() > 5000 {
		t.Errorf("%d keys", keys.Len())
	}
}

// What DecodeSized tells is about what the heap takes.
func TestSize(t *testing.T) {
	p := packed.Packer{Keys: packed.NewKeys(), DropManagedFields: true}
	data := object()
	for _, detached := range []bool{false, true} {
		const n = 5000
		kept := make([]any, n)
		told := 0
		var before, after goruntime.MemStats
		goruntime.GC()
		goruntime.ReadMemStats(&before)
		for i := range kept {
			v, _ := p.Pack(data)
			var size int
			kept[i], size = p.Keys.DecodeSized(v, detached)
			told += size
		}
		goruntime.GC()
		goruntime.ReadMemStats(&after)
		is := int(after.HeapAlloc - before.HeapAlloc)
		if told < is*8/10 || told > is*12/10 {
			t.Errorf("detached %v: told %d bytes each, %d are taken", detached, told/n, is/n)
		}
		goruntime.KeepAlive(kept)
	}
}
