package compat

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// record makes the tests that compare answers with recorded ones write what the server answers instead of comparing: for a run against kube-apiserver.
var record = flag.Bool("record", false, "write the answers in testdata anew; run against kube-apiserver")

// step is one request of testdata/apply/story.jsonl.
type step struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Type   string            `json:"type"` // of the body, below application/
	Query  map[string]string `json:"query"`
	Accept string            `json:"accept"` // application/json, if it is not set
	Body   json.RawMessage   `json:"body"`   // sent as it is; a string's content is sent
	Edit   json.RawMessage   `json:"edit"`   // a JSON patch; what comes of it is the body: read, changed and written back
}

// reply is what is compared of an answer.
type reply struct {
	Code     int      `json:"code"`
	Object   any      `json:"object"` // without what differs from run to run
	Warnings []string `json:"warnings,omitempty"`
	// Unchanged: the object has the resourceVersion that the last answer about it showed.
	Unchanged bool `json:"unchanged,omitempty"`
}

// TestApply tells a story of applies, patches and updates by many managers, of custom and built-in kinds and their
// subresources, and compares every answer, managedFields included, with that of kube-apiserver 1.37.2.
func TestApply(t *testing.T) {
	c := newRaw(t)
	answers := filepath.Join("testdata", "apply", "answers.jsonl")
	var want []reply
	if !*record {
		want = readLines[reply](t, answers)
	}
	versions := map[string]string{}
	var got []reply
	for i, s := range readLines[step](t, filepath.Join("testdata", "apply", "story.jsonl")) {
		r := c.do(t, s, versions)
		if *record {
			got = append(got, r)
			continue
		}
		if i >= len(want) {
			t.Fatalf("the story has more steps than %s has answers", answers)
		}
		if diff := gocmp.Diff(want[i], r); diff != "" {
			t.Errorf("step %d, %s %s %v: kube-apiserver's answer (-) and this one (+):\n%s", i+1, s.Method, s.Path, s.Query, diff)
		}
	}
	if *record {
		writeLines(t, answers, got)
	}
}

func readLines[T any](t *testing.T, file string) (out []T) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, v)
	}
	return out
}

func writeLines[T any](t *testing.T, file string, lines []T) {
	t.Helper()
	var out bytes.Buffer
	lineByLine := json.NewEncoder(&out)
	lineByLine.SetEscapeHTML(false)
	for _, line := range lines {
		check(t, lineByLine.Encode(line))
	}
	check(t, os.WriteFile(file, out.Bytes(), 0o644))
}

// raw sends requests as they are.
type raw struct {
	client *http.Client
	host   string
}

func newRaw(t *testing.T) *raw {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", suite.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return &raw{client: client, host: config.Host}
}

func (c *raw) do(t *testing.T, s step, versions map[string]string) reply {
	t.Helper()
	body := []byte(s.Body)
	var text string
	if json.Unmarshal(body, &text) == nil {
		body = []byte(text)
	}
	if s.Edit != nil {
		current, _, _ := c.send(t, step{Method: http.MethodGet, Path: s.Path}, nil)
		patch, err := jsonpatch.DecodePatch(s.Edit)
		if err == nil {
			body, err = patch.Apply(current)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	raw, code, warnings := c.send(t, s, body)
	// A type that is new to kube-apiserver is served a moment after its creation is answered.
	noPage := func() bool { return code == http.StatusNotFound && bytes.HasPrefix(raw, []byte("404 page")) }
	for deadline := time.Now().Add(20 * time.Second); s.Method != http.MethodGet && noPage() && time.Now().Before(deadline); {
		raw, code, warnings = c.send(t, s, body)
	}
	var object any
	if noPage() {
		object = string(raw)
	} else if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatalf("%s %s: %d %s", s.Method, s.Path, code, raw)
	}
	r := reply{Code: code, Warnings: warnings}
	if o, ok := object.(map[string]any); ok {
		meta, _ := o["metadata"].(map[string]any)
		version, _ := meta["resourceVersion"].(string)
		at := strings.TrimSuffix(s.Path, "/status")
		r.Unchanged = version != "" && versions[at] == version
		versions[at] = version
		if o["kind"] == "CustomResourceDefinition" {
			delete(o, "status") // not there yet when kube-apiserver answers
		}
	}
	r.Object = settle(object)
	return r
}

// send sends s with body.
func (c *raw) send(t *testing.T, s step, body []byte) ([]byte, int, []string) {
	t.Helper()
	q := url.Values{}
	for k, v := range s.Query {
		q.Set(k, v)
	}
	req, err := http.NewRequestWithContext(context.Background(), s.Method, c.host+s.Path+"?"+q.Encode(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/"+cmp.Or(s.Type, "json"))
	}
	req.Header.Set("Accept", cmp.Or(s.Accept, "application/json"))
	req.Header.Set("User-Agent", "storyteller/1.0")
	res, err := c.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return raw, res.StatusCode, res.Header.Values("Warning")
}

// remove deletes what is at path, if there is something.
func (c *raw) remove(t *testing.T, path string) {
	t.Helper()
	if body, code, _ := c.send(t, step{Method: http.MethodDelete, Path: path}, nil); code != http.StatusOK && code != http.StatusNotFound {
		t.Errorf("delete %s: %d %s", path, code, body)
	}
}

// settle takes out what differs from run to run.
func settle(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			switch name {
			case "uid", "resourceVersion", "creationTimestamp", "clusterIP", "clusterIPs":
				if _, isMap := member.(map[string]any); !isMap {
					v[name] = "*"
				}
			case "lastTransitionTime":
				delete(v, name)
			case "managedFields": // in the order of their times, which a second that ends in between changes
				list, _ := settle(member).([]any)
				slices.SortFunc(list, func(a, b any) int { return cmp.Compare(writer(a), writer(b)) })
				v[name] = list
			case "causes": // in no order: the real server walks a map
				list, _ := settle(member).([]any)
				slices.SortFunc(list, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
				v[name] = list
			default:
				v[name] = settle(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = settle(v[i])
		}
	case string:
		return times.ReplaceAllString(v, "TIME")
	}
	return v
}

// writer is who an entry of managedFields is about.
func writer(entry any) string {
	e, _ := entry.(map[string]any)
	return fmt.Sprint(e["operation"], e["manager"], e["subresource"], e["apiVersion"])
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
