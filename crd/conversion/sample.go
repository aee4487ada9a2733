package conversion

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/schema"
)

// Bounds of what is tried for one version.
const (
	maxVariants = 16      // of values
	maxWithout  = 128     // samples without one of the fields
	maxNodes    = 200_000 // of all samples together
)

// samplesOf makes objects of a schema: with all fields in several variants (each value of an enum, lists of different
// lengths), with the required ones only, and with all but one. seeds are laid over them in turn.
func samplesOf(s *schema.Schema, seeds []resource.Object) []resource.Object {
	var out []resource.Object
	add := func(obj resource.Object) {
		if len(seeds) > 0 {
			overlay(obj, seeds[len(out)%len(seeds)])
		}
		out = append(out, obj)
	}
	g := sampler{root: s}
	full := g.object(0)
	nodes := g.nodes + 1
	variants := min(max(g.variants, 3, len(seeds)), maxVariants)
	for k := range variants {
		if k > 0 && (k+1)*nodes > maxNodes {
			break
		}
		add(g.object(k))
	}
	minimal := sampler{root: s, minimal: true}
	add(minimal.object(0))
	without := fieldsOf(full, s, nil)
	for i, field := range without {
		if i == maxWithout || (i+variants)*nodes > maxNodes {
			break
		}
		obj := g.object(i % variants)
		take(obj, field, 0)
		add(obj)
	}
	return out
}

// sampler makes objects of a schema.
type sampler struct {
	root     *schema.Schema
	minimal  bool
	variant  int
	nodes    int // made so far
	variants int // that the largest enum asks for
}

func (g *sampler) object(variant int) resource.Object {
	g.variant, g.nodes = variant, 0
	obj, _ := g.value(g.root).(map[string]any)
	if obj == nil {
		obj = resource.Object{}
	}
	obj["metadata"] = map[string]any{
		"name": "sample", "namespace": "default", "uid": "0", "labels": map[string]any{"a": "b"}, "annotations": map[string]any{"c": "d"},
	}
	return obj
}

func (g *sampler) value(s *schema.Schema) any {
	g.nodes++
	if s == nil {
		return "any"
	}
	k := g.variant
	switch {
	case len(s.Enum) > 0:
		g.variants = max(g.variants, len(s.Enum))
		return resource.DeepCopy(resource.Object{"": s.Enum[k%len(s.Enum)]})[""]
	case s.Default != nil && k%3 == 1:
		return resource.DeepCopy(resource.Object{"": s.Default})[""]
	case s.IntOrString:
		if k%2 == 1 {
			return "50%"
		}
		return int64(8080 + k)
	}
	switch s.Type {
	case "object":
		return g.members(s)
	case "array":
		return g.items(s)
	case "string":
		return g.text(s)
	case "integer":
		return int64(g.number(s))
	case "number":
		return g.number(s) + 0.5
	case "boolean":
		return k%2 == 0
	}
	return map[string]any{"any": "thing"} // x-kubernetes-preserve-unknown-fields without a type
}

func (g *sampler) members(s *schema.Schema) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if s == g.root && (name == "apiVersion" || name == "kind" || name == "metadata") {
			continue
		}
		if !g.minimal || slices.Contains(s.Required, name) {
			out[name] = g.value(s.Properties[name])
		}
	}
	if g.minimal {
		return out
	}
	if s.Additional != nil {
		for i := range 2 - g.variant%3 {
			out[fmt.Sprintf("key-%d", i)] = g.value(s.Additional)
		}
	}
	if s.PreserveUnknown {
		out["unspecified"] = "thing"
	}
	if s.Embedded && s != g.root {
		out["apiVersion"], out["kind"], out["metadata"] = "v1", "Sample", map[string]any{"name": "embedded"}
	}
	return out
}

func (g *sampler) items(s *schema.Schema) []any {
	n := 2 - g.variant%3
	if g.minimal {
		n = 0
	}
	if s.MinItems != nil {
		n = max(n, int(min(*s.MinItems, 16)))
	}
	if s.MaxItems != nil {
		n = min(n, int(*s.MaxItems))
	}
	out := make([]any, n)
	for i := range out {
		g.variant += i // items differ
		out[i] = g.value(s.Items)
		g.variant -= i
	}
	return out
}

var sampleFormats = map[string]string{
	"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "duration": "1h30m0s", "byte": "aGVsbG8=", "ipv4": "10.0.0.1",
	"ip": "10.0.0.1", "ipv6": "fd00::1", "cidr": "10.0.0.0/8", "uri": "https://example.com/a", "email": "a@example.com",
	"hostname": "a.example.com", "uuid": "123e4567-e89b-12d3-a456-426614174000",
}

func (g *sampler) text(s *schema.Schema) string {
	if text, ok := sampleFormats[s.Format]; ok {
		return text
	}
	text := fmt.Sprintf("text-%d-%d", g.nodes, g.variant)
	if s.MinLength != nil && int64(len(text)) < *s.MinLength {
		text += strings.Repeat("x", int(min(*s.MinLength, 4096))-len(text))
	}
	if s.MaxLength != nil && int64(len(text)) > *s.MaxLength {
		text = text[:*s.MaxLength]
	}
	return text
}

func (g *sampler) number(s *schema.Schema) float64 {
	n := float64(1 + g.variant + g.nodes%100)
	if s.Minimum != nil && n <= *s.Minimum {
		n = math.Floor(*s.Minimum) + 1 + float64(g.variant)
	}
	if s.Maximum != nil && n >= *s.Maximum {
		n = math.Ceil(*s.Maximum) - 1
	}
	if s.MultipleOf != nil && *s.MultipleOf >= 1 {
		n = math.Ceil(n / *s.MultipleOf) * *s.MultipleOf
	}
	return n
}

// fieldsOf are the fields of obj that may be absent, outermost first, as far as no list is in the way.
func fieldsOf(obj map[string]any, s *schema.Schema, at []string) [][]string {
	var out, below [][]string
	if s == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		v, ok := obj[name]
		if !ok || len(at) == 0 && name == "metadata" {
			continue
		}
		field := append(slices.Clone(at), name)
		if !slices.Contains(s.Required, name) {
			out = append(out, field)
		}
		if m, ok := v.(map[string]any); ok {
			below = append(below, fieldsOf(m, s.Properties[name], field)...)
		}
	}
	return append(out, below...)
}

// overlay lays the fields of seed over obj.
func overlay(obj, seed map[string]any) {
	for name, v := range seed {
		into, _ := obj[name].(map[string]any)
		from, ok := v.(map[string]any)
		if ok && into != nil {
			overlay(into, from)
			continue
		}
		obj[name] = resource.DeepCopy(resource.Object{"": v})[""]
	}
}
