package crd_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// A story is what happens to one CustomResourceDefinition, told as edits of a base: "path=JSON" sets, "-path" removes,
// "; " goes on with the next edit. "A -> B" creates A and sends B as an update; "stored A -> B" finds A in the store,
// where no validation has seen it. "status A -> B" sends B to the status subresource. The base's name and group are
// filled in after the edits of names and group, unless they are edited, too.
type story struct{ text string }

// storyGroup stands for the group of a story, which is another one each time.
const storyGroup = "story.example.com"

// storiesBase has one version; edits may add more.
const storiesBase = `{
	"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.story.example.com"},
	"spec": {
		"group": "story.example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
		"versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
			"type": "object", "properties": {
				"spec": {"type": "object", "properties": {
					"text": {"type": "string"}, "count": {"type": "integer"}, "flag": {"type": "boolean"},
					"list": {"type": "array", "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "string"}}}},
					"strings": {"type": "array", "items": {"type": "string"}},
					"map": {"type": "object", "additionalProperties": {"type": "string"}}
				}},
				"status": {"type": "object", "properties": {"replicas": {"type": "integer"}}}
			}
		}}}]
	}
}`

// shorthands for the paths that nearly every edit goes to.
func shorthands() []string {
	return []string{"V.", "spec.versions.0.", "S.", "spec.versions.0.schema.openAPIV3Schema.", "P.", "spec.versions.0.schema.openAPIV3Schema.properties.spec.properties."}
}

// edited applies edits to the base.
func edited(edits string) (map[string]any, error) {
	var obj map[string]any
	if err := json.Unmarshal([]byte(storiesBase), &obj); err != nil {
		return nil, err
	}
	for _, e := range strings.Split(edits, "; ") {
		if e = strings.TrimSpace(e); e == "" {
			continue
		}
		if err := edit(obj, e); err != nil {
			return nil, fmt.Errorf("%q: %w", e, err)
		}
	}
	return obj, nil
}

func edit(obj map[string]any, e string) error {
	path, text, sets := strings.Cut(e, "=")
	path, removes := strings.CutPrefix(path, "-")
	if sets == removes {
		return fmt.Errorf("neither an edit nor a removal")
	}
	for i := 0; i < len(shorthands()); i += 2 {
		if rest, ok := strings.CutPrefix(path, shorthands()[i]); ok {
			path = shorthands()[i+1] + rest
		}
	}
	var value any
	if sets {
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return err
		}
	}
	steps := strings.Split(path, ".")
	for i := range steps {
		steps[i] = strings.ReplaceAll(steps[i], "~", ".") // for dots in names
	}
	_, err := put(obj, steps, value, removes)
	return err
}

// put returns at with value at the end of steps.
func put(at any, steps []string, value any, remove bool) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	switch x := at.(type) {
	case nil:
		return put(map[string]any{}, steps, value, remove)
	case map[string]any:
		if len(steps) == 1 && remove {
			delete(x, steps[0])
			return x, nil
		}
		child, err := put(x[steps[0]], steps[1:], value, remove)
		x[steps[0]] = child
		return x, err
	case []any:
		i, err := strconv.Atoi(steps[0])
		if err != nil || i > len(x) {
			return x, fmt.Errorf("no item %s", steps[0])
		}
		if i == len(x) {
			x = append(x, nil)
		}
		x[i], err = put(x[i], steps[1:], value, remove)
		return x, err
	}
	return at, fmt.Errorf("%s is in no object", steps[0])
}

// stories are all that are told: each edit alone, pairs of them, and changes from one to another.
func stories() []story {
	var all []story
	singles := singleEdits()
	for _, e := range singles {
		all = append(all, story{e})
	}
	random := rand.New(rand.NewPCG(1, 37)) //nolint:gosec // the same pairs every time
	seen := map[string]bool{}
	for len(seen) < 260 {
		a, b := singles[random.IntN(len(singles))], singles[random.IntN(len(singles))]
		if text := a + "; " + b; a != b && editable(text) {
			seen[text] = true
		}
	}
	for _, text := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, story{text})
	}
	for _, e := range slices.Concat(celEdits(), changes(), manyChanges()) {
		all = append(all, story{e})
	}
	return all
}

// manyChanges update good definitions, and bad ones that were stored, by edits of every sort.
func manyChanges() []string {
	good := []string{
		``, v2, `V.subresources={"status":{}}`, `spec.scope="Cluster"`, `P.text.default="a"`, `P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["k"]`,
		`P.x={"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}`, `V.selectableFields=[{"jsonPath":".spec.text"}]`,
	}
	bad := []string{
		`P.text={}`, `P.text.type="strange"`, `-V.schema`, `spec.preserveUnknownFields=true`, `S.properties.spec.default={"nope":1}`, `P.list.x-kubernetes-list-type="set"`,
		`P.list.x-kubernetes-list-type="map"; P.list.x-kubernetes-list-map-keys=["v"]`, `spec.preserveUnknownFields=true; P.text.default="a"`, `P.strings.items=[{"type":"string"}]`,
	}
	random := rand.New(rand.NewPCG(2, 37)) //nolint:gosec // the same changes every time
	edits := append(singleEdits(), celEdits()...)
	seen := map[string]bool{}
	for len(seen) < 140 {
		edit, old := edits[random.IntN(len(edits))], ""
		if len(seen)%2 == 0 {
			old = good[random.IntN(len(good))]
		} else {
			old = bad[random.IntN(len(bad))]
		}
		if text := old + "; " + edit; editable(text) && !strings.Contains(edit, "metadata.name=") {
			seen[map[bool]string{true: "", false: "stored "}[len(seen)%2 == 0]+old+" -> "+text] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func editable(edits string) bool {
	_, err := edited(edits)
	return err == nil
}
