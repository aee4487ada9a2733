package apiserver_test

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/apiserver/apiservertest"
)

// corpus finds shared/corpus beside the checkout, or skips the test.
func corpus(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		path := filepath.Join(dir, "..", "shared", "corpus")
		if _, err := os.Stat(filepath.Join(path, "expected.tsv")); err == nil {
			return path
		}
		dir = filepath.Dir(dir)
	}
	t.Skip("shared/corpus is not beside this checkout")
	return ""
}

// expectation is one row of expected.tsv.
type expectation struct{ file, op, code, reason string }

func expectations(t *testing.T, dir string) (rows []expectation) {
	f, err := os.Open(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		if len(c) >= 5 && c[0] != "file" {
			rows = append(rows, expectation{c[0], c[1], c[3], c[4]})
		}
	}
	return rows
}

// pending are the rows that wait for CEL, webhooks and apply.
func pending(t *testing.T) (rows []string) {
	raw, err := os.ReadFile(filepath.Join("testdata", "corpus-pending.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(raw), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			rows = append(rows, line)
		}
	}
	return rows
}

// TestCorpus installs every CRD of the corpus, sends every create request of its samples, and compares the verdicts,
// codes and reasons with those of kube-apiserver.
func TestCorpus(t *testing.T) {
	g := NewWithT(t)
	dir := corpus(t)
	s := apiservertest.Start(t, apiservertest.Options{})
	paths := map[string]string{} // apiVersion + kind -> path of the collection in default
	var wrong []string
	sent := 0
	for _, row := range expectations(t, dir) {
		raw, err := os.ReadFile(filepath.Join(dir, row.file))
		g.Expect(err).NotTo(HaveOccurred())
		path := crds + "?fieldValidation=Strict"
		switch row.op {
		case "crd":
			g.Expect(collections(raw, paths)).To(Succeed(), row.file)
		case "create", "create-warn":
			mode := map[string]string{"create": "Strict", "create-warn": "Warn"}[row.op]
			path = collection(raw, paths)
			if _, rest, ok := strings.Cut(path, "/namespaces/"); ok {
				ns, _, _ := strings.Cut(rest, "/")
				sendTo(g, s, http.MethodPost, "/api/v1/namespaces", `{"metadata":{"name":"`+ns+`"}}`) // it may be there
			}
			path += "?dryRun=All&fieldValidation=" + mode
		default:
			continue // apply: issue B
		}
		a := sendTo(g, s, http.MethodPost, path, string(raw), "Content-Type: application/yaml")
		reason, _ := a.at("reason").(string)
		sent++
		if strconv.Itoa(a.code) != row.code || reason != row.reason {
			wrong = append(wrong, row.file+" "+row.op)
			t.Logf("%s %s: %d %s, kube-apiserver said %s %s: %v", row.file, row.op, a.code, reason, row.code, row.reason, a.at("message"))
		}
	}
	t.Logf("%d of %d requests agree with kube-apiserver", sent-len(wrong), sent)
	listed := pending(t)
	for _, row := range wrong {
		if !slices.Contains(listed, row) {
			t.Errorf("%s: another verdict than kube-apiserver's", row)
		}
	}
	for _, row := range listed {
		if !slices.Contains(wrong, row) {
			t.Errorf("%s agrees now: take it off testdata/corpus-pending.txt", row)
		}
	}
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

func collection(raw []byte, paths map[string]string) string {
	var o struct {
		APIVersion, Kind string
		Metadata         struct{ Namespace any }
	}
	_ = yaml.Unmarshal(raw, &o)
	ns, _ := o.Metadata.Namespace.(string)
	if ns == "" {
		ns = "default"
	}
	return strings.ReplaceAll(paths[o.APIVersion+" "+o.Kind], "NAMESPACE", ns)
}
