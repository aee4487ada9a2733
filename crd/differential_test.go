package crd_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// outcome is what became of a story, as far as it is compared.
type outcome struct {
	Code     int      `json:"code"`
	Reason   string   `json:"reason,omitempty"`
	Message  string   `json:"message,omitempty"` // only where it has one part: several come in any order
	Causes   []string `json:"causes,omitempty"`  // sorted: "field|reason|message"
	Warnings []string `json:"warnings,omitempty"`
	// Status is what is in it in the end: conditions as "type=status reason: message", names, stored versions.
	Status []string `json:"status,omitempty"`
}

const (
	recorded  = "testdata/stories.tsv"
	different = "testdata/stories-differ.tsv"
)

// TestStories tells hundreds of stories of CustomResourceDefinitions to a server and compares what becomes of them with
// what kube-apiserver 1.37.2 made of the same. With KEELSON_PEER=DIR, the folder of a running bench/cmd/peer, it asks
// that one instead about those that have no recorded answer, and records what it says.
func TestStories(t *testing.T) {
	if dir := os.Getenv("KEELSON_PEER"); dir != "" {
		record(t, peerWorld(t, dir))
		return
	}
	answers, reasons := read(t, recorded), read(t, different)
	w := ourWorld(t)
	told, alike := 0, 0
	for _, s := range stories() {
		expected, ok := answers[s.text]
		if !ok {
			t.Errorf("%s: kube-apiserver has not been asked; see TestStories", s.text)
			continue
		}
		var want outcome
		if err := json.Unmarshal([]byte(expected), &want); err != nil {
			t.Fatal(err)
		}
		got := w.tell(t, s, &want)
		told++
		if same(got, want) {
			alike++
			if reasons[s.text] != "" {
				t.Errorf("%s agrees now: take it off %s", s.text, different)
			}
			continue
		}
		if reasons[s.text] == "" {
			t.Errorf("%s\n  we:             %s\n  kube-apiserver: %s", s.text, show(got), show(want))
		}
	}
	t.Logf("%d of %d stories end as with kube-apiserver", alike, told)
}

func show(o outcome) string {
	raw, _ := json.Marshal(o)
	return string(raw)
}

func same(a, b outcome) bool { return show(a) == show(b) }

func read(t *testing.T, file string) map[string]string {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if text, rest, ok := strings.Cut(lines.Text(), "\t"); ok && !strings.HasPrefix(text, "#") {
			rows[text] = rest
		}
	}
	return rows
}

func record(t *testing.T, w *world) {
	all, known := stories(), read(t, recorded)
	rows := make([]string, len(all))
	t.Run("told", func(t *testing.T) {
		for i, s := range all {
			if answer, ok := known[s.text]; ok {
				rows[i] = s.text + "\t" + answer
				continue
			}
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				rows[i] = s.text + "\t" + show(w.tell(t, s, nil))
			})
		}
	})
	out := "# What kube-apiserver 1.37.2 made of each story; see TestStories.\n" + strings.Join(rows, "\n") + "\n"
	if err := os.WriteFile(recorded, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tell makes a story happen. want is what is awaited of its end; nil waits until nothing changes any more.
func (w *world) tell(t *testing.T, s story, want *outcome) outcome {
	t.Helper()
	group := fmt.Sprintf("s%04d.example.com", w.told.Add(1)) // of its own: the last one's may be on its way out
	o := w.tellIn(t, group, s, want)
	for _, texts := range [][]string{o.Causes, o.Warnings} {
		for i := range texts {
			texts[i] = short(strings.ReplaceAll(texts[i], group, storyGroup))
		}
		slices.Sort(texts)
	}
	o.Message = short(strings.ReplaceAll(o.Message, group, storyGroup))
	return o
}

func (w *world) tellIn(t *testing.T, group string, s story, want *outcome) outcome {
	t.Helper()
	before, after, isChange := strings.Cut(s.text, " -> ")
	if !isChange {
		obj := w.object(t, s.text, group)
		dry := w.write(t, http.MethodPost, definitions+"?dryRun=All", obj)
		if dry.Code != http.StatusCreated {
			return dry
		}
		got := w.write(t, http.MethodPost, definitions, obj)
		return w.end(t, got, nameOf(obj), want)
	}
	before, toStatus := strings.CutPrefix(before, "status ")
	before, stored := strings.CutPrefix(before, "stored ")
	old, now := w.object(t, before, group), w.object(t, after, group)
	name := nameOf(old)
	w.begin(t, old, stored)
	got := w.update(t, name, now, toStatus)
	return w.end(t, got, name, want)
}

func (w *world) object(t *testing.T, edits, group string) map[string]any {
	t.Helper()
	obj, err := edited(edits)
	if err != nil {
		t.Fatalf("%s: %v", edits, err)
	}
	raw, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	obj = nil
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(raw), storyGroup, group)), &obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

func nameOf(obj map[string]any) string {
	m, _ := obj["metadata"].(map[string]any)
	name, _ := m["name"].(string)
	return name
}

