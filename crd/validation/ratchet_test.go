package validation_test

import "testing"

// TestUpdate checks what an update may leave as it was although the schema forbids it.
func TestUpdate(t *testing.T) {
	for name, c := range map[string]struct{ schema, old, now, want string }{
		"an unchanged member": {
			schema: `{type: object, properties: {a: {type: string, maxLength: 1}, b: {type: string}}}`,
			old:    `{a: too long}`, now: `{a: too long, b: new}`,
		},
		"a changed member": {
			schema: `{type: object, properties: {a: {type: string, maxLength: 1}}}`,
			old:    `{a: too long}`, now: `{a: still too long}`,
			want: `a: Too long: may not be more than 1 byte`,
		},
		"a member that was not there": {
			schema: `{type: object, properties: {a: {type: integer, minimum: 1}}}`,
			old:    `{}`, now: `{a: 0}`,
			want: `a: Invalid value: 0: a in body should be greater than or equal to 1`,
		},
		"what is required but was missing before": {
			schema: `{type: object, properties: {s: {type: object, required: [a], properties: {a: {}, b: {}}}, t: {type: string}}}`,
			old:    `{s: {b: 1}}`, now: `{s: {b: 1}, t: x}`,
		},
		"what is required next to a change": {
			schema: `{type: object, required: [a], properties: {b: {}}}`,
			old:    `{b: 1}`, now: `{b: 2}`,
			want: `a: Required value`,
		},
		"an unchanged value of additionalProperties": {
			schema: `{type: object, properties: {m: {type: object, additionalProperties: {type: string, pattern: '^x'}}}}`,
			old:    `{m: {a: y, b: x}}`, now: `{m: {a: y, b: x1, c: z}}`,
			want: `m.c: Invalid value: "z": m.c in body should match '^x'`,
		},
		"an element of a list of type map, moved": {
			schema: `{type: object, properties: {l: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k],
				items: {type: object, properties: {k: {type: string}, v: {type: integer, maximum: 1}}}}}}`,
			old: `{l: [{k: a, v: 7}, {k: b, v: 1}]}`, now: `{l: [{k: b, v: 0}, {k: c, v: 1}, {k: a, v: 7}]}`,
		},
		"an element of a list of type map, changed": {
			schema: `{type: object, properties: {l: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k, z],
				items: {type: object, properties: {k: {type: string}, z: {type: integer}, v: {type: integer, maximum: 1}}}}}}`,
			old: `{l: [{k: a, z: 1, v: 7}]}`, now: `{l: [{k: a, z: 1, v: 8}, {k: a, z: 2, v: 7}]}`,
			want: `l[0].v: Invalid value: 8: l[0].v in body should be less than or equal to 1
				l[1].v: Invalid value: 7: l[1].v in body should be less than or equal to 1`,
		},
		"an element of an atomic list": {
			schema: `{type: object, properties: {l: {type: array, items: {type: integer, maximum: 1}}}}`,
			old:    `{l: [7]}`, now: `{l: [7, 0]}`,
			want: `l[0]: Invalid value: 7: l[0] in body should be less than or equal to 1`,
		},
		"an unchanged atomic list": {
			schema: `{type: object, properties: {l: {type: array, maxItems: 1, items: {type: integer, maximum: 1}}, o: {}}}`,
			old:    `{l: [7, 8]}`, now: `{l: [7, 8], o: 1}`,
		},
		"a list of type map in another order": {
			schema: `{type: object, properties: {l: {type: array, maxItems: 1, x-kubernetes-list-type: map,
				x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}}}}}}`,
			old: `{l: [{k: a}, {k: b}]}`, now: `{l: [{k: b}, {k: a}]}`,
		},
		"branches are not forgiven one by one": {
			schema: `{type: object, properties: {a: {type: integer}, b: {type: integer}}, allOf: [{properties: {a: {maximum: 1}}}]}`,
			old:    `{a: 7, b: 1}`, now: `{a: 7, b: 2}`,
			want: `a: Invalid value: 7: a in body should be less than or equal to 1
				<nil>: Invalid value: "": "" must validate all the schemas (allOf). None validated`,
		},
		"but an unchanged node is forgiven its branches": {
			schema: `{type: object, properties: {s: {type: object, properties: {a: {type: integer}}, not: {required: [a]}}, b: {}}}`,
			old:    `{s: {a: 7}, b: 1}`, now: `{s: {a: 7}, b: 2}`,
		},
		"an object with members that the schema does not know": {
			schema: `{type: object, properties: {s: {type: object, maxProperties: 0, x-kubernetes-preserve-unknown-fields: true}}}`,
			old:    `{s: {a: 1}}`, now: `{s: {a: 1}}`,
			want: `s: Too many: 1: must have at most 0 items`,
		},
		"kind and apiVersion of the whole": {
			schema: `{type: object, properties: {kind: {type: string, enum: [A]}, s: {type: object, properties: {kind: {type: string, enum: [A]}}}}}`,
			old:    `{kind: B, s: {kind: B}}`, now: `{kind: B, s: {kind: B}, x: 1}`,
			want: `kind: Unsupported value: "B": supported values: "A"`,
		},
		"a null": {
			schema: `{type: object, properties: {a: {type: string}, b: {}}}`,
			old:    `{a: null}`, now: `{a: null, b: 1}`,
		},
		"an integer that became a float": {
			schema: `{type: object, properties: {a: {type: number, maximum: 1}}}`,
			old:    `{"a":7}`, now: `{"a":7.0}`,
			want: `a: Invalid value: 7: a in body should be less than or equal to 1`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, compile(t, c.schema).ValidateUpdate(nil, parse(t, c.now), parse(t, c.old)), c.want)
		})
	}
}

// TestProperty checks that the errors of a part are those of the part alone, placed where it stands.
func TestProperty(t *testing.T) {
	v := compile(t, `{type: object, required: [spec], properties: {status: {type: object, required: [x], properties: {i: {type: integer, maximum: 1}}}}}`)
	status := v.Property("status")
	check(t, status.Validate(root("status"), parse(t, `{i: 2}`)), `status.i: Invalid value: 2: i in body should be less than or equal to 1
		status.x: Required value`)
	check(t, status.ValidateUpdate(root("status"), parse(t, `{i: 2, x: 1}`), parse(t, `{i: 2}`)), "")
	check(t, v.Property("other").Validate(nil, "anything"), "")
}
