package resource_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/keelson-project/keelson/apiserver/resource"
)

func ExampleWithRevision() {
	stored := []byte(`{"kind":"ConfigMap","metadata":{"name":"settings"}}`)
	data, err := resource.WithRevision(stored, 42)
	fmt.Println(string(data), err)
	// Output: {"kind":"ConfigMap","metadata":{"resourceVersion":"42","name":"settings"}} <nil>
}

func ExampleProject() {
	data := []byte(`{"metadata":{"name":"web-0","namespace":"shop","labels":{"app":"web"}},"spec":{"nodeName":"n1"}}`)
	p := resource.Project(data, []resource.SelectableField{{Name: "spec.nodeName", Path: []string{"spec", "nodeName"}}})
	fmt.Println(p.Namespace, p.Name, p.Labels.Get("app"), p.Fields)
	// Output: shop web-0 web [n1]
}

func ExampleCatalog() {
	c := resource.NewCatalog()
	c.Put(&resource.Definition{
		Group: "example.com", Names: resource.Names{Plural: "websites", Kind: "Website"},
		Versions: []resource.Version{{Name: "v1", Served: true}},
	})
	fmt.Println(c.Lookup("example.com", "websites").APIVersion("v1"), c.HasGroup("example.com", "v2"))
	// Output: example.com/v1 false
}

// FuzzEncode: what Decode makes of a document, Encode writes so that it reads back the same, with the keys in
// order, and byte for byte the same a second time.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{`{}`, `{"b":1,"a":[1.5,-3,1e300,null,true,"x\n\u0001\"\\é"],"c":{"d":{}}}`, `{"a":12345678901234567890}`, `{"\u2028":"<&>"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		obj, err := resource.Decode(b)
		if err != nil {
			return
		}
		data, err := resource.Encode(obj)
		if err != nil {
			t.Fatalf("cannot encode what was decoded from %q: %v", b, err)
		}
		if !json.Valid(data) {
			t.Fatalf("%q was encoded as %q, which is no JSON", b, data)
		}
		again, err := resource.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		// A float without a fraction comes back as an integer, as in Kubernetes: compare from here on.
		second, err := resource.Encode(again)
		if err != nil || string(second) != string(data) {
			t.Fatalf("not canonical: %q then %q (%v)", data, second, err)
		}
		if copied := resource.DeepCopy(again); !reflect.DeepEqual(copied, again) {
			t.Fatalf("DeepCopy differs: %v", copied)
		}
	})
}

