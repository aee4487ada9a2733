package gotypes_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/keelson-project/keelson/crd/gotypes"
	"github.com/keelson-project/keelson/crd/source"
	"github.com/keelson-project/keelson/internal/corpus"
)

// folder is where the compiler sees the generated packages. There is no such folder on disk: an overlay puts them
// there, so that they build with this module's dependencies.
const folder = "crd/gotypes/overlaid"

// program builds the round-trip program for kinds, and returns a function that sends objects through it.
func program(t *testing.T, crds []*apiextensionsv1.CustomResourceDefinition) func([]json.RawMessage) []answer {
	t.Helper()
	files, err := gotypes.Generate(crds, gotypes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	replace := map[string]string{}
	add := func(name string, data []byte) {
		at := filepath.Join(temp, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(at, data, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(dir, folder, filepath.FromSlash(name))] = at
	}
	for _, f := range files {
		add(f.Path, f.Data)
	}
	add("main.go", read(t, "testdata/roundtrip.go.txt"))
	add("registrations.go", registrations(files))
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	add("overlay.json", overlay)
	binary := filepath.Join(temp, "roundtrip")
	// Optimizing 300,000 lines that run once takes longer than running them.
	build := exec.CommandContext(t.Context(), "go", "build", "-gcflags=github.com/keelson-project/keelson/"+folder+"/...=-N -l",
		"-overlay", filepath.Join(temp, fmt.Sprintf("%d.go", len(replace)-1)), "-o", binary, "./"+folder)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the generated packages do not build: %v\n%.4000s", err, out)
	}
	return func(objects []json.RawMessage) []answer { return run(t, binary, objects) }
}

// registrations is a file that names AddToScheme of each package.
func registrations(files []gotypes.File) []byte {
	var imports, list strings.Builder
	for i, f := range files {
		if path.Base(f.Path) == "groupversion_info.go" {
			fmt.Fprintf(&imports, "p%d %q\n", i, "github.com/keelson-project/keelson/"+folder+"/"+path.Dir(f.Path))
			fmt.Fprintf(&list, "p%d.AddToScheme,\n", i)
		}
	}
	return fmt.Appendf(nil, "package main\nimport (\nk \"k8s.io/apimachinery/pkg/runtime\"\n%s)\nvar registrations = []func(*k.Scheme) error{\n%s}\n", &imports, &list)
}

type answer struct {
	Error              string
	JSON, Unstructured json.RawMessage
}

func run(t *testing.T, binary string, objects []json.RawMessage) []answer {
	t.Helper()
	var in bytes.Buffer
	for _, o := range objects {
		if err := json.Compact(&in, o); err != nil {
			t.Fatal(err)
		}
		in.WriteByte('\n')
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	for lines := json.NewDecoder(bytes.NewReader(out)); lines.More(); {
		var a answer
		if err := lines.Decode(&a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(objects) {
		t.Fatalf("%d answers to %d objects", len(answers), len(objects))
	}
	return answers
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// value decodes JSON, with metadata as every Kubernetes server keeps it.
func value(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := utiljson.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if m, ok := v["metadata"]; ok {
		before, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var meta metav1.ObjectMeta
		if err := json.Unmarshal(before, &meta); err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(meta)
		if err != nil {
			t.Fatal(err)
		}
		var kept map[string]any
		if err := utiljson.Unmarshal(after, &kept); err != nil {
			t.Fatal(err)
		}
		if v["metadata"] = kept; len(kept) == 0 {
			delete(v, "metadata")
		}
	}
	return v
}

// differences lists where two values differ. Numbers are compared as numbers.
func differences(a, b any, at string) []string {
	if n, ok := a.(int64); ok {
		if f, ok := b.(float64); ok && float64(n) == f {
			return nil
		}
	}
	if n, ok := a.(float64); ok {
		if i, ok := b.(int64); ok && float64(i) == n {
			return nil
		}
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return []string{at}
		}
		var out []string
		for k := range a {
			if _, ok := b[k]; !ok {
				out = append(out, at+"."+k+" is lost")
				continue
			}
			out = append(out, differences(a[k], b[k], at+"."+k)...)
		}
		for k := range b {
			if _, ok := a[k]; !ok {
				out = append(out, at+"."+k+" is new")
			}
		}
		slices.Sort(out)
		return out
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return []string{at}
		}
		var out []string
		for i := range a {
			out = append(out, differences(a[i], b[i], fmt.Sprintf("%s[%d]", at, i))...)
		}
		return out
	}
	if !reflect.DeepEqual(a, b) {
		return []string{fmt.Sprintf("%s: %v became %v", at, a, b)}
	}
	return nil
}

// accepted are the files of the corpus that kube-apiserver accepts: CRDs, and samples with the JSON pointers of the
// nulls that it drops when it reads them.
func accepted(t *testing.T, dir string) (crds, samples []string, nulls map[string][]string) {
	t.Helper()
	nulls = map[string][]string{}
	f, err := os.Open(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		if len(c) < 3 || c[2] != "accepted" {
			continue
		}
		switch file := filepath.Join(dir, c[0]); c[1] {
		case "crd":
			crds = append(crds, file)
		case "create":
			samples = append(samples, file)
			var changed struct {
				Null []string `json:"-null"`
			}
			_ = json.Unmarshal([]byte(strings.ReplaceAll(c[len(c)-1], `\\`, `\`)), &changed) // most rows have nothing there
			nulls[file] = changed.Null
		}
	}
	return crds, samples, nulls
}

// remove takes the member at a path out of v.
func remove(v any, path []string) {
	switch v := v.(type) {
	case map[string]any:
		if name := strings.NewReplacer("~1", "/", "~0", "~").Replace(path[0]); len(path) == 1 {
			delete(v, name)
		} else {
			remove(v[name], path[1:])
		}
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(v) && len(path) > 1 {
			remove(v[i], path[1:])
		}
	}
}

// statusKinds are those with a status subresource.
func statusKinds(crds []*apiextensionsv1.CustomResourceDefinition) map[string]bool {
	kinds := map[string]bool{}
	for _, c := range crds {
		for _, v := range c.Spec.Versions {
			kinds[c.Spec.Group+"/"+v.Name+" "+c.Spec.Names.Kind] = v.Subresources != nil && v.Subresources.Status != nil
		}
	}
	return kinds
}

// TestCorpusRoundTrips generates types for all kinds of the corpus, compiles them, and sends every sample that
// kube-apiserver accepts through them.
func TestCorpusRoundTrips(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles 300,000 lines")
	}
	crdFiles, samples, nulls := accepted(t, corpus.Dir(t))
	docs, err := source.ReadCRDs(crdFiles, nil)
	if err != nil {
		t.Fatal(err)
	}
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, d := range docs {
		c, err := d.CRD()
		if err != nil {
			t.Fatal(err)
		}
		crds = append(crds, c)
	}
	objects, err := source.Read(samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sent []json.RawMessage
	for _, o := range objects {
		sent = append(sent, o.JSON)
	}
	status := statusKinds(crds)
	for i, a := range program(t, crds)(sent) {
		if a.Error != "" {
			t.Errorf("%s: %s", objects[i].File, a.Error)
			continue
		}
		want, got, converted := value(t, objects[i].JSON), value(t, a.JSON), value(t, a.Unstructured)
		for _, pointer := range nulls[objects[i].File] {
			for _, v := range []any{want, got, converted} {
				remove(v, strings.Split(pointer, "/")[1:])
			}
		}
		if status[objects[i].APIVersion+" "+objects[i].Kind] && reflect.DeepEqual(want["status"], map[string]any{}) {
			delete(want, "status") // the documented exception: an empty status is none
		}
		if diff := differences(want, got, ""); len(diff) > 0 {
			t.Errorf("%s: %v", objects[i].File, diff)
		}
		if diff := differences(want, converted, ""); len(diff) > 0 {
			t.Errorf("%s as unstructured: %v", objects[i].File, diff)
		}
	}
	t.Logf("%d objects of %d kinds", len(objects), len(crds))
}

// TestOddRoundTrips does the same with a kind made of all that is hard.
func TestOddRoundTrips(t *testing.T) {
	crds := parse(t, string(read(t, "testdata/odd.yaml")))
	objects, err := source.Read([]string{"testdata/odd-objects.yaml"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sent []json.RawMessage
	for _, o := range objects {
		sent = append(sent, o.JSON)
	}
	for i, a := range program(t, crds)(sent) {
		if a.Error != "" {
			t.Errorf("%s: %s", objects[i].Name, a.Error)
			continue
		}
		want := value(t, objects[i].JSON)
		if diff := differences(want, value(t, a.JSON), ""); len(diff) > 0 {
			t.Errorf("%s: %v", objects[i].Name, diff)
		}
		if diff := differences(want, value(t, a.Unstructured), ""); len(diff) > 0 {
			t.Errorf("%s as unstructured: %v", objects[i].Name, diff)
		}
	}
}
