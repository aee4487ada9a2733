package crd

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/internal/corpus"
)

// apart is what splitSchemas has to agree with: the decoded data without its schemas, and these.
func apart(data []byte) (head any, schemas []any) {
	var obj map[string]any
	if json.Unmarshal(data, &obj) != nil {
		return nil, nil
	}
	spec, _ := obj["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	for i := range versions {
		schemas = append(schemas, nil)
		version, _ := versions[i].(map[string]any)
		holder, _ := version["schema"].(map[string]any)
		if s, ok := holder["openAPIV3Schema"].(map[string]any); ok {
			schemas[i] = s
			holder["openAPIV3Schema"] = map[string]any{}
		}
	}
	return obj, schemas
}

// checkSplit compares the taking apart of bytes with that of what they decode to. The bytes may be anything: those that
// are no JSON must leave a head or a schema that is none either.
func checkSplit(t *testing.T, data []byte) (taken bool) {
	t.Helper()
	s, ok := splitSchemas(data)
	if !ok {
		return false
	}
	var head any
	err := json.Unmarshal(s.head, &head)
	valid := err == nil
	schemas := make([]any, len(s.schemas))
	for i, raw := range s.schemas {
		if raw != nil && json.Unmarshal(raw, &schemas[i]) != nil {
			valid = false
		}
	}
	if valid != json.Valid(data) {
		t.Fatalf("valid: %v, taken apart: %v\n%s\n%s", json.Valid(data), valid, data, s.head)
	}
	if !valid || hasDuplicates(data) {
		return true
	}
	wantHead, want := apart(data)
	if !reflect.DeepEqual(head, wantHead) || len(want)+len(schemas) > 0 && !reflect.DeepEqual(schemas, want) {
		t.Fatalf("%s\n%v %v\nwant %v %v", data, head, schemas, wantHead, want)
	}
	return true
}

func hasDuplicates(data []byte) bool {
	obj, strict, err := decodeStrict(data)
	return err != nil || obj == nil || len(strict) > 0
}

func TestSplitCorpus(t *testing.T) {
	for _, f := range corpus.SomeCRDs(t) {
		data := corpusJSON(t, f)
		if !checkSplit(t, data) {
			t.Errorf("%s was not taken apart", f)
		}
		var indented []byte
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		indented, err := json.MarshalIndent(v, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if !checkSplit(t, indented) {
			t.Errorf("%s was not taken apart with spaces in it", f)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { "metadata" : { "name" : "a" , "managedFields" : [ ] } , "spec" : { "versions" : [ { "schema" : { "openAPIV3Schema" : { } } } , { } ] } } `,
		`{"spec":{"versions":[{"schema":null},{"schema":{"openAPIV3Schema":null}},3]}}`, `{"spec":{"versions":[]},"spec":{"versions":[{}]}}`,
		`{"a":"\\\"","b":"\\"}`, `{"sp\u0065c":{}}`, `[]`, `{"spec":{"versions":[{`, `{"spec":{"versions":[{},]}}`, `{"a":1}x`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkSplit(t, data) })
}

// TestPack checks that a packed CustomResourceDefinition makes the same kind as the plain one.
func TestPack(t *testing.T) {
	for _, f := range corpus.SomeCRDs(t) {
		data := corpusJSON(t, f)
		want, err := parseHead(data)
		if err != nil {
			t.Fatal(err)
		}
		want.Metadata.ManagedFields = nil
		packed, err := Pack(data)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := parsePacked(packed)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want.Spec.Versions {
			if string(got.schemas.of(i)) != string(want.schemas.of(i)) {
				t.Errorf("%s: another schema in version %d", f, i)
			}
		}
		got.schemas, want.schemas = schemas{}, schemas{}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", f, got, want)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	for _, data := range []string{``, `null`, `[]`, `{"spec":{"versions":[{]}}`, `{}x`} {
		if _, err := Pack([]byte(data)); err == nil {
			t.Errorf("%q was packed", data)
		}
	}
	for _, b := range []string{``, `{}`, "\x01", string(make([]byte, 64))} {
		if _, _, err := parsePacked([]byte(b)); err == nil {
			t.Errorf("%q was unpacked", b)
		}
	}
}

func corpusJSON(t *testing.T, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := yaml.YAMLToJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
