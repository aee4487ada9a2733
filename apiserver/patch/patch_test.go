package patch_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"

	"github.com/keelson-project/keelson/apiserver/patch"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/internal/randschema"
)

func decode(t testing.TB, text string) resource.Object {
	t.Helper()
	obj, err := resource.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func encode(t testing.TB, obj any) string {
	t.Helper()
	encoded, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// TestPatches checks what patches make of an object, or how they fail.
func TestPatches(t *testing.T) {
	const object = `{"kind":"Pod","metadata":{"labels":{"a":"1"},"name":"x"},"spec":{"containers":[{"image":"i","name":"c"},{"image":"j","name":"d"}],"n":7,"o":null}}`
	many := "[" + strings.Repeat(`{"op":"test","path":"/kind","value":"Pod"},`, patch.MaxOperations) + `{"op":"test","path":"/kind","value":"Pod"}]`
	for _, c := range []struct {
		name  string
		kind  patch.Type
		patch string
		want  string // the object, or part of it
		err   error
		text  string
	}{
		{"add, remove, replace", patch.JSON, `[{"op":"add","path":"/metadata/labels/b","value":"2"},{"op":"remove","path":"/spec/n"},{"op":"replace","path":"/kind","value":"P"}]`, `{"kind":"P","metadata":{"labels":{"a":"1","b":"2"},"name":"x"},"spec":{"containers":[{"image":"i","name":"c"},{"image":"j","name":"d"}],"o":null}}`, nil, ""},
		{"elements of lists", patch.JSON, `[{"op":"add","path":"/spec/containers/-","value":1},{"op":"remove","path":"/spec/containers/0"},{"op":"add","path":"/spec/containers/-1","value":0}]`, `"containers":[{"image":"j","name":"d"},1,0]`, nil, ""},
		{"escaped names", patch.JSON, `[{"op":"add","path":"/metadata/labels/a~1b~0c","value":"2"}]`, `"a/b~c":"2"`, nil, ""},
		{"copy and move", patch.JSON, `[{"op":"copy","from":"/metadata/labels","path":"/spec/copied"},{"op":"move","from":"/spec/n","path":"/spec/m"}]`, `"copied":{"a":"1"},"m":7,"o":null`, nil, ""},
		{"a test that holds", patch.JSON, `[{"op":"test","path":"/spec/n","value":7},{"op":"test","path":"/spec/o","value":null},{"op":"test","path":"/metadata/labels","value":{"a":"1"}}]`, object, nil, ""},
		{"a test that fails", patch.JSON, `[{"op":"test","path":"/spec/n","value":8}]`, "", patch.ErrNotApplicable, "testing value /spec/n failed: test failed"},
		{"remove what is not there", patch.JSON, `[{"op":"remove","path":"/spec/x"}]`, "", patch.ErrNotApplicable, "error in remove for path: '/spec/x': Unable to remove nonexistent key: x: missing value"},
		{"replace what is not there", patch.JSON, `[{"op":"replace","path":"/spec/x","value":1}]`, `"o":null,"x":1`, nil, ""},
		{"add below nothing", patch.JSON, `[{"op":"add","path":"/a/b","value":1}]`, "", patch.ErrNotApplicable, `add operation does not apply: doc is missing path: "/a/b": missing value`},
		{"an unknown operation", patch.JSON, `[{"op":"swap","path":"/a"}]`, "", patch.ErrNotApplicable, "Unexpected kind: swap"},
		{"an index that is none", patch.JSON, `[{"op":"remove","path":"/spec/containers/7"}]`, "", patch.ErrNotApplicable, "error in remove for path: '/spec/containers/7': Unable to access invalid index: 7: invalid index referenced"},
		{"no list of operations", patch.JSON, `{"op":"test"}`, "", patch.ErrMalformed, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"},
		{"no operation", patch.JSON, `[{"op":1}]`, "", patch.ErrMalformed, "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"},
		{"no JSON", patch.JSON, `[`, "", patch.ErrMalformed, "invalid JSON patch"},
		{"too many operations", patch.JSON, many, "", patch.ErrTooLarge, "The allowed maximum operations in a JSON patch is 10000, got 10001"},
		{"too much copied", patch.JSON, `[{"op":"add","path":"/big","value":"` + strings.Repeat("x", 1<<20) + `"},{"op":"copy","from":"/big","path":"/1"},{"op":"copy","from":"/big","path":"/2"},{"op":"copy","from":"/big","path":"/3"},{"op":"copy","from":"/big","path":"/4"}]`, "", patch.ErrNotApplicable, "Unable to complete the copy, the accumulated size increase of copy is 3145734, exceeding the limit 3145728"},
		{"what is no object any more", patch.JSON, `[{"op":"replace","path":"","value":1}]`, "", patch.ErrNotApplicable, "replace operation value must be object or array: %!w(<nil>)"},
		{"what the library does not survive", patch.JSON, `[{"op":"test","path":""}]`, "", patch.ErrNotApplicable, "the patch cannot be applied"},

		{"merge", patch.Merge, `{"kind":null,"spec":{"n":{"a":null,"b":1},"containers":[{"x":null}]},"new":[{"x":null}]}`, `{"metadata":{"labels":{"a":"1"},"name":"x"},"new":[{}],"spec":{"containers":[{}],"n":{"b":1},"o":null}}`, nil, ""},
		{"merge nothing", patch.Merge, `{}`, object, nil, ""},
		{"merge null", patch.Merge, `null`, "", patch.ErrMalformed, "Invalid JSON Patch"},
		{"merge a list", patch.Merge, `[]`, "", patch.ErrMalformed, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"},
		{"merge no JSON", patch.Merge, `{`, "", patch.ErrMalformed, "invalid JSON patch"},

		{"strategic", patch.Strategic, `{"spec":{"containers":[{"name":"d","image":"k"},{"name":"e"}]}}`, `"containers":[{"image":"i","name":"c"},{"image":"k","name":"d"},{"name":"e"}]`, nil, ""},
		{"strategic deletion", patch.Strategic, `{"spec":{"containers":[{"name":"c","$patch":"delete"}],"n":null}}`, `"spec":{"containers":[{"image":"j","name":"d"}],"o":null}`, nil, ""},
		{"strategic replacement", patch.Strategic, `{"metadata":{"labels":{"$patch":"replace","z":"1"}}}`, `"labels":{"z":"1"}`, nil, ""},
		{"strategic without the merge key", patch.Strategic, `{"spec":{"containers":[{"image":"k"}]}}`, "", nil, "map: map[image:k] does not contain declared merge key: name"},
		{"strategic list", patch.Strategic, `[]`, "", patch.ErrMalformed, "json: cannot unmarshal array into Go value of type map[string]interface {}"},
		{"strategic directive", patch.Strategic, `{"spec":{"$patch":"odd"}}`, "", nil, "unknown patch type: odd in map: map[$patch:odd]"},

		{"another type", "text/plain", `{}`, "", patch.ErrUnsupported, `patch type "text/plain"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := patch.Parse(c.kind, []byte(c.patch), patch.Options{GoType: &corev1.Pod{}})
			var got resource.Object
			for range 2 { // a patch can be applied again
				if err == nil {
					got, err = p.Apply(decode(t, object))
				}
			}
			if c.text != "" {
				if err == nil || err.Error() != c.text || c.err != nil && !errors.Is(err, c.err) {
					t.Errorf("got %s, %v; want %v: %s", encode(t, got), err, c.err, c.text)
				}
				return
			}
			if err != nil || !strings.Contains(encode(t, got), c.want) {
				t.Errorf("got %s, %v\nwant %s", encode(t, got), err, c.want)
			}
		})
	}
}

// TestStrict checks what strict validation is told of the patch itself.
func TestStrict(t *testing.T) {
	for _, c := range []struct {
		kind        patch.Type
		patch, want string
	}{
		{patch.JSON, `[{"op":"add","path":"/a","value":1,"foo":2,"op":"add"}]`, `json patch unknown field "[0].foo" | json patch duplicate field "[0].op"`},
		{patch.Merge, `{"a":{"b":1,"b":2}}`, `duplicate field "a.b"`},
		{patch.Strategic, `{"a":1,"a":2}`, `duplicate field "a"`},
		{patch.Apply, "a: 1\na: 2\n", "error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key \"a\" already set in map"},
		{patch.Merge, `{"A":1,"a":2}`, ``},
	} {
		p, err := patch.Parse(c.kind, []byte(c.patch), patch.Options{GoType: &corev1.Pod{}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.Strict, " | "); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.kind, c.patch, got, c.want)
		}
	}
	if p, err := patch.Parse(patch.JSON, []byte(`{}`), patch.Options{Ignore: true}); err != nil {
		t.Error(err)
	} else if _, err := p.Apply(resource.Object{}); err == nil || err.Error() != "json: cannot unmarshal object into Go value of type jsonpatch.Patch" {
		t.Error(err)
	}
	if _, err := patch.Parse(patch.Strategic, []byte(`{}`), patch.Options{}); !errors.Is(err, patch.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := patch.Parse(patch.Apply, []byte("a: ["), patch.Options{}); !errors.Is(err, patch.ErrMalformed) || !strings.HasPrefix(err.Error(), "error encoding patch: ") {
		t.Error(err)
	}
}

// TestShown checks how a patch appears in errors of the object that it made.
func TestShown(t *testing.T) {
	for kind, want := range map[patch.Type]string{patch.Merge: `{"a":1,"b":{"c":2}}`, patch.Strategic: `map[b:map[c:2]]`} {
		p, err := patch.Parse(kind, []byte(`{"b":{"c":2}}`), patch.Options{GoType: &corev1.Pod{}})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Shown(decode(t, `{"a":1,"b":{"c":2}}`)); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

// merged compares a merge with that of the library that Kubernetes uses, on bytes.
func merged(t *testing.T, object, change map[string]any) {
	t.Helper()
	doc, body := encode(t, object), encode(t, change)
	want, err := jsonpatch.MergePatch([]byte(doc), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	p, err := patch.Parse(patch.Merge, []byte(body), patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Apply(decode(t, doc))
	if err != nil || !reflect.DeepEqual(got, decode(t, string(want))) {
		t.Fatalf("%s\nmerged into %s\nis %s, %v\nwant %s", body, doc, encode(t, got), err, want)
	}
}

func TestRandomMerges(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 5000 {
		data := make([]byte, 120)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		s := randschema.New(data)
		object, isObject := s.Value(4).(map[string]any)
		change, isPatch := s.Changed(object, nil).(map[string]any)
		if isObject && isPatch {
			change["extra"] = s.Value(3)
			merged(t, object, change)
		}
	}
}

// FuzzPatch feeds arbitrary patches of all types to arbitrary objects.
func FuzzPatch(f *testing.F) {
	object := []byte(`{"metadata":{"name":"x","labels":{"a":"1"}},"spec":{"containers":[{"name":"c","ports":[{"containerPort":1}]}],"l":[[1],null]}}`)
	for _, seed := range []string{
		`[{"op":"add","path":"/spec/l/-","value":{}},{"op":"move","from":"/spec/l/0","path":"/x"},{"op":"copy","from":"/x","path":"/spec/l/0/0"}]`,
		`[null]`, `[{}]`, `[{"op":"test","path":""}]`, `[{"op":"replace","path":"/spec/l/1/x","value":null}]`, `[{"op":"remove","path":"/spec/l/-5"}]`,
		`{"spec":{"containers":[{"name":"c","$patch":"delete"}],"$setElementOrder/containers":[{"name":"d"}],"$retainKeys":["a"]}}`,
		`{"spec":{"containers":{"a":1},"$deleteFromPrimitiveList/l":[1]},"metadata":null}`, `null`, `a: [b]`,
	} {
		f.Add([]byte(seed), object)
	}
	f.Fuzz(func(t *testing.T, body, object []byte) {
		obj, err := resource.Decode(object)
		if err != nil {
			return
		}
		for _, kind := range []patch.Type{patch.JSON, patch.Merge, patch.Strategic, patch.Apply} {
			p, err := patch.Parse(kind, body, patch.Options{GoType: &corev1.Pod{}})
			if err != nil || p.Config != nil {
				continue
			}
			patched, err := p.Apply(resource.DeepCopy(obj))
			if err != nil {
				continue
			}
			if _, err := resource.Encode(patched); err != nil {
				t.Errorf("%s %s makes what cannot be encoded: %v", kind, body, err)
			}
			again, err := p.Apply(resource.DeepCopy(obj))
			if err != nil || !reflect.DeepEqual(patched, again) {
				t.Errorf("%s %s does something else the second time: %v", kind, body, err)
			}
		}
	})
}
