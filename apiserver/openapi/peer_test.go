package openapi_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/builtin"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd"
	"github.com/keelson-project/keelson/crd/rules"
	"github.com/keelson-project/keelson/internal/corpus"
)

// peerAnswers is what compat/documents writes.
type peerAnswers struct {
	Groups []string
	V3     map[string]map[string]any
	V2     map[string]any
}

func readPeer(t *testing.T) (a peerAnswers) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "peer.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// peerCatalog serves what is built in and the corpus' kinds of some groups.
func peerCatalog(t *testing.T, groups []string) *resource.Catalog {
	t.Helper()
	c := resource.NewCatalog()
	for _, d := range builtin.Definitions(builtin.Options{}) {
		c.Put(d)
	}
	c.Put(crd.Definition(crd.NewInstaller(crd.Config{Catalog: c})))
	for _, file := range corpus.CRDs(t) {
		_, group, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".yaml"), ".")
		if !slices.Contains(groups, group) {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		obj := map[string]any{}
		if err := yaml.Unmarshal(raw, &obj); err != nil {
			t.Fatal(err)
		}
		rules.Default(obj)
		if raw, err = json.Marshal(obj); err != nil {
			t.Fatal(err)
		}
		d, err := crd.ParseDefinition(raw)
		if err != nil {
			t.Fatal(file, err)
		}
		c.Put(d)
	}
	return c
}

// TestLikePeer compares documents with those that kube-apiserver 1.37.2 gave, whole; in v2 also all definitions that are
// not of custom kinds. What Keelson does not publish, since it does not serve it: media types of protobuf.
func TestLikePeer(t *testing.T) {
	peer := readPeer(t)
	url, _ := serve(t, peerCatalog(t, peer.Groups))
	if len(peer.V3) < 12 {
		t.Errorf("only %d documents", len(peer.V3))
	}
	for path, want := range peer.V3 {
		forgetProtobuf(want)
		body, _ := get(t, url+"/openapi/v3/"+path, nil)
		report(t, path, decode(t, []byte(body)), want)
	}
	body, _ := get(t, url+"/openapi/v2", nil)
	got := decode(t, []byte(body))
	for _, section := range []string{"paths", "definitions", "parameters"} {
		ours, theirs := got[section].(map[string]any), peer.V2[section].(map[string]any)
		for name, w := range theirs {
			custom := strings.HasPrefix(name, "/apis/") || section == "definitions" && !strings.HasPrefix(name, "io.k8s.")
			if ours[name] != nil || custom {
				report(t, "v2 "+name, ours[name], w)
			}
		}
		for name := range ours {
			if theirs[name] == nil && section != "paths" {
				t.Errorf("v2 %s: %s is ours alone", section, name)
			}
		}
	}
	for name, w := range peer.V2 {
		if name != "paths" && name != "definitions" && name != "parameters" && name != "info" {
			report(t, "v2 "+name, got[name], w)
		}
	}
}

// forgetProtobuf removes the media types of protobuf from v.
func forgetProtobuf(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if strings.HasPrefix(name, "application/vnd.kubernetes.protobuf") {
				delete(v, name)
				continue
			}
			forgetProtobuf(member)
		}
	case []any:
		for _, element := range v {
			forgetProtobuf(element)
		}
	}
}

// report tells of the first differences between two values.
func report(t *testing.T, at string, got, want any) {
	t.Helper()
	g, isMap := got.(map[string]any)
	w, areMaps := want.(map[string]any)
	if !isMap || !areMaps {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %.300s, want %.300s", at, fmt.Sprint(got), fmt.Sprint(want))
		}
		return
	}
	for name := range w {
		report(t, at+"/"+name, g[name], w[name])
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			t.Errorf("%s/%s: got %.300s, want nothing", at, name, fmt.Sprint(g[name]))
		}
	}
}
