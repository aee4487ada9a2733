package schema_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/internal/randschema"
)

func encode(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

// agree compares Prune and Default with their models. It changes obj.
func agree(t *testing.T, s *schema.Schema, obj map[string]any) {
	t.Helper()
	sent := randschema.Copy(obj)
	want, paths := pruned(randschema.Copy(obj), s, "", true, false)
	slices.Sort(paths)
	if got := schema.Prune(obj, s); !slices.Equal(got, paths) || !reflect.DeepEqual(obj, want) {
		t.Fatalf("of %s\nis left %s without %q\n   want %s without %q", encode(sent), encode(obj), got, encode(want), paths)
	}
	if again := schema.Prune(obj, s); len(again) > 0 || !reflect.DeepEqual(obj, want) {
		t.Fatalf("what was pruned is pruned again: %q\n%s", again, encode(obj))
	}
	want = defaulted(randschema.Copy(obj), s)
	schema.Default(obj, s)
	if !reflect.DeepEqual(obj, want) {
		t.Fatalf("%s\nbecomes %s\n   want %s", encode(sent), encode(obj), encode(want))
	}
	schema.Default(obj, s)
	if !reflect.DeepEqual(obj, want) {
		t.Fatalf("what was defaulted is defaulted again: %s", encode(obj))
	}
}

func story(t *testing.T, data []byte) {
	t.Helper()
	source := randschema.New(data)
	props := source.Root()
	s, err := schema.New(props)
	if err != nil {
		t.Fatal(err)
	}
	s.PruneDefaults()
	defer func() {
		if t.Failed() {
			t.Logf("schema %s", encode(props))
		}
	}()
	if obj, ok := source.Matching(props).(map[string]any); ok {
		agree(t, s, obj)
		salvaged := randschema.Copy(any(obj))
		refused := schema.CheckEmbedded(nil, obj, s)
		schema.Coerce(nil, obj, s)
		salvage(t, s, salvaged, obj, refused == nil)
		if refused == nil && schema.CheckEmbedded(nil, obj, s) != nil {
			t.Fatalf("coercing made it worse: %s", encode(obj))
		}
		if more := schema.Coerce(nil, obj, s); len(more) > 0 {
			t.Fatalf("what was coerced is coerced again: %q", more)
		}
		_ = schema.ValidateEmbedded(t.Context(), nil, obj, s)
	}
}

// salvage drops what is malformed in x: nothing more than Coerce does where nothing is, and all but metadata that is no
// object where something is.
func salvage(t *testing.T, s *schema.Schema, x, coerced any, fine bool) {
	t.Helper()
	schema.DropMalformed(x, s)
	if fine && !reflect.DeepEqual(x, coerced) {
		t.Fatalf("%s was salvaged, %s is what there was", encode(x), encode(coerced))
	}
	if err := schema.CheckEmbedded(nil, x, s); err != nil && !strings.HasPrefix(err.Detail, "json: cannot unmarshal") {
		t.Fatalf("%s: %v", encode(x), err)
	}
	again := randschema.Copy(x)
	schema.DropMalformed(again, s)
	if !reflect.DeepEqual(again, x) {
		t.Fatalf("%s is salvaged again: %s", encode(x), encode(again))
	}
}

func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 6000 {
		data := make([]byte, 20+r.IntN(300))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		story(t, data)
	}
}

// FuzzAgree compares Prune and Default with their models, whatever the schema and object.
func FuzzAgree(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("one schema or another"))
	f.Fuzz(story)
}

// FuzzBytes feeds arbitrary JSON as schema and object.
func FuzzBytes(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"type":"array","default":[null],"items":{"type":"object","default":{"b":1}}}}}`), []byte(`{"a":[null,{"c":[[]]}]}`))
	f.Add([]byte(`{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"metadata":{"default":{"labels":1}}}}`), []byte(`{"metadata":{"labels":{"a":null},"x":1}}`))
	f.Add([]byte(`{"x-kubernetes-preserve-unknown-fields":true,"items":{"additionalProperties":true}}`), []byte(`{"a":{"b":1}}`))
	f.Fuzz(func(t *testing.T, schemaText, objectText []byte) {
		s, err := schema.Parse(schemaText)
		if err != nil || s == nil {
			return
		}
		s.PruneDefaults()
		var obj map[string]any
		if utiljson.Unmarshal(objectText, &obj) != nil || obj == nil {
			return
		}
		agree(t, s, obj)
		_ = schema.CheckEmbedded(nil, obj, s)
		schema.Coerce(nil, obj, s)
		_ = schema.ValidateEmbedded(t.Context(), nil, obj, s)
	})
}

// FuzzMetadata compares the short way for metadata with the long one.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","labels":{"a":"b"},"creationTimestamp":null,"finalizers":[],"generation":0}`,
		`{"creationTimestamp":"2020-01-02T03:04:05Z","deletionTimestamp":"2020-01-02T03:04:05+01:00","deletionGracePeriodSeconds":0}`,
		`{"ownerReferences":[{"apiVersion":"v1","kind":"","name":"a","uid":"b","controller":true},{"kind":"x"}]}`,
		`{"managedFields":[{"manager":"m","operation":"Apply","time":"2020-01-02T03:04:05Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}},{"fieldsV1":null}]}`,
		`{"labels":{"a":null},"annotations":null,"Name":"x","uid":1,"ownerReferences":[null],"managedFields":[{}]}`,
		`[]`, `null`, `{"creationTimestamp":"0001-01-01T00:00:00Z"}`, `{"creationTimestamp":"2020-01-02t03:04:05Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var metadata any
		if utiljson.Unmarshal(text, &metadata) != nil {
			return
		}
		want, wantErr := cleaned(metadata)
		if err := schema.CheckMetadata(randschema.Copy(metadata)); (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v, want %v", text, err, wantErr)
		}
		got, _, err := schema.CleanMetadata(metadata)
		if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nbecomes %s, %v\n   want %s, %v", text, encode(got), err, encode(want), wantErr)
		}
	})
}
