package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// says runs the program with files in its folder, and returns what it prints on stdout, on stderr, and its exit code.
func says(t *testing.T, files map[string]string, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := keelson(t, args...)
	cmd.Dir = t.TempDir()
	for name, text := range files {
		path := filepath.Join(cmd.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	_ = cmd.Run() // its exit code tells
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

const shirts = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shirts.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: shirts, singular: shirt, kind: Shirt, listKind: ShirtList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: Shirt is a piece of cloth.
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: string, enum: [S, M, L]}
`

func TestCRDDiff(t *testing.T) {
	files := map[string]string{"old.yaml": shirts, "new/crd.yaml": strings.Replace(shirts, "[S, M, L]", "[S, M]", 1)}
	for _, tc := range []struct {
		args   []string
		stdout string
		code   int
	}{
		{[]string{"old.yaml", "old.yaml"}, "", 0},
		{[]string{"new", "old.yaml"}, "compatible shirts.example.com v1 .spec.size: enum value \"L\" added\n", 0},
		{[]string{"-", "new"}, "BREAKING shirts.example.com v1 .spec.size: enum value \"L\" removed: it is refused; stored objects stay as they are as long as the value is not changed\n", 2},
		{[]string{"old.yaml", "old.yaml", "-o", "json"}, "[]\n", 0},
		{[]string{"new", "old.yaml", "-o", "json"}, `[
  {
    "crd": "shirts.example.com",
    "version": "v1",
    "path": ".spec.size",
    "what": "enum value \"L\" added",
    "breaking": false
  }
]
`, 0},
	} {
		stdout, stderr, code := says(t, files, shirts, append([]string{"crd", "diff"}, tc.args...)...)
		if stdout != tc.stdout || stderr != "" || code != tc.code {
			t.Errorf("%v: %s%s, exit code %d", tc.args, stdout, stderr, code)
		}
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"diff", "old.yaml"}, "accepts 2 arg(s), received 1"},
		{[]string{"diff", "old.yaml", "none"}, "stat none: no such file or directory"},
		{[]string{"diff", "old.yaml", "new", "-o", "xml"}, `--output "xml": want json, text`},
		{[]string{"types", "old.yaml"}, `required flag(s) "output" not set`},
	} {
		stdout, stderr, code := says(t, files, "", append([]string{"crd"}, tc.args...)...)
		if stdout != "" || stderr != "keelson: "+tc.want+"\n" || code != 1 {
			t.Errorf("%v: %s%s, exit code %d", tc.args, stdout, stderr, code)
		}
	}
}

func TestCRDValidate(t *testing.T) {
	files := map[string]string{
		"crds/shirts.yaml": shirts,
		"good.yaml":        "apiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: good}\nspec: {size: S}\n",
		"bad.yaml":         "apiVersion: example.com/v1\nkind: Shirt\nmetadata: {name: bad}\nspec:\n  size: S\n  color: \"a,b\"\n",
	}
	for _, tc := range []struct {
		args   []string
		stdout string
		code   int
	}{
		{[]string{"good.yaml"}, "good.yaml:1: accepted: Shirt good\n", 0},
		{[]string{"bad.yaml", "-"}, "bad.yaml:6: refused: Shirt bad: unknown field \"spec.color\"\n<stdin>:1: accepted: Shirt good\n", 1},
		{[]string{"bad.yaml", "--field-validation", "Ignore"}, "bad.yaml:1: accepted: Shirt bad\n", 0},
		{[]string{"bad.yaml", "-o", "github"}, "::error file=bad.yaml,line=6,title=Shirt bad::unknown field \"spec.color\"\n", 1},
		{[]string{"good.yaml", "-o", "json"}, `[
  {
    "file": "good.yaml",
    "line": 1,
    "apiVersion": "example.com/v1",
    "kind": "Shirt",
    "name": "good",
    "accepted": true,
    "code": 201
  }
]
`, 0},
	} {
		stdout, stderr, code := says(t, files, files["good.yaml"], append([]string{"crd", "validate", "--crds", "crds"}, tc.args...)...)
		if stdout != tc.stdout || stderr != "" || code != tc.code {
			t.Errorf("%v: %s%s, exit code %d", tc.args, stdout, stderr, code)
		}
	}
}

func TestCRDLint(t *testing.T) {
	files := map[string]string{"good.yaml": shirts, "bad.yaml": strings.Replace(shirts, "enum: [S, M, L]", "maxLenght: 1", 1)}
	unknown := "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.size.maxLenght"
	for _, tc := range []struct {
		args   []string
		stdout string
		code   int
	}{
		{[]string{"good.yaml", "--disable", "description,printer-columns"}, "", 0},
		{[]string{"-"}, `<stdin>:9: info: v1: kubectl get shows nothing but names and ages; add additionalPrinterColumns for what users look for (printer-columns)
<stdin>:17: info: v1 .spec: 2 of 2 fields have no description, this one first; kubectl explain has nothing to say of them (description)
`, 0},
		{[]string{"good.yaml", "--fail-on", "info", "-o", "github", "--disable", "description"},
			"::notice file=good.yaml,line=9,title=printer-columns v1::kubectl get shows nothing but names and ages; add additionalPrinterColumns for what users look for\n", 2},
		{[]string{"bad.yaml", "-o", "json", "--disable", "description", "--disable", "printer-columns"}, `[
  {
    "file": "bad.yaml",
    "line": 21,
    "crd": "shirts.example.com",
    "path": "` + unknown + `",
    "rule": "unknown-field",
    "severity": "error",
    "message": "there is no such field: the server drops it, and kubectl refuses it; take it out, or correct its name"
  }
]
`, 2},
	} {
		stdout, stderr, code := says(t, files, shirts, append([]string{"crd", "lint"}, tc.args...)...)
		if stdout != tc.stdout || stderr != "" || code != tc.code {
			t.Errorf("%v: %s%s, exit code %d", tc.args, stdout, stderr, code)
		}
	}
	for _, tc := range []struct{ args, want string }{
		{"good.yaml --disable nonsense", `there is no rule "nonsense"`},
		{"good.yaml --fail-on never", `--fail-on "never": want error, warning or info`},
		{"none.yaml", "stat none.yaml: no such file or directory"},
	} {
		stdout, stderr, code := says(t, files, "", append([]string{"crd", "lint"}, strings.Fields(tc.args)...)...)
		if stdout != "" || stderr != "keelson: "+tc.want+"\n" || code != 1 {
			t.Errorf("%v: %s%s, exit code %d", tc.args, stdout, stderr, code)
		}
	}
}
