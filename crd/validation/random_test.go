package validation_test

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
	"github.com/keelson-project/keelson/internal/randschema"
)

// agree compares a verdict with the model's, and an update's errors with those of a create.
func agree(t *testing.T, s *schema.Schema, v *validation.Validator, value, old any) (accepted bool) {
	t.Helper()
	errs := v.Validate(nil, value)
	if want := valid(s, value); (len(errs) == 0) != want {
		t.Fatalf("valid: %v, want %v: %s\n%v", !want, want, encode(value), errs)
	}
	known := map[string]bool{}
	for _, e := range errs {
		known[e.Error()] = true
	}
	for _, was := range []any{old, value, nil} {
		update := v.ValidateUpdate(nil, value, was)
		for _, e := range update {
			if !known[e.Error()] {
				t.Fatalf("an update has an error of its own: %v\nvalue %s\nold %s", e, encode(value), encode(was))
			}
		}
		if was == nil && value != nil && len(update) != len(errs) {
			t.Fatalf("nothing forgives %d of %d errors: %s", len(errs)-len(update), len(errs), encode(value))
		}
	}
	return len(errs) == 0
}

func encode(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

func story(t *testing.T, data []byte) (accepted bool) {
	t.Helper()
	source := randschema.New(data)
	props := source.Root()
	s, err := schema.New(props)
	if err != nil {
		t.Fatal(err)
	}
	v, err := validation.New(s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if t.Failed() {
			t.Logf("schema %s", encode(props))
		}
	}()
	old := source.Matching(props)
	agree(t, s, v, old, nil)
	return agree(t, s, v, source.Changed(old, props), old)
}

func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	accepted := 0
	const stories = 6000
	for range stories {
		data := make([]byte, 20+r.IntN(300))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		if story(t, data) {
			accepted++
		}
	}
	if accepted < stories/10 || accepted > stories*9/10 {
		t.Errorf("%d of %d objects were valid: that says little", accepted, stories)
	}
}

// FuzzAgree compares Validate with the model, whatever the schema.
func FuzzAgree(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("one schema or another"))
	f.Fuzz(func(t *testing.T, data []byte) { story(t, data) })
}

// FuzzBytes feeds arbitrary JSON as schema and object.
func FuzzBytes(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"type":"integer","minimum":1}}}`), []byte(`{"a":0}`))
	f.Add([]byte(`{"not":{"anyOf":[{"enum":[null,1.5,{}]}]},"x-kubernetes-int-or-string":true}`), []byte(`"x"`))
	f.Add([]byte(`{"type":"array","items":{"type":"array","x-kubernetes-list-type":"set"},"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["a"]}`), []byte(`[[1,1],{"a":[]},{"a":[]}]`))
	f.Fuzz(func(t *testing.T, schemaText, objectText []byte) {
		s, err := schema.Parse(schemaText)
		if err != nil {
			return
		}
		v, err := validation.New(s)
		var value any
		if err != nil || utiljson.Unmarshal(objectText, &value) != nil {
			return
		}
		agree(t, s, v, value, nil)
		_ = validation.ValidateLists(nil, value, s)
	})
}

// matching makes a validator of strings that has seen enough of them to have taken its fast way.
func matching(t *testing.T, expression string) *validation.Validator {
	t.Helper()
	s, err := schema.Parse([]byte(encode(map[string]any{"type": "string", "pattern": expression})))
	if err != nil {
		t.Skip(err)
	}
	v, err := validation.New(s)
	if err != nil {
		t.Skip(err)
	}
	for range 40 {
		v.Validate(nil, "")
	}
	return v
}

// FuzzPattern compares patterns with package regexp, once they are used a lot.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`, "a-b"}, {`^$`, ""}, {`a|b$`, "xb"}, {`(?i)k`, "\u212a"}, {`$^`, ""}, {`x*`, "y"},
		{`^(([0-9]+(\.[0-9]+)?)(ms|s|m|h))+$`, "1.5h3m"}, {`\bfoo\b`, "a foo"}, {`(?m)^a$`, "b\na"}, {`(?s).`, "\n"}, {`[^a]`, "a"},
		{`^.{2,5}$`, "abc"}, {`a(^b|c$)`, "ac"}, {`(^|,)a(,|$)`, "b,a"}, {`\Aa\z`, "a"}, {`^[a-z]{1,300}$`, "abc"}, {`.*a.{9}`, "aaaaaaaaaaaaa"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		re, err := regexp.Compile(expression)
		if err != nil || expression == "" {
			return
		}
		errs := matching(t, expression).Validate(nil, text)
		if want := re.MatchString(text); (len(errs) == 0) != want {
			t.Errorf("%q matches %q: %v, want %v", expression, text, !want, want)
		}
	})
}

// TestPatterns does the same with random strings over the letters that the patterns speak of.
func TestPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, expression := range []string{
		`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`, `a|b$`, `^a|b`, `(^|,)a(,|$)`, `x*`, `^(ab?)+$`, `b{2,3}`, `^[^,]*$`, `(?i)aB`, `a.b`, `^-?1*$`,
		`(a|ab)(c|bcd)(d*)`, `^(a+)+$`, `[ab]*b[ab]{3}`, `\d\D\s?\w`, `a$b`, `(?U)a+b`, `^()$`, `é`, `[^\n]`,
	} {
		re, v := regexp.MustCompile(expression), matching(t, expression)
		for range 500 {
			text := ""
			for range r.IntN(9) {
				text += string([]rune("abcdABx,-1 \né")[r.IntN(13)])
			}
			errs := v.Validate(field.NewPath("p"), text)
			if want := re.MatchString(text); (len(errs) == 0) != want {
				t.Errorf("%q matches %q: %v, want %v", expression, text, !want, want)
			}
		}
	}
}
