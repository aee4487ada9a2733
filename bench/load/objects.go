package load

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Group is that of the workload's kinds.
const Group = "bench.example.com"

// Properties is how many the schema of a Type's spec has.
const Properties = 40

// A Type is a custom resource of the workload.
type Type struct {
	Plural string // of lower case letters and digits
	Group  string // "": the constant
}

func (t Type) group() string {
	if t.Group == "" {
		return Group
	}
	return t.Group
}

// Collection is the path of the objects in the default namespace.
func (t Type) Collection() string {
	return "/apis/" + t.group() + "/v1/namespaces/default/" + t.Plural
}

// kind is the plural with a capital: nobody but the server reads it.
func (t Type) kind() string { return strings.ToUpper(t.Plural[:1]) + t.Plural[1:] }

// CRD returns the definition: a spec of 40 properties (strings, integers, a list, a map, enumerations), a CEL rule,
// two printer columns.
func (t Type) CRD() []byte {
	props := map[string]any{
		"seq":      map[string]any{"type": "integer", "minimum": 0},
		"replicas": map[string]any{"type": "integer", "minimum": 0, "maximum": 1000, "default": 1},
		"max":      map[string]any{"type": "integer", "minimum": 0},
		"phase":    map[string]any{"type": "string", "enum": []string{"Blue", "Green", "Red"}},
		"args":     map[string]any{"type": "array", "maxItems": 20, "items": map[string]any{"type": "string", "maxLength": 100}},
		"settings": map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}},
	}
	for i := len(props); i < Properties; i++ {
		props[field(i)] = map[string]any{"type": "string", "maxLength": 200, "pattern": "^[a-z0-9 -]*$"}
	}
	spec := map[string]any{
		"type": "object", "required": []string{"seq", "max"}, "properties": props,
		"x-kubernetes-validations": []any{map[string]any{
			"rule": "self.replicas <= self.max", "message": "replicas must not exceed max"}},
	}
	columns := []any{
		map[string]any{"name": "Phase", "type": "string", "jsonPath": ".spec.phase"},
		map[string]any{"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
	}
	return t.crd(map[string]any{"spec": spec}, columns)
}

// LargeCRD returns a definition of about size bytes: nested objects with descriptions, as generated from Go types.
func (t Type) LargeCRD(size int) []byte {
	doc := strings.Repeat("A sentence on what this field is for and when it may be left out. ", 3)
	leaf := func() map[string]any { return map[string]any{"type": "string", "description": doc} }
	groups := map[string]any{}
	for written, i := 1000, 0; written < size; i++ {
		fields := map[string]any{}
		for j := range 8 {
			fields[field(j)] = leaf()
			written += 250
		}
		groups[fmt.Sprintf("group%d", i)] = map[string]any{"type": "array", "description": doc,
			"items": map[string]any{"type": "object", "required": []string{field(0)}, "properties": fields}}
		written += 300
	}
	return t.crd(map[string]any{"spec": map[string]any{"type": "object", "properties": groups}}, nil)
}

func (t Type) crd(properties map[string]any, columns []any) []byte {
	version := map[string]any{
		"name": "v1", "served": true, "storage": true,
		"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": properties}},
	}
	if columns != nil {
		version["additionalPrinterColumns"] = columns
	}
	return encode(map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": t.Plural + "." + t.group()},
		"spec": map[string]any{
			"group": t.group(), "scope": "Namespaced",
			"names":    map[string]any{"plural": t.Plural, "singular": t.Plural, "kind": t.kind(), "listKind": t.kind() + "List"},
			"versions": []any{version},
		},
	})
}

// Object returns an object of about 1.6 KB as it is stored. One in ten has the label tenth=yes. seq goes into its
// spec, where Seq finds it again.
func (t Type) Object(name string, index, seq int) []byte {
	spec := map[string]any{
		"seq": seq, "replicas": index % 10, "max": 10,
		"phase":    []string{"Blue", "Green", "Red"}[index%3],
		"args":     []string{"--level=info", "--listen=0.0.0.0:8080", "--shards=16"},
		"settings": map[string]string{"alpha": "on", "beta": "off", "gamma": "automatic"},
	}
	for i := 6; i < 22; i++ {
		spec[field(i)] = fmt.Sprintf("%d the value of a field with some words in it", index*i)
	}
	tenth := "no"
	if index%10 == 0 {
		tenth = "yes"
	}
	return encode(map[string]any{
		"apiVersion": t.group() + "/v1", "kind": t.kind(),
		"metadata": map[string]any{"name": name, "labels": map[string]string{"app": "bench", "tenth": tenth}},
		"spec":     spec,
	})
}

// Minimal returns an object that every Type's CRD and LargeCRD accept.
func (t Type) Minimal(name string) []byte {
	return encode(map[string]any{
		"apiVersion": t.group() + "/v1", "kind": t.kind(),
		"metadata": map[string]any{"name": name},
		"spec":     map[string]any{"seq": 1, "max": 1, "replicas": 1},
	})
}

func field(i int) string { return fmt.Sprintf("field%02d", i) }

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings, numbers and lists always encode
	}
	return b
}