// FuzzWithRevision: splicing agrees with decoding, setting and encoding.
func FuzzWithRevision(f *testing.F) {
	for _, s := range []string{`{"metadata":{}}`, `{"metadata":{"name":"a"}}`, `{"a":{"metadata":{}},"metadata":{"resourceVersion":"7","name":"b"}}`, `{"metadata":null}`} {
		f.Add([]byte(s), int64(42))
	}
	f.Fuzz(func(t *testing.T, b []byte, rev int64) {
		if rev < 0 {
			return
		}
		obj, err := resource.Decode(b)
		if err != nil {
			return
		}
		data, err := resource.Encode(obj) // splicing is promised for what Encode writes
		if err != nil {
			return
		}
		got, err := resource.WithRevision(data, rev)
		meta, isMap := obj["metadata"].(map[string]any)
		if !isMap {
			if err == nil {
				t.Fatalf("%q has no metadata, but got %q", data, got)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		meta["resourceVersion"] = fmt.Sprint(rev)
		var want, have any
		raw, _ := resource.Encode(obj)
		_ = json.Unmarshal(raw, &want)
		if err := json.Unmarshal(got, &have); err != nil || !reflect.DeepEqual(want, have) {
			t.Fatalf("spliced %q, want %q (%v)", got, raw, err)
		}
	})
}

func TestProjectionReadsMetadata(t *testing.T) {
	p := resource.Project([]byte(`{"metadata":{"name":"a","namespace":"n","uid":"u","finalizers":["f"],
		"deletionTimestamp":"2026-01-01T00:00:00Z","labels":{"z":"1","a":"\u00e9"},
		"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"o","controller":true}]}}`), nil)
	want := resource.Projection{
		Name: "a", Namespace: "n", UID: "u", Finalizing: true, Deleting: true, Labels: resource.Pairs{"a", "é", "z", "1"},
		Owners: []resource.Owner{{APIVersion: "v1", Kind: "Pod", Name: "p", UID: "o", Controller: true}},
	}
	if !reflect.DeepEqual(p, want) {
		t.Fatalf("got %+v, want %+v", p, want)
	}
	if !labels.SelectorFromSet(labels.Set{"z": "1"}).Matches(p.Labels) || p.Labels.Has("b") {
		t.Fatal("Pairs do not behave like the map they stand for")
	}
}

func TestFieldText(t *testing.T) {
	data := []byte(`{"spec":{"on":true,"n":3,"s":"x","o":{}},"old":{"s":"y"}}`)
	for _, c := range []struct {
		field resource.SelectableField
		want  string
	}{
		{resource.SelectableField{Path: []string{"spec", "on"}}, "true"},
		{resource.SelectableField{Path: []string{"spec", "n"}}, "3"},
		{resource.SelectableField{Path: []string{"spec", "s"}}, "x"},
		{resource.SelectableField{Path: []string{"spec", "o"}}, ""},
		{resource.SelectableField{Path: []string{"spec", "gone"}, Default: "d"}, "d"},
		{resource.SelectableField{Path: []string{"spec", "gone"}, Or: []string{"old", "s"}}, "y"},
	} {
		if got := c.field.Text(data); got != c.want {
			t.Errorf("%v: got %q, want %q", c.field.Path, got, c.want)
		}
	}
}

func TestPartialMetadataAndVersion(t *testing.T) {
	data := []byte(`{"apiVersion":"e.com/v1","kind":"K","metadata":{"name":"a"},"spec":{}}`)
	if got := string(resource.PartialMetadata(data, "v1")); got != `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a"}}` {
		t.Error(got)
	}
	if got := string(resource.WithAPIVersion(data, "e.com/v2")); got != `{"apiVersion":"e.com/v2","kind":"K","metadata":{"name":"a"},"spec":{}}` {
		t.Error(got)
	}
}

func BenchmarkEncode(b *testing.B) {
	obj := resource.Object{"apiVersion": "v1", "kind": "K", "metadata": map[string]any{"name": "a", "labels": map[string]any{"a": "b"}}}
	spec := map[string]any{}
	for i := range 40 {
		spec[fmt.Sprintf("field%02d", i)] = "some value of a usual length"
	}
	obj["spec"] = spec
	b.ReportAllocs()
	for b.Loop() {
		if _, err := resource.Encode(obj); err != nil {
			b.Fatal(err)
		}
	}
}

func TestHasAPIVersion(t *testing.T) {
	for _, c := range []struct {
		data, group, version string
		want                 bool
	}{
		{`{"apiVersion":"e.com/v1","kind":"K"}`, "e.com", "v1", true},
		{`{"apiVersion":"e.com/v1","kind":"K"}`, "e.com", "v1beta1", false},
		{`{"apiVersion":"e.com/v1beta1","kind":"K"}`, "e.com", "v1", false},
		{`{"apiVersion":"e.com/v1","kind":"K"}`, "f.com", "v1", false},
		{`{"kind":"K", "apiVersion" : "e.com/v1"}`, "e.com", "v1", true}, // not canonical
		{`{"apiVersion":"v1","kind":"K"}`, "", "v1", true},
		{`{"apiVersion":"v1","kind":"K"}`, "v1", "", false},
		{`{"apiVersion":7}`, "e.com", "v1", false},
		{`{"apiVersion":"e.c`, "e.com", "v1", false},
		{``, "e.com", "v1", false},
	} {
		if got := resource.HasAPIVersion([]byte(c.data), c.group, c.version); got != c.want {
			t.Errorf("%s is of %s/%s: %t", c.data, c.group, c.version, got)
		}
	}
	data := []byte(`{"apiVersion":"e.com/v1","kind":"K"}`)
	if n := testing.AllocsPerRun(100, func() { resource.HasAPIVersion(data, "e.com", "v1") }); n > 0 {
		t.Errorf("%v allocations to look at a version", n)
	}
}

func TestMetadataAlone(t *testing.T) {
	data := []byte(`{"apiVersion":"e.com/v1","kind":"K","metadata":{"name":"a"},"spec":{}}`)
	if got := string(resource.MetadataAlone(data, "e.com/v2", "K")); got != `{"apiVersion":"e.com/v2","kind":"K","metadata":{"name":"a"}}` {
		t.Error(got)
	}
}

func TestCatalogKnowsWhatIsBuiltIn(t *testing.T) {
	c := resource.NewCatalog()
	names := func() (out []string) {
		for _, d := range c.BuiltIn("apps.example.com") {
			out = append(out, d.Names.Plural)
		}
		slices.Sort(out)
		return out
	}
	put := func(plural string, custom bool) {
		c.Put(&resource.Definition{Group: "apps.example.com", Names: resource.Names{Plural: plural}, Custom: custom})
	}
	want := func(plurals ...string) {
		t.Helper()
		if got := names(); !slices.Equal(got, plurals) {
			t.Errorf("built in are %v, want %v", got, plurals)
		}
	}
	want()
	put("widgets", true)
	want()
	put("gadgets", false)
	put("gadgets", false)
	put("tools", false)
	want("gadgets", "tools")
	put("tools", true)
	want("gadgets")
	c.Remove("apps.example.com", "gadgets")
	c.Remove("apps.example.com", "gadgets")
	want()
}

func TestEqual(t *testing.T) {
	values := []any{
		nil, true, false, int64(1), float64(1), 1.5, "", "1", map[string]any{}, []any{}, map[string]any{"a": nil}, map[string]any{"b": nil},
		map[string]any{"a": []any{int64(1)}}, map[string]any{"a": []any{int64(1), int64(2)}}, []any{"x"}, []any{map[string]any{"a": "b"}}, json.RawMessage("1"),
	}
	for _, a := range values {
		for _, b := range values {
			if got, want := resource.Equal(a, b), reflect.DeepEqual(a, b); got != want {
				t.Errorf("%#v and %#v: %t", a, b, got)
			}
		}
	}
}
