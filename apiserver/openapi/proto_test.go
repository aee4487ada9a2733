package openapi_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	openapi_v3 "github.com/google/gnostic-models/openapiv3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"sigs.k8s.io/yaml"
)

// TestV2AsProtobuf compares the protobuf form with what gnostic makes of the JSON form, as kube-apiserver has it made.
func TestV2AsProtobuf(t *testing.T) {
	url, client := serve(t, peerCatalog(t, readPeer(t).Groups))
	got, err := client.OpenAPISchema() // protobuf
	if err != nil {
		t.Fatal(err)
	}
	body, _ := get(t, url+"/openapi/v2", nil)
	want, err := openapi_v2.ParseDocument([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	readYAML(t, got.ProtoReflect())
	readYAML(t, want.ProtoReflect())
	if len(got.GetDefinitions().GetAdditionalProperties()) < 200 {
		t.Errorf("%d definitions", len(got.GetDefinitions().GetAdditionalProperties()))
	}
	for i, w := range want.GetDefinitions().GetAdditionalProperties() {
		if g := got.GetDefinitions().GetAdditionalProperties()[i]; !proto.Equal(g, w) {
			t.Errorf("got %v\nwant %v", g, w)
		}
	}
	for i, w := range want.GetPaths().GetPath() {
		if g := got.GetPaths().GetPath()[i]; !proto.Equal(g, w) {
			t.Errorf("got %v\nwant %v", g, w)
		}
	}
	if !proto.Equal(got, want) {
		t.Error("the documents differ")
	}
	if strings.Contains(body, "#/components") {
		t.Error("v2 refers to what only v3 has")
	}
}

// readYAML brings the YAML texts inside m into one form.
func readYAML(t *testing.T, m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Name() == "yaml":
			var value any
			if err := yaml.Unmarshal([]byte(v.String()), &value); err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			m.Set(f, protoreflect.ValueOfString(string(raw)))
		case f.Kind() == protoreflect.MessageKind && f.IsList():
			for i := range v.List().Len() {
				readYAML(t, v.List().Get(i).Message())
			}
		case f.Kind() == protoreflect.MessageKind:
			readYAML(t, v.Message())
		}
		return true
	})
}

// TestV3AsProtobuf compares the protobuf form of each document with what gnostic makes of the JSON form, as
// kube-apiserver has it made.
func TestV3AsProtobuf(t *testing.T) {
	c := peerCatalog(t, readPeer(t).Groups)
	c.Put(widget(t, "example.com", "widgets", "Widget"))
	url, client := serve(t, c)
	paths, err := client.OpenAPIV3().Paths()
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 18 {
		t.Errorf("only %d documents", len(paths))
	}
	for path := range paths {
		body, _ := get(t, url+"/openapi/v3/"+path, nil)
		want, err := openapi_v3.ParseDocument([]byte(body))
		if err != nil {
			t.Fatal(path, err)
		}
		raw, h := get(t, url+"/openapi/v3/"+path, map[string]string{"Accept": "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"})
		if got := h.Get("Content-Type"); got != "application/com.github.proto-openapi.spec.v3.v1.0+protobuf" {
			t.Errorf("%s is %s", path, got)
		}
		got := &openapi_v3.Document{}
		if err := proto.Unmarshal([]byte(raw), got); err != nil {
			t.Fatal(path, err)
		}
		readYAML(t, got.ProtoReflect())
		readYAML(t, want.ProtoReflect())
		for i, w := range want.GetComponents().GetSchemas().GetAdditionalProperties() {
			if g := got.GetComponents().GetSchemas().GetAdditionalProperties()[i]; !proto.Equal(g, w) {
				t.Fatalf("%s: got %v\nwant %v", path, g, w)
			}
		}
		for i, w := range want.GetPaths().GetPath() {
			if g := got.GetPaths().GetPath()[i]; !proto.Equal(g, w) {
				t.Fatalf("%s: got %v\nwant %v", path, g, w)
			}
		}
		if !proto.Equal(got, want) {
			t.Errorf("%s: the documents differ", path)
		}
	}
}

// TestForms asks as clients do; the answers are those of kube-apiserver 1.37.2.
func TestForms(t *testing.T) {
	url, _ := serve(t, newCatalog(t))
	const newV2, newV3 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
	const oldV2, oldV3 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
	v2, v3 := "/openapi/v2", "/openapi/v3/apis/apps/v1"
	for _, c := range []struct{ path, accept, want string }{
		{v2, newV2, oldV2}, {v2, oldV2, oldV2}, {v2, "application/yaml", ""}, {v2, newV3, ""}, {v2, "*/*", "application/json"},
		{v3, newV3, oldV3}, {v3, oldV3, oldV3}, {v3, "application/yaml", ""}, {v3, newV2, ""}, {v3, "application/*", "application/json"},
		{v3, "application/json;q=0.1, " + newV3, oldV3}, {v3, newV3 + ";q=0.1, application/json", "application/json"},
		{v3, "*/*, " + newV3, oldV3}, {v3, newV3 + ", application/json", oldV3}, {v3, "image/png, */*;q=0.1", "application/json"},
	} {
		res := do(t, url+c.path, map[string]string{"Accept": c.accept})
		got, code := res.Header.Get("Content-Type"), http.StatusOK
		if c.want == "" {
			code = http.StatusNotAcceptable
		}
		if res.StatusCode != code || c.want != "" && got != c.want {
			t.Errorf("%s as %s: %s, %s", c.path, c.accept, res.Status, got)
		}
	}
}

// TestCompressed: the v2 document is sent compressed to who takes that, which kube-apiserver does with no other.
func TestCompressed(t *testing.T) {
	url, client := serve(t, newCatalog(t))
	for _, accept := range []string{"application/json", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"} {
		plain, _ := get(t, url+"/openapi/v2", map[string]string{"Accept": accept, "Accept-Encoding": "gzip;q=0"})
		res := do(t, url+"/openapi/v2", map[string]string{"Accept": accept, "Accept-Encoding": "deflate, gzip"})
		if got := res.Header.Get("Content-Encoding"); got != "gzip" || !slices.Equal(res.Header["Vary"], []string{"Accept-Encoding", "Accept"}) {
			t.Fatalf("%s: Content-Encoding %q, Vary %q", accept, got, res.Header["Vary"])
		}
		z, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(z)
		if err != nil || string(whole) != plain {
			t.Errorf("%s: %d bytes of %d, %v", accept, len(whole), len(plain), err)
		}
	}
	if res := do(t, url+"/openapi/v3/api/v1", map[string]string{"Accept-Encoding": "gzip"}); res.Header.Get("Content-Encoding") != "" || res.ContentLength <= 0 {
		t.Errorf("v3: %v, %d bytes", res.Header, res.ContentLength)
	}
	if _, err := client.OpenAPISchema(); err != nil { // whose transport takes gzip
		t.Error(err)
	}
}
