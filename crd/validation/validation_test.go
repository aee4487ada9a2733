package validation_test

import (
	"encoding/json"
	"strings"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
)

func root(name string) *field.Path { return field.NewPath(name) }

// compile makes a validator of a schema in YAML.
func compile(t testing.TB, text string) *validation.Validator {
	t.Helper()
	v, err := validation.New(parseSchema(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parseSchema(t testing.TB, text string) *schema.Schema {
	t.Helper()
	raw, err := yaml.YAMLToJSON(untab(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parse reads a value in YAML, or in JSON where 7.0 is to be a float.
func parse(t testing.TB, text string) any {
	t.Helper()
	raw := untab(text)
	if !json.Valid(raw) {
		var err error
		if raw, err = yaml.YAMLToJSON(raw); err != nil {
			t.Fatal(err)
		}
	}
	var value any
	if err := utiljson.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// untab lets the tests indent YAML with the Go around it.
func untab(text string) []byte { return []byte(strings.ReplaceAll(text, "\t", " ")) }

// check compares errors with the lines of want, in order.
func check(t testing.TB, errs field.ErrorList, want string) {
	t.Helper()
	var lines []string
	for _, line := range strings.Split(want, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	var got []string
	for _, e := range errs {
		got = append(got, e.Error())
	}
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}
