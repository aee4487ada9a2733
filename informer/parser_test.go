package informer

import (
	"reflect"
	"testing"
)

// FuzzParser compares the parser with the decoder of the rest of Kubernetes.
func FuzzParser(f *testing.F) {
	for _, s := range []string{
		`{}`, ` {"a":[1,-0,1.5,1e3,9223372036854775808,true,null,"x\ny\u00e9",{}],"b":{"c":[]}} `, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `[]`, `null`,
		`{"a":1}x`, `{"a":1,}`, "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, `{"metadata":{"managedFields":[1],"name":"n"}}`, `{"a":1e400}`, `{"a":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := slowObject(data)
		got, err := (&parser{keepManagedFields: true, detach: len(data)%2 == 0}).object(data)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, but %v is right", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%#v, but %#v is right", got, want)
		}
		got, err = (&parser{}).object(data)
		if wantErr == nil {
			if metadata, ok := want["metadata"].(map[string]any); ok {
				delete(metadata, "managedFields")
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("without managedFields: %#v, %v", got, err)
			}
		}
	})
}
