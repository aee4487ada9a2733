package compat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-tools/pkg/crd"
	"sigs.k8s.io/controller-tools/pkg/genall"
	"sigs.k8s.io/controller-tools/pkg/loader"
	"sigs.k8s.io/controller-tools/pkg/markers"
	"sigs.k8s.io/yaml"
)

// markerCase is an entry of testdata/markers/cases.yaml, which tells what its fields are.
type markerCase struct {
	Markers  []string `json:"markers"`
	Kind     string   `json:"kind"` // plural
	Create   []any    `json:"create"`
	Update   []any    `json:"update"`
	Requests []step   `json:"requests"`
}

// markerAnswer is a line of testdata/markers/answers.jsonl.
type markerAnswer struct {
	Request string `json:"request"`
	reply
}

const (
	markerGroup = "markers.compat.example.com"
	crdsPath    = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
)

// inertMarkers are in no case, for a reason.
var inertMarkers = map[string]string{
	"field k8s:enum": "is refused by controller-tools: it exists to say that it belongs to types",
}

// TestMarkers generates the CustomResourceDefinitions of testdata/markers with controller-tools, whose every marker they
// use, installs them, and compares what each marker does to objects with what kube-apiserver 1.37.2 answered.
func TestMarkers(t *testing.T) {
	generated := generate(t)
	var cases []markerCase
	text, err := os.ReadFile(filepath.Join("testdata", "markers", "cases.yaml"))
	check(t, err)
	check(t, yaml.UnmarshalStrict(text, &cases))
	checkCoverage(t, generated.used, cases)

	c := newRaw(t)
	var steps []step
	for _, def := range generated.crds {
		steps = append(steps, step{Method: http.MethodPost, Path: crdsPath, Body: marshal(t, def)})
		t.Cleanup(func() { c.remove(t, crdsPath+"/"+def.Name) })
	}
	for i, k := range cases {
		steps = append(steps, k.steps(t, i)...)
	}
	answers := filepath.Join("testdata", "markers", "answers.jsonl")
	var got []markerAnswer
	versions := map[string]string{}
	for _, s := range steps {
		r := c.do(t, s, versions)
		if s.Path == crdsPath && r.Code != http.StatusCreated && !bytes.Contains(s.Body, []byte("refused."+markerGroup)) {
			t.Fatalf("%s\n%d %v", s.Body, r.Code, r.Object)
		}
		tidyAnswer(r.Object)
		got = append(got, markerAnswer{strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Method, s.Path, brief(s))), r})
	}
	if *record {
		writeLines(t, answers, got)
		return
	}
	want := readLines[markerAnswer](t, answers)
	if len(want) != len(got) {
		t.Errorf("%d requests, %s has %d answers", len(got), answers, len(want))
	}
	for i := range min(len(want), len(got)) {
		if diff := gocmp.Diff(want[i], got[i], gocmp.AllowUnexported(markerAnswer{})); diff != "" {
			t.Errorf("%s: kube-apiserver's answer (-) and this one (+):\n%s", got[i].Request, diff)
		}
	}
}

// steps are the requests of the i-th case.
func (k markerCase) steps(t *testing.T, i int) (out []step) {
	t.Helper()
	collection := fmt.Sprintf("/apis/%s/v1/namespaces/default/%s", markerGroup, k.Kind)
	create := func(name string, spec any, query map[string]string) step {
		body := marshal(t, map[string]any{
			"apiVersion": markerGroup + "/v1", "kind": kindOf[k.Kind], "metadata": map[string]any{"name": name}, "spec": spec,
		})
		return step{Method: http.MethodPost, Path: collection, Query: query, Body: body}
	}
	for _, spec := range k.Create {
		out = append(out, create("tried", spec, map[string]string{"dryRun": "All"}))
	}
	name := fmt.Sprintf("case-%d", i)
	for j, spec := range k.Update {
		if j == 0 {
			out = append(out, create(name, spec, nil))
			continue
		}
		edit := marshal(t, []any{map[string]any{"op": "replace", "path": "/spec", "value": spec}})
		out = append(out, step{Method: http.MethodPut, Path: collection + "/" + name, Edit: edit})
	}
	return append(out, k.Requests...)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	check(t, err)
	return raw
}

var kindOf = map[string]string{"fields": "Field", "items": "Item", "types": "Type"}