// begin brings the object into the world, behind the server's back if asked to.
func (w *world) begin(t *testing.T, obj map[string]any, stored bool) {
	t.Helper()
	name := nameOf(obj)
	if !stored {
		if got := w.write(t, http.MethodPost, definitions, obj); got.Code != http.StatusCreated {
			t.Fatalf("the story cannot begin: %s", show(got))
		}
	} else {
		m := obj["metadata"].(map[string]any)
		m["uid"], m["creationTimestamp"], m["generation"] = "8a3f6d3e-0000-4000-8000-000000000001", "2026-01-01T00:00:00Z", 1
		raw, err := json.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.put("/registry/apiextensions.k8s.io/customresourcedefinitions/"+name, raw); err != nil {
			t.Fatal(err)
		}
	}
	w.settled(t, name)
}

// settled waits until the server has seen to a new object, and returns it.
func (w *world) settled(t *testing.T, name string) map[string]any {
	t.Helper()
	var last map[string]any
	revision, since := "", time.Now()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		r, err := w.send(http.MethodGet, definitions+"/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.code != http.StatusOK || json.Unmarshal(r.body, &last) != nil {
			continue
		}
		rv := fmt.Sprint(last["metadata"].(map[string]any)["resourceVersion"])
		if rv != revision {
			revision, since = rv, time.Now()
		}
		status, _ := last["status"].(map[string]any)
		if conditions := fmt.Sprint(status["conditions"]); strings.Contains(conditions, "NamesAccepted") &&
			!strings.Contains(conditions, "Installing") && time.Since(since) >= w.settles {
			return last
		}
	}
	t.Logf("%s does not settle", name)
	return last
}

func (w *world) update(t *testing.T, name string, obj map[string]any, toStatus bool) outcome {
	t.Helper()
	path := definitions + "/" + name
	if toStatus {
		path += "/status"
	}
	for {
		r, err := w.send(http.MethodGet, definitions+"/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		var current map[string]any
		if err := json.Unmarshal(r.body, &current); err != nil {
			t.Fatal(err)
		}
		m, _ := obj["metadata"].(map[string]any)
		m["name"], m["resourceVersion"] = name, current["metadata"].(map[string]any)["resourceVersion"]
		if got := w.write(t, http.MethodPut, path, obj); got.Code != http.StatusConflict {
			return got
		}
	}
}

// write sends obj and notes the answer.
func (w *world) write(t *testing.T, method, path string, obj map[string]any) outcome {
	t.Helper()
	r, err := w.send(method, path, obj)
	if errors.Is(err, io.EOF) {
		return outcome{Message: "the server panics"}
	}
	if err != nil {
		t.Fatal(err)
	}
	o := outcome{Code: r.code}
	for _, h := range r.header.Values("Warning") {
		o.Warnings = append(o.Warnings, strings.TrimPrefix(h, "299 - "))
	}
	slices.Sort(o.Warnings)
	if r.code < 300 {
		return o
	}
	var status struct {
		Reason, Message string
		Details         struct {
			Causes []struct{ Field, Reason, Message string }
		}
	}
	if err := json.Unmarshal(r.body, &status); err != nil {
		t.Fatalf("%d %s", r.code, r.body)
	}
	o.Reason, o.Message = status.Reason, status.Message
	for _, c := range status.Details.Causes {
		o.Causes = append(o.Causes, c.Field+"|"+c.Reason+"|"+c.Message)
	}
	slices.Sort(o.Causes)
	if len(o.Causes) > 1 {
		o.Message = ""
	}
	return o
}

var generated = regexp.MustCompile(`things[b-z0-9]{5}\b`)

// short makes long texts (those that show whole schemas) short, and still comparable.
func short(s string) string {
	s = generated.ReplaceAllString(s, "things?????")
	if len(s) <= 600 {
		return s
	}
	return fmt.Sprintf("%s...%x", s[:200], sha256.Sum256([]byte(s)))
}

// end notes what the object is in the end, and removes it.
func (w *world) end(t *testing.T, o outcome, name string, want *outcome) outcome {
	t.Helper()
	if name == "" {
		return o
	}
	look := func() []string {
		r, err := w.send(http.MethodGet, definitions+"/"+name, nil)
		if err != nil {
			return []string{err.Error()}
		}
		var obj map[string]any
		_ = json.Unmarshal(r.body, &obj)
		return statusOf(obj)
	}
	if want == nil {
		o.Status = statusOf(w.settled(t, name))
	} else {
		for end := time.Now().Add(time.Second); ; time.Sleep(2 * time.Millisecond) {
			if o.Status = look(); slices.Equal(o.Status, want.Status) || time.Now().After(end) {
				break
			}
		}
	}
	w.remove(t, name)
	return o
}

func statusOf(obj map[string]any) []string {
	status, _ := obj["status"].(map[string]any)
	var out []string
	conditions, _ := status["conditions"].([]any)
	for _, c := range conditions {
		c := c.(map[string]any)
		out = append(out, fmt.Sprintf("%v=%v %v: %v", c["type"], c["status"], c["reason"], c["message"]))
	}
	slices.Sort(out)
	names, _ := json.Marshal(status["acceptedNames"])
	versions, _ := json.Marshal(status["storedVersions"])
	return append(out, string(names), string(versions))
}

// remove has the object deleted, and does not wait for the end of it.
func (w *world) remove(t *testing.T, name string) {
	t.Helper()
	if _, err := w.send(http.MethodDelete, definitions+"/"+name, nil); err != nil {
		t.Fatal(err)
	}
}
