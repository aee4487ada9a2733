package schema_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/keelson-project/keelson/crd/schema"
)

func parseSchema(t testing.TB, text string) *schema.Schema {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(strings.ReplaceAll(text, "\t", " ")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	s.PruneDefaults()
	return s
}

func parse(t testing.TB, text string) map[string]any {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(strings.ReplaceAll(text, "\t", " ")))
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := utiljson.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func same(t testing.TB, got any, want string) {
	t.Helper()
	if !reflect.DeepEqual(got, any(parse(t, want))) {
		t.Errorf("got %s\nwant %s", encode(got), want)
	}
}

func TestPrune(t *testing.T) {
	for name, c := range map[string]struct{ schema, obj, want, removed string }{
		"what is not specified": {
			`{type: object, properties: {spec: {type: object, properties: {a: {type: string}}}}}`,
			`{apiVersion: v1, kind: A, metadata: {x: 1}, spec: {a: q, b: {c: 1}}, status: {}}`,
			`{apiVersion: v1, kind: A, metadata: {x: 1}, spec: {a: q}}`, `spec.b status`,
		},
		"in lists and maps": {
			`{type: object, properties: {l: {type: array, items: {type: object, properties: {a: {}}}}, m: {type: object, additionalProperties: {type: array, items: {type: object}}}}}`,
			`{l: [{a: 1, b: 1}, 2, [{c: 1}]], m: {k: [{d: 1}], e: 2}}`,
			`{l: [{a: 1}, 2, [{}]], m: {k: [{}], e: 2}}`, `l[0].b l[2][0].c m.k[0].d`,
		},
		"additionalProperties true keeps names, not contents": {
			`{type: object, properties: {m: {type: object, additionalProperties: true}}}`,
			`{m: {k: {a: 1}, l: 2}}`, `{m: {k: {}, l: 2}}`, `m.k.a`,
		},
		"preserving keeps all but what is below specified members": {
			`{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {spec: {type: object, properties: {a: {}}}}}`,
			`{spec: {a: 1, b: 2}, other: {c: {d: 1}}}`, `{spec: {a: 1}, other: {c: {d: 1}}}`, `spec.b`,
		},
		"preserving lists": {
			`{type: object, properties: {l: {type: array, x-kubernetes-preserve-unknown-fields: true, items: {type: object, properties: {a: {type: object}}}}}}`,
			`{l: [{a: {b: 1}, c: {d: 1}}, [{e: 1}]]}`, `{l: [{a: {}, c: {d: 1}}, [{e: 1}]]}`, `l[0].a.b`,
		},
		"embedded resources keep their identity": {
			`{type: object, properties: {t: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}}}`,
			`{t: {apiVersion: v1, kind: A, metadata: {a: 1}, spec: {b: 1}, c: 1}}`,
			`{t: {apiVersion: v1, kind: A, metadata: {a: 1}, spec: {}}}`, `t.c t.spec.b`,
		},
		"nulls go silently": {
			`{type: object, properties: {a: {type: string}, b: {type: string, nullable: true}, c: {type: string, default: x}, d: {type: object, additionalProperties: {type: string}}, l: {type: array, items: {type: string}}}}`,
			`{a: null, b: null, c: null, d: {z: null}, l: [null]}`, `{b: null, c: null, d: {}, l: [null]}`, ``,
		},
	} {
		t.Run(name, func(t *testing.T) {
			obj := parse(t, c.obj)
			removed := schema.Prune(obj, parseSchema(t, c.schema))
			same(t, obj, c.want)
			if got := strings.Join(removed, " "); got != c.removed {
				t.Errorf("removed %q, want %q", got, c.removed)
			}
		})
	}
	obj := parse(t, `{apiVersion: v1, spec: 1}`)
	if removed := schema.Prune(obj, nil); len(removed) != 1 || len(obj) != 1 {
		t.Error("no schema specifies nothing:", removed, obj)
	}
}

// TestDeepPrune is about lists in lists in lists, which need no schema to be as deep as the decoder allows.
func TestDeepPrune(t *testing.T) {
	const depth = 9000
	inner := map[string]any{}
	for i := range 20000 {
		inner[strings.Repeat("x", 1+i%100)+string(rune('a'+i%26))+strings.Repeat("z", i/2600)] = int64(i)
	}
	var value any = inner
	for range depth {
		value = []any{value}
	}
	s := parseSchema(t, `{type: object, properties: {l: {type: array, items: {type: array, items: {type: string}}}}}`)
	removed := schema.Prune(map[string]any{"l": value}, s)
	bytes := 0
	for _, path := range removed {
		bytes += len(path)
	}
	if len(inner) > 0 || len(removed) == 0 || bytes > 17<<20 {
		t.Errorf("%d members left, %d paths of %d bytes", len(inner), len(removed), bytes)
	}
}

func TestDefault(t *testing.T) {
	for name, c := range map[string]struct{ schema, obj, want string }{
		"absent and null":             {`{type: object, properties: {a: {type: integer, default: 1}, b: {type: integer, default: 2}, c: {type: integer, nullable: true, default: 3}, d: {type: integer, default: 4}}}`, `{b: null, c: null, d: 0}`, `{a: 1, b: 2, c: null, d: 0}`},
		"nested, where its parent is": {`{type: object, properties: {p: {type: object, properties: {a: {type: integer, default: 1}}}, q: {type: object, default: {}, properties: {a: {type: integer, default: 1}}}}}`, `{}`, `{q: {a: 1}}`},
		"in lists and maps":           {`{type: object, properties: {l: {type: array, items: {type: object, default: {b: 2}, properties: {a: {type: integer, default: 1}, b: {type: integer}}}}, m: {type: object, additionalProperties: {type: integer, default: 7}}}}`, `{l: [{}, null], m: {x: null, z: 1}}`, `{l: [{a: 1}, {a: 1, b: 2}], m: {x: 7, z: 1}}`},
		"nulls without one stay":      {`{type: object, properties: {l: {type: array, items: {type: string}}}}`, `{l: [null]}`, `{l: [null]}`},
		"the wrong type":              {`{type: object, properties: {p: {type: object, properties: {a: {default: 1}}}}}`, `{p: [1]}`, `{p: [1]}`},
	} {
		t.Run(name, func(t *testing.T) {
			obj := parse(t, c.obj)
			schema.Default(obj, parseSchema(t, c.schema))
			same(t, obj, c.want)
		})
	}
	t.Run("copies", func(t *testing.T) {
		s := parseSchema(t, `{type: object, properties: {a: {type: object, default: {l: [1]}, x-kubernetes-preserve-unknown-fields: true}}}`)
		first, second := map[string]any{}, map[string]any{}
		schema.Default(first, s)
		first["a"].(map[string]any)["l"].([]any)[0] = "changed"
		schema.Default(second, s)
		same(t, second, `{a: {l: [1]}}`)
	})
}

func TestPruneDefaults(t *testing.T) {
	for name, c := range map[string]struct{ schema, want string }{
		"unknown members":             {`{type: object, properties: {a: {type: object, default: {b: 1, c: 2}, properties: {b: {}}}}}`, `{a: {b: 1}}`},
		"below a list that preserves": {`{type: object, properties: {a: {type: array, default: [{b: 1}], x-kubernetes-preserve-unknown-fields: true, items: {type: object}}}}`, `{a: [{b: 1}]}`},
		"metadata": {`{type: object, properties: {a: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true,
			default: {apiVersion: 1, kind: K, metadata: {name: me, labels: 7, foo: 1}}}}}`, `{a: {kind: K, metadata: {name: me}}}`},
		"of a member of metadata": {`{type: object, properties: {a: {type: object, default: {metadata: {}}, x-kubernetes-embedded-resource: true, properties: {metadata: {type: object,
			properties: {name: {type: integer, default: 1}, namespace: {type: string, default: x}}}}}}}`, `{a: {metadata: {namespace: x}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			obj := map[string]any{}
			schema.Default(obj, parseSchema(t, c.schema))
			same(t, obj, c.want)
		})
	}
}

func TestMetadata(t *testing.T) {
	clean, unknown, err := schema.CleanMetadata(parse(t, `{name: a, labels: {}, foo: 1, ownerReferences: [{kind: K, bar: 1}], creationTimestamp: null}`))
	if err != nil || strings.Join(unknown, " ") != "foo ownerReferences[0].bar" {
		t.Error(unknown, err)
	}
	same(t, clean, `{name: a, ownerReferences: [{apiVersion: "", kind: K, name: "", uid: ""}]}`)
	for text, want := range map[string]string{
		`{labels: {a: 1}}`:       `json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string`,
		`{creationTimestamp: x}`: `parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`,
		`{generation: 1.5}`:      `json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.generation of type int64`,
	} {
		metadata := parse(t, text)
		_, _, err := schema.CleanMetadata(metadata)
		if err == nil || err.Error() != want || schema.CheckMetadata(metadata).Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestEmbedded(t *testing.T) {
	s := parseSchema(t, `{type: object, properties: {l: {type: array, items: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}},
		m: {type: object, additionalProperties: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true, properties: {kind: {type: string}}}}}}`)
	for text, want := range map[string]string{
		`{l: [{apiVersion: 1}]}`:          `l[0].apiVersion: Invalid value: 1: must be a string`,
		`{l: [{kind: null}]}`:             `l[0].kind: Invalid value: null: must be a string`,
		`{m: {a: {kind: null}}}`:          ``,
		`{m: {a: {metadata: {name: 1}}}}`: `m[a].metadata: Invalid value: {"name":1}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string`,
		`{l: [{metadata: {name: A B}}]}`:  ``,
	} {
		got := ""
		if err := schema.CheckEmbedded(nil, parse(t, text), s); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}

	obj := parse(t, `{l: [{metadata: {foo: 1, labels: {}}}], m: {a: {metadata: {bar: {}}}}}`)
	if unknown := schema.Coerce(field.NewPath("r"), obj, s); strings.Join(unknown, " ") != "r.l[0].metadata.foo r.m[a].metadata.bar" {
		t.Errorf("%q", unknown)
	}
	same(t, obj, `{l: [{metadata: {}}], m: {a: {metadata: {}}}}`)

	for text, want := range map[string]string{
		`{l: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}]}`: ``,
		`{l: [{}]}`:                              `l[0].apiVersion: Required value | l[0].kind: Required value`,
		`{l: [{apiVersion: "", kind: ""}]}`:      `l[0].apiVersion: Invalid value: "": must not be empty | l[0].kind: Invalid value: "": must not be empty`,
		`{m: {a: {apiVersion: a/b/c, kind: A}}}`: `m[a].apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c`,
		`{l: [{apiVersion: v1, kind: A, metadata: {labels: {"-": x}}}]}`: `l[0].metadata.labels: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
	} {
		var got []string
		for _, e := range schema.ValidateEmbedded(t.Context(), nil, parse(t, text), s) {
			got = append(got, e.Error())
		}
		if strings.Join(got, " | ") != want {
			t.Errorf("%s:\n%s, want\n%s", text, strings.Join(got, " | "), want)
		}
	}
}

func TestUnsupported(t *testing.T) {
	_, err := schema.Parse([]byte(`{"type":"object","properties":{"a":{"patternProperties":{"x":{}}}}}`))
	if !errors.Is(err, schema.ErrUnsupported) || err.Error() != "OpenAPIV3Schema 'patternProperties' is not supported" {
		t.Error(err)
	}
}
