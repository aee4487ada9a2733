package conversion_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/conversion"
	"github.com/keelson-project/keelson/crd/schema"
)

func compile(text string) (conversion.Expression, error) { return cel.CompileExpression(text) }

func parseRules(t testing.TB, text string) *conversion.Rules {
	t.Helper()
	r, err := conversion.ParseRules(text, compile)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func object(t testing.TB, version, rest string) resource.Object {
	t.Helper()
	obj, err := resource.Decode([]byte(`{"apiVersion":"e.com/` + version + `","kind":"Website","metadata":{"name":"a"},` + rest + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

const everyRule = `
hub: v1
versions:
  v1beta1:
  - move: {v1beta1: spec.host, v1: spec.network.hostname}
  - move: {v1beta1: spec.tls, v1: spec.security}
    values: {"on": Strict, "off": None}
  - move: {v1beta1: 'spec.ports[*].number', v1: 'spec.ports[*].port'}
  - move: {v1beta1: spec.ports, v1: spec.listeners}
  - only: {v1beta1: spec.legacy}
  - only: {v1: 'spec.listeners[*].protocol'}
    default: TCP
  - only: {v1: spec.mode}
    default: Fast
  - move: {v1beta1: "metadata.labels['e.com/old']", v1: "metadata.labels['e.com/new']"}
  - compute:
      v1: {spec.size: 'string(self.spec.sizeGb) + "Gi"'}
      v1beta1: {spec.sizeGb: 'int(self.spec.size.replace("Gi", ""))'}
  v1alpha1:
  - move: {v1alpha1: spec.domain, v1: spec.network.hostname}
`

func TestRulesConvert(t *testing.T) {
	r := parseRules(t, everyRule)
	if got := r.Versions(); !reflect.DeepEqual(got, []string{"v1", "v1alpha1", "v1beta1"}) {
		t.Error(got)
	}
	for name, c := range map[string]struct{ from, rest, to, want string }{
		"a field moves":              {"v1beta1", `"spec":{"host":"a.com"}`, "v1", `"spec":{"mode":"Fast","network":{"hostname":"a.com"}}`},
		"and back":                   {"v1", `"spec":{"mode":"Fast","network":{"hostname":"a.com"}}`, "v1beta1", `"spec":{"host":"a.com"}`},
		"what is around it may stay": {"v1", `"spec":{"mode":"Fast","network":{"hostname":"a.com","mtu":9000}}`, "v1beta1", `"spec":{"host":"a.com","network":{"mtu":9000}}`},
		"through the hub":            {"v1alpha1", `"spec":{"domain":"a.com","mode":"Fast"}`, "v1beta1", `"spec":{"host":"a.com"}`},
		"a value":                    {"v1beta1", `"spec":{"tls":"on"}`, "v1", `"spec":{"mode":"Fast","security":"Strict"}`},
		"a value, back":              {"v1", `"spec":{"mode":"Fast","security":"None"}`, "v1beta1", `"spec":{"tls":"off"}`},
		"another value":              {"v1beta1", `"spec":{"tls":"maybe"}`, "v1", `"spec":{"mode":"Fast","security":"maybe"}`},
		"items": {"v1beta1", `"spec":{"ports":[{"number":80},{"number":81,"name":"b"},7]}`,
			"v1", `"spec":{"mode":"Fast","listeners":[{"port":80,"protocol":"TCP"},{"name":"b","port":81,"protocol":"TCP"},7]}`},
		"items, back": {"v1", `"spec":{"mode":"Fast","listeners":[{"port":80,"protocol":"TCP"},{"port":81,"protocol":"TCP"}]}`,
			"v1beta1", `"spec":{"ports":[{"number":80},{"number":81}]}`},
		"computed":          {"v1beta1", `"spec":{"sizeGb":20}`, "v1", `"spec":{"mode":"Fast","size":"20Gi"}`},
		"computed, back":    {"v1", `"spec":{"mode":"Fast","size":"20Gi"}`, "v1beta1", `"spec":{"sizeGb":20}`},
		"no spec":           {"v1beta1", `"status":{}`, "v1", `"status":{}`},
		"the same version":  {"v1", `"spec":{"host":"stays"}`, "v1", `"spec":{"host":"stays"}`},
		"another version":   {"v1", `"spec":{"host":"stays"}`, "v7", `"spec":{"host":"stays"}`},
		"shapes of nothing": {"v1beta1", `"spec":{"ports":{"a":{"number":1}},"host":{"b":1},"legacy":null}`, "v1", ``},
	} {
		t.Run(name, func(t *testing.T) {
			obj := object(t, c.from, c.rest)
			got := r.Convert(t.Context(), []resource.Object{obj}, "e.com/"+c.to)[0]
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			if c.want == "" {
				return
			}
			if want := object(t, c.to, c.want); !reflect.DeepEqual(got.Object, want) {
				t.Errorf("got  %v\nwant %v", got.Object, want)
			}
		})
	}
}

func TestRulesMoveALabel(t *testing.T) {
	r := parseRules(t, everyRule)
	obj := object(t, "v1beta1", `"status":{}`)
	obj["metadata"] = map[string]any{"name": "a", "labels": map[string]any{"e.com/old": "x"}}
	got := r.Convert(t.Context(), []resource.Object{obj}, "e.com/v1")[0].Object["metadata"].(map[string]any)
	if !reflect.DeepEqual(got["labels"], map[string]any{"e.com/new": "x"}) {
		t.Error(got)
	}
}

// What a version has no field for waits in an annotation, on the way through a third version as well.
func TestRulesKeepWhatHasNoPlace(t *testing.T) {
	r := parseRules(t, everyRule)
	was := object(t, "v1beta1", `"spec":{"legacy":{"deep":[1,2.5,"x",null]},"host":"a.com"}`)
	obj := resource.DeepCopy(was)
	for _, to := range []string{"v1", "v1alpha1", "v1", "v1beta1"} {
		got := r.Convert(t.Context(), []resource.Object{obj}, "e.com/"+to)[0]
		if got.Err != nil {
			t.Fatal(got.Err)
		}
		obj = got.Object
		meta := obj["metadata"].(map[string]any)
		if annotations, _ := meta["annotations"].(map[string]any); to != "v1beta1" && annotations[conversion.DataAnnotation] == nil {
			t.Errorf("nothing is kept in %s: %v", to, meta)
		}
	}
	if !reflect.DeepEqual(obj, was) {
		t.Errorf("came back as %v", obj)
	}

	// A value of the hub that is not its default, and one that is absent, survive a version without that field.
	for _, spec := range []string{
		`"spec":{"mode":"Slow"}`, `"spec":{"security":"Strict"}`, `"spec":{"mode":"Fast","listeners":[{"port":1,"protocol":"UDP"},{"port":2},{"port":3,"protocol":"TCP"}]}`,
	} {
		was := object(t, "v1", spec)
		there := r.Convert(t.Context(), []resource.Object{resource.DeepCopy(was)}, "e.com/v1beta1")[0].Object
		back := r.Convert(t.Context(), []resource.Object{there}, "e.com/v1")[0].Object
		if !reflect.DeepEqual(back, was) {
			t.Errorf("%v came back as %v", was, back)
		}
	}

	// Items that are no longer where they were do not get what another had.
	there := r.Convert(t.Context(), []resource.Object{object(t, "v1", `"spec":{"mode":"Fast","listeners":[{"port":1,"protocol":"UDP"},{"port":2,"protocol":"TCP"}]}`)}, "e.com/v1beta1")[0].Object
	spec := there["spec"].(map[string]any)
	spec["ports"] = spec["ports"].([]any)[1:]
	back := r.Convert(t.Context(), []resource.Object{there}, "e.com/v1")[0].Object
	if want := object(t, "v1", `"spec":{"mode":"Fast","listeners":[{"port":2,"protocol":"TCP"}]}`); !reflect.DeepEqual(back, want) {
		t.Errorf("got %v", back)
	}

	broken := object(t, "v1beta1", `"spec":{"host":"x"}`)
	broken["metadata"].(map[string]any)["annotations"] = map[string]any{conversion.DataAnnotation: "{no", "other": "stays"}
	back = r.Convert(t.Context(), []resource.Object{broken}, "e.com/v1")[0].Object
	if got := back["metadata"].(map[string]any)["annotations"]; !reflect.DeepEqual(got, map[string]any{"other": "stays"}) {
		t.Errorf("got %v", got)
	}
}

func TestRulesFail(t *testing.T) {
	r := parseRules(t, everyRule)
	got := r.Convert(t.Context(), []resource.Object{object(t, "v1", `"spec":{"size":"many"}`)}, "e.com/v1beta1")[0]
	if got.Err == nil || !strings.HasPrefix(got.Err.Error(), "conversion rules for e.com/v1, Kind=Website failed: versions[v1beta1][8]: spec.sizeGb: ") {
		t.Error(got.Err)
	}
	got = r.Convert(t.Context(), []resource.Object{object(t, "v1beta1", `"spec":{"host":"a","network":7}`)}, "e.com/v1")[0]
	if got.Err == nil || !strings.HasSuffix(got.Err.Error(), "versions[v1beta1][0]: spec.network is no object") {
		t.Error(got.Err)
	}
	big := object(t, "v1beta1", `"spec":{"legacy":"`+strings.Repeat("x", 200<<10)+`"}`)
	if got := r.Convert(t.Context(), []resource.Object{big}, "e.com/v1")[0]; got.Err == nil || !strings.Contains(got.Err.Error(), "the annotation has room for") {
		t.Error(got.Err)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	one := func(rule string) string { return "hub: v1\nversions:\n  v2:\n  - " + rule }
	for text, want := range map[string]string{
		``:                            "hub: the version that all others are converted through must be named",
		`[`:                           "yaml: ",
		`hub: 7`:                      "json: cannot unmarshal number",
		"hub: v1\nhob: v2":            `unknown field "hob"`,
		"hub: v1\nhub: v2":            `already set in map`,
		"hub: v1\nversions: {v1: []}": "versions[v1]: the hub has no rules of its own",
		one(`{}`):                     "versions[v2][0]: must have exactly one of move, only and compute",
		one(`{move: {v1: a.b, v2: a.c}, only: {v1: a.d}}`):                         "must have exactly one of",
		one(`{move: {v1: a.b}}`):                                                   "versions[v2][0]: move must name the field in v2 and in v1",
		one(`{move: {v1: a.b, v3: a.c}}`):                                          `"v3" is neither v2 nor v1`,
		one(`{move: {v1: a..b, v2: a.c}}`):                                         `v1: "a..b" is no path of a field`,
		one(`{move: {v1: 'a[*]', v2: a.c}}`):                                       `v1: "a[*]" must end in the name of a field`,
		one(`{move: {v1: '[*].a', v2: a.c}}`):                                      `is no path`,
		one(`{move: {v1: 'a[0]', v2: a.c}}`):                                       `is no path`,
		one(`{move: {v1: 'a[*].b', v2: 'c[*].b'}}`):                                "both fields must stand below the same [*]",
		one(`{move: {v1: kind, v2: a}}`):                                           `"kind" is not for rules to change`,
		one(`{move: {v1: metadata.name, v2: a}}`):                                  `"metadata.name" is not for rules to change: of metadata they may change single labels and annotations`,
		one(`{move: {v1: metadata.labels, v2: a}}`):                                `"metadata.labels" is not for rules to change`,
		one(`{only: {v1: "metadata.annotations['keelson.dev/conversion-data']"}}`): "is not for rules to change",
		one(`{move: {v1: a.b, v2: a.c}, values: {a: z, b: z}}`):                    `values: "a" and "b" both become "z"`,
		one(`{only: {v1: a.b}, values: {x: z}}`):                                   "values belong to move",
		one(`{move: {v1: a.b, v2: a.c}, default: 1}`):                              "default belongs to only",
		one(`{only: {v1: a.b, v2: a.b}}`):                                          "only must name a field in either v2 or v1",
		one(`{only: {}}`):                                                          "only must name a field",
		one(`{compute: {v1: {a.b: "self."}, v2: {a.c: "1"}}}`):                     "versions[v2][0]: v1: a.b: ERROR: ",
		one(`{compute: {v1: {a.b: "1"}}}`):                                         "compute must name fields in v2 and in v1",
		one(`{compute: {v1: {a.b: "1"}, v3: {a.b: "1"}}}`):                         `"v3" is neither`,
		one(`{compute: {v1: {'a[*].b': "1"}, v2: {a.b: "1"}}}`):                    "all fields must stand below the same [*]",
	} {
		_, err := conversion.ParseRules(text, compile)
		var at *conversion.RuleError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &at) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func schemas(t testing.TB, of map[string]string) map[string]*schema.Schema {
	t.Helper()
	out := map[string]*schema.Schema{}
	for version, spec := range of {
		s, err := schema.Parse([]byte(`{"type":"object","properties":{"spec":{"type":"object",` + spec + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		out[version] = s
	}
	return out
}

func TestRulesAreCheckedOnSamples(t *testing.T) {
	const v1 = `"properties":{"hostname":{"type":"string"},"mode":{"type":"string","enum":["Fast","Slow"]},"n":{"type":"integer"}}`
	for name, c := range map[string]struct {
		rules, v1, v2 string
		want          []string
	}{
		"all comes back": {
			"hub: v1\nversions:\n  v2:\n  - move: {v2: spec.host, v1: spec.hostname}\n  - only: {v1: spec.mode}\n  - only: {v2: spec.extra}",
			v1, `"properties":{"host":{"type":"string"},"extra":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}},"n":{"type":"integer"}}`, nil,
		},
		"a field that nobody carries": {
			"hub: v1\nversions:\n  v2:\n  - move: {v2: spec.host, v1: spec.hostname}\n  - only: {v1: spec.mode}",
			v1, `"properties":{"host":{"type":"string"},"extra":{"type":"boolean"},"n":{"type":"integer"}}`,
			[]string{"versions[v2]: spec.extra of v2 does not come back from v1: it was true and is absent; no rule is about it"},
		},
		"and one of the hub": {
			"hub: v1\nversions:\n  v2:\n  - move: {v2: spec.host, v1: spec.hostname}",
			v1, `"properties":{"host":{"type":"string"},"n":{"type":"integer"}}`,
			[]string{`versions[v2]: spec.mode of v1 does not come back from v2: it was "Fast" and is absent; no rule is about it`},
		},
		"no rules at all": {
			"hub: v1", v1, v1, nil,
		},
		"types that differ": {
			"hub: v1\nversions:\n  v2:\n  - move: {v2: spec.where.host, v1: spec.hostname}",
			`"properties":{"hostname":{"type":"string"}}`, `"properties":{"where":{"type":"object","properties":{"hast":{"type":"string"}}}}`,
			[]string{
				`versions[v2]: spec.where.hast of v2 does not come back from v1: it was "text-4-0" and is absent; no rule is about it`,
				`versions[v2][0]: spec.hostname of v1 does not come back from v2: it was "text-3-0" and is absent`,
			},
		},
		"values that are not all mapped": {
			"hub: v1\nversions:\n  v2:\n  - move: {v2: spec.mode, v1: spec.mode}\n    values: {Quick: Fast}",
			`"properties":{"mode":{"type":"string","enum":["Fast","Slow"]}}`, `"properties":{"mode":{"type":"string","enum":["Quick","Fast"]}}`,
			[]string{`versions[v2][0]: spec.mode of v2 does not come back from v1: it was "Fast" and is "Quick"`,
				`versions[v2][0]: spec.mode gets a value in v2 that its enum does not have, from a valid object of v1`},
		},
		"an expression without samples": {
			"hub: v1\nversions:\n  v2:\n  - compute: {v1: {spec.gb: 'int(self.spec.size.replace(\"Gi\", \"\"))'}, v2: {spec.size: 'string(self.spec.gb) + \"Gi\"'}}",
			`"properties":{"gb":{"type":"integer"}}`, `"properties":{"size":{"type":"string"}}`,
			[]string{`versions[v2][0]: a sample of v2 cannot be converted (spec.gb: type conversion error from 'string' to 'int'); if no such object is valid, give better samples of v2: {"apiVersion":"sample/v2"`},
		},
		"an expression with samples": {
			"hub: v1\nversions:\n  v2:\n  - compute: {v1: {spec.gb: 'int(self.spec.size.replace(\"Gi\", \"\"))'}, v2: {spec.size: 'string(self.spec.gb) + \"Gi\"'}}\nsamples: {v2: [{spec: {size: 3Gi}}]}",
			`"properties":{"gb":{"type":"integer"}}`, `"properties":{"size":{"type":"string"}}`, nil,
		},
		"half of what is needed": {
			"hub: v1\nversions:\n  v2:\n  - compute: {v1: {spec.host: 'self.spec.at.split(\":\")[0]', spec.port: 'self.spec.at.split(\":\")[1]'}, v2: {spec.at: 'self.spec.host + \":\" + self.spec.port'}}\nsamples: {v2: [{spec: {at: 'a:b'}}]}",
			`"properties":{"host":{"type":"string"},"port":{"type":"string"}}`, `"properties":{"at":{"type":"string"}}`,
			[]string{`versions[v2][0]: a sample of v1 cannot be converted (spec.at: no such key: `},
		},
		"a version that is none": {"hub: v1\nversions:\n  v3: []", v1, v1, []string{`versions[v3]: "v3" is no version of this kind`}},
		"a hub that is none":     {"hub: v9", v1, v1, []string{`hub: "v9" is no version of this kind`}},
	} {
		t.Run(name, func(t *testing.T) {
			problems := parseRules(t, c.rules).Check(t.Context(), schemas(t, map[string]string{"v1": c.v1, "v2": c.v2}))
			if len(problems) != len(c.want) {
				t.Errorf("got %v\nwant %v", problems, c.want)
			}
			for i := range min(len(problems), len(c.want)) {
				if !strings.HasPrefix(problems[i].Error(), c.want[i]) {
					t.Errorf("got  %v\nwant %s", problems[i], c.want[i])
				}
			}
		})
	}
}

// FuzzRules: no text makes the parser or a conversion panic, and what is converted twice by the same rules comes out
// the same.
func FuzzRules(f *testing.F) {
	f.Add(everyRule, `{"apiVersion":"e.com/v1beta1","metadata":{"name":"a"},"spec":{"host":"a","ports":[{"number":1}],"legacy":[1]}}`)
	f.Add("hub: v1\nversions: {v2: [{only: {v1: 'a[*].b'}, default: {c: 1}}]}", `{"apiVersion":"e.com/v2","metadata":{},"a":[{},{"b":2}]}`)
	f.Add("hub: v1\nversions: {v2: [{move: {v1: a, v2: a.b.c}}, {move: {v1: a.b, v2: a}}]}", `{"apiVersion":"e.com/v2","a":{"b":{"c":{}}}}`)
	f.Fuzz(func(t *testing.T, text, body string) {
		r, err := conversion.ParseRules(text, nil)
		if err != nil {
			return
		}
		obj, err := resource.Decode([]byte(body))
		if err != nil {
			return
		}
		for _, to := range r.Versions() {
			var outcome []string
			for range 2 {
				got := r.Convert(context.Background(), []resource.Object{resource.DeepCopy(obj)}, "e.com/"+to)[0]
				if got.Err != nil {
					outcome = append(outcome, "failed")
					continue
				}
				raw, err := resource.Encode(got.Object)
				if err != nil {
					t.Fatal(err)
				}
				outcome = append(outcome, string(raw))
			}
			if outcome[0] != outcome[1] {
				t.Fatalf("first %s\nthen  %s", outcome[0], outcome[1])
			}
		}
	})
}
