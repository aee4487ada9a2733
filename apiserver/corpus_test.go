package apiserver_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
	"github.com/keelson-project/keelson/internal/corpus"
)

// expectation is one row of expected.tsv; SOURCES.md there says what the columns are.
type expectation struct {
	file, op, code, reason string
	messages               []string // any of them
	causes, warnings       string
}

func expectations(t *testing.T, dir string) (rows []expectation) {
	f, err := os.Open(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	unescape := strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r")
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		if len(c) != 10 || c[0] == "file" {
			continue
		}
		for i := range c {
			c[i] = unescape.Replace(c[i])
		}
		row := expectation{file: c[0], op: c[1], code: c[3], reason: c[4], messages: []string{c[5]}, causes: c[7], warnings: c[8]}
		var also []string
		if c[6] != "" {
			if err := json.Unmarshal([]byte(c[6]), &also); err != nil {
				t.Fatal(err)
			}
		}
		row.messages = append(row.messages, also...)
		rows = append(rows, row)
	}
	return rows
}

// TestCorpus installs every CRD of the corpus, sends every sample as a creation and as an apply, and compares codes,
// reasons, messages, causes and warnings with those of kube-apiserver.
func TestCorpus(t *testing.T) {
	g := NewWithT(t)
	dir := corpus.Dir(t)
	s := apiservertest.Start(t, apiservertest.Options{})
	c := corpusRun{g: g, s: s, paths: map[string]string{}, namespaces: map[string]bool{}}
	sent := 0
	for _, row := range expectations(t, dir) {
		raw, err := os.ReadFile(filepath.Join(dir, row.file))
		g.Expect(err).NotTo(HaveOccurred())
		sent++
		if differs := row.compare(c.send(&row, raw)); len(differs) > 0 {
			t.Errorf("%s %s:\n  %s", row.file, row.op, strings.Join(differs, "\n  "))
		}
	}
	t.Logf("%d requests", sent)
}

// corpusRun sends the requests of the rows.
type corpusRun struct {
	g          *WithT
	s          *apiservertest.Server
	paths      map[string]string // apiVersion and kind to the path of the collection
	namespaces map[string]bool   // made
}

func (c *corpusRun) send(row *expectation, raw []byte) answer {
	if row.op == "crd" {
		c.g.Expect(collections(raw, c.paths)).To(Succeed(), row.file)
		return sendTo(c.g, c.s, http.MethodPost, crds+"?fieldValidation=Strict", string(raw), "Content-Type: application/yaml")
	}
	path, name := collection(raw, c.paths)
	if _, rest, ok := strings.Cut(path, "/namespaces/"); ok {
		if ns, _, _ := strings.Cut(rest, "/"); !c.namespaces[ns] {
			c.namespaces[ns] = true
			sendTo(c.g, c.s, http.MethodPost, "/api/v1/namespaces", `{"metadata":{"name":"`+ns+`"}}`) // default is there
		}
	}
	switch row.op {
	case "apply":
		return sendTo(c.g, c.s, http.MethodPatch, path+"/"+url.PathEscape(name)+
			"?dryRun=All&fieldValidation=Strict&force=true&fieldManager=corpus", string(raw), "Content-Type: application/apply-patch+yaml")
	case "create-warn":
		return sendTo(c.g, c.s, http.MethodPost, path+"?dryRun=All&fieldValidation=Warn", string(raw), "Content-Type: application/yaml")
	}
	return sendTo(c.g, c.s, http.MethodPost, path+"?dryRun=All&fieldValidation=Strict", string(raw), "Content-Type: application/yaml")
}

// compare says in what a differs from what kube-apiserver answered.
func (row *expectation) compare(a answer) (differs []string) {
	differ := func(what string, got, want any) {
		differs = append(differs, fmt.Sprintf("%s: %v, kube-apiserver has %v", what, got, want))
	}
	if got := strconv.Itoa(a.code); got != row.code {
		differ("code", got, row.code)
	}
	if a.code >= 300 {
		if reason, _ := a.at("reason").(string); reason != row.reason {
			differ("reason", reason, row.reason)
		}
		message, _ := a.at("message").(string)
		if strings.Contains(row.messages[0], "?????") {
			message = generated.ReplaceAllString(message, "${1}?????$2")
		}
		if !slices.ContainsFunc(row.messages, func(m string) bool { return slices.Equal(words(m), words(message)) }) {
			differ("message", message, row.messages[0])
		}
		var want [][]any
		if row.causes != "" {
			_ = json.Unmarshal([]byte(row.causes), &want)
		}
		if got := causesOf(a); want != nil && !slices.Equal(got, sortedTexts(want)) {
			differ("causes", got, want)
		}
	}
	var want []string
	if row.warnings != "" {
		_ = json.Unmarshal([]byte(row.warnings), &want)
	}
	var got []string
	for _, w := range a.header.Values("Warning") {
		if text, err := strconv.Unquote(strings.TrimPrefix(w, "299 - ")); err == nil {
			got = append(got, text)
		} else {
			got = append(got, w)
		}
	}
	if !slices.Equal(got, want) {
		differ("warnings", got, want)
	}
	return differs
}

// generated finds what generateName made in `"NAME-xxxxx" is invalid`; the corpus has ????? there.
var generated = regexp.MustCompile(`("[a-z0-9.-]*-)[bcdfghjklmnpqrstvwxz2456789]{5}(" is invalid)`)

// words are a message less the order of its parts, and less the one of several unknown fields that is named: the real
// server walks maps.
func words(message string) []string {
	if before, _, ok := strings.Cut(message, ": field not declared in schema"); ok {
		message = before[:strings.LastIndex(before, ": ")]
	}
	w := strings.FieldsFunc(message, func(r rune) bool { return strings.ContainsRune("[], \n", r) })
	slices.Sort(w)
	return w
}

// causesOf lists field, reason and message of each cause, sorted.
func causesOf(a answer) []string {
	list, _ := a.at("details", "causes").([]any)
	var causes [][]any
	for _, c := range list {
		c, _ := c.(map[string]any)
		causes = append(causes, []any{c["field"], c["reason"], c["message"]})
	}
	return sortedTexts(causes)
}

func sortedTexts(causes [][]any) (texts []string) {
	for _, c := range causes {
		texts = append(texts, fmt.Sprint(c...))
	}
	slices.Sort(texts)
	return texts
}

// collections notes where the kinds of a CRD are served.
func collections(raw []byte, paths map[string]string) error {
	var c struct {
		Spec struct {
			Group    string
			Scope    string
			Names    struct{ Plural, Kind string }
			Versions []struct{ Name string }
		}
	}
	if err := yaml.Unmarshal(raw, &c); err != nil {
		return err
	}
	for _, v := range c.Spec.Versions {
		gv := c.Spec.Group + "/" + v.Name
		at := "/apis/" + gv + "/"
		if c.Spec.Scope == "Namespaced" {
			at += "namespaces/NAMESPACE/"
		}
		paths[gv+" "+c.Spec.Names.Kind] = at + c.Spec.Names.Plural
	}
	return nil
}

// collection returns where an object is created, and its name.
func collection(raw []byte, paths map[string]string) (path, name string) {
	var o struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace any }
	}
	_ = yaml.Unmarshal(raw, &o)
	ns, _ := o.Metadata.Namespace.(string)
	if ns == "" {
		ns = "default"
	}
	name, _ = o.Metadata.Name.(string)
	return strings.ReplaceAll(paths[o.APIVersion+" "+o.Kind], "NAMESPACE", ns), name
}