// brief is what tells a request from its neighbours.
func brief(s step) string {
	if s.Edit != nil {
		return string(s.Edit)
	}
	var body struct {
		Kind string `json:"kind"`
		Spec any    `json:"spec"`
	}
	if json.Unmarshal(s.Body, &body) != nil || body.Spec == nil || body.Kind == "CustomResourceDefinition" {
		return ""
	}
	spec, err := json.Marshal(body.Spec)
	if err != nil {
		return err.Error()
	}
	return string(spec)
}

// tidyAnswer takes out of an answer what says nothing about markers, and what differs from run to run: several errors
// are in no order, but each is a cause.
func tidyAnswer(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "managedFields")
		details, _ := v["details"].(map[string]any)
		causes, _ := details["causes"].([]any)
		if message, ok := v["message"].(string); ok && len(causes) > 1 {
			v["message"], _, _ = strings.Cut(message, "[")
		}
		if resources, ok := v["resources"].([]any); ok { // of discovery
			slices.SortFunc(resources, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		for _, member := range v {
			tidyAnswer(member)
		}
	case []any:
		for _, item := range v {
			tidyAnswer(item)
		}
	}
}

// generated is what controller-tools made of testdata/markers.
type generated struct {
	crds []*apiextensionsv1.CustomResourceDefinition
	used map[string]bool // "field kubebuilder:validation:Maximum"
}

func generate(t *testing.T) generated {
	t.Helper()
	packages, err := filepath.Glob(filepath.Join("testdata", "markers", "*"))
	check(t, err)
	var roots []string
	for _, p := range packages {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			roots = append(roots, "./"+filepath.ToSlash(p))
		}
	}
	var generator genall.Generator = crd.Generator{}
	runtime, err := genall.Generators{&generator}.ForRoots(roots...)
	check(t, err)
	files := memoryFiles{}
	var errors bytes.Buffer
	runtime.OutputRules.Default, runtime.ErrorWriter = files, &errors
	if runtime.Run() {
		t.Fatalf("controller-tools: %s", errors.String())
	}
	out := generated{used: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		def := &apiextensionsv1.CustomResourceDefinition{}
		check(t, yaml.UnmarshalStrict(files[name].Bytes(), def))
		out.crds = append(out.crds, def)
	}
	for _, root := range runtime.Roots {
		check(t, collect(runtime.Collector, root, out.used))
	}
	for _, def := range runtime.Collector.AllDefinitions() {
		if key := markerKey(def); !out.used[key] && inertMarkers[key] == "" {
			t.Errorf("controller-tools has the marker %q, which testdata/markers does not use", key)
		}
	}
	return out
}

// collect notes the markers that pkg uses.
func collect(c *markers.Collector, pkg *loader.Package, used map[string]bool) error {
	inPackage, err := markers.PackageMarkers(c, pkg)
	if err != nil {
		return err
	}
	note := func(where string, values markers.MarkerValues) {
		for name := range values {
			used[where+" "+name] = true
		}
	}
	note("package", inPackage)
	return markers.EachType(c, pkg, func(info *markers.TypeInfo) {
		note("type", info.Markers)
		for _, field := range info.Fields {
			note("field", field.Markers)
		}
	})
}

func markerKey(def *markers.Definition) string {
	where := map[markers.TargetType]string{
		markers.DescribesPackage: "package", markers.DescribesType: "type", markers.DescribesField: "field",
	}
	return where[def.Target] + " " + def.Name
}

// checkCoverage wants each marker to be in a case.
func checkCoverage(t *testing.T, used map[string]bool, cases []markerCase) {
	t.Helper()
	tried := map[string]bool{}
	for _, k := range cases {
		for _, marker := range k.Markers {
			tried[marker] = true
			if !used[marker] {
				t.Errorf("a case is about the marker %q, which testdata/markers does not use", marker)
			}
		}
	}
	for marker := range used {
		if !tried[marker] {
			t.Errorf("the marker %q is used, but in no case", marker)
		}
	}
}

// memoryFiles keeps what a generator writes.
type memoryFiles map[string]*bytes.Buffer

func (m memoryFiles) Open(_ *loader.Package, path string) (io.WriteCloser, error) {
	m[path] = &bytes.Buffer{}
	return closer{m[path]}, nil
}

type closer struct{ io.Writer }

func (closer) Close() error { return nil }
