// Package randschema makes structural schemas and objects out of a stream of bytes, for tests that compare two
// implementations on whatever a fuzzer or a generator of random numbers comes up with. The same bytes always make
// the same things; few bytes make small ones.
package randschema

import (
	"encoding/json"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"
)

// Source is a stream of choices. When it has run out of bytes every choice is the first one, which is made to be
// the simplest.
type Source struct{ data []byte }

// New returns a Source that reads data.
func New(data []byte) *Source { return &Source{data} }

// Int returns a number from 0 to n-1; n is at most 256.
func (s *Source) Int(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b) % n
}

// Chance is true in about one of n cases, never when the bytes have run out.
func (s *Source) Chance(n int) bool { return s.Int(n) == n-1 && n > 1 }

func pick[T any](s *Source, from ...T) T { return from[s.Int(len(from))] }

// names are few, so that schema, rules and objects often mean the same member.
func (s *Source) name() string {
	return pick(s, "a", "b", "c", "name", "spec", "kind", "status", "metadata", "apiVersion", "x.y", "d")
}

func (s *Source) number() any {
	return pick[any](s, int64(0), int64(1), int64(-1), int64(2), int64(3), int64(10), 0.5, 2.5, 3.0, -1.0,
		int64(1)<<31, int64(1)<<53+1, int64(-1)<<63, int64(1<<63-1), 1e20, 3.5e38, 1e-9, 0.30000000000000004)
}

func (s *Source) text() string {
	return pick(s, "", "a", "abc", "x", "a.b", "100%d", "ü€", "1", "null", "2020-01-02", "2020-01-02T03:04:05Z", "1.2.3.4",
		"::1", "10.0.0.0/8", "a@b.c", "http://x.y/z", "fa1b2c3d-0000-4000-8000-123456789abc", "5m", "Zm9v", "#fff", "A-B", "-",
		"aa:bb:cc:dd:ee:ff", "0321751043", "978-0321751041", "123-45-6789", "rgb(1,2,3)", "some\nlines\"")
}

// Value is any JSON value of at most depth levels of lists and objects, in the shapes of resource.Object.
func (s *Source) Value(depth int) any {
	switch kind := s.Int(8); {
	case kind == 6 && depth > 0:
		list := []any{}
		for range s.Int(4) {
			list = append(list, s.Value(depth-1))
		}
		return list
	case kind >= 5 && depth > 0:
		object := map[string]any{}
		for range s.Int(4) {
			object[s.name()] = s.Value(depth - 1)
		}
		return object
	case kind == 4:
		return nil
	case kind == 3:
		return s.Chance(2)
	case kind >= 2:
		return s.number()
	}
	return s.text()
}

// Matching is a value that mostly has the shape that p describes; lists and objects are small.
func (s *Source) Matching(p *apiextensionsv1.JSONSchemaProps) any {
	if p == nil || s.Chance(24) {
		return s.Value(2)
	}
	if len(p.Enum) > 0 && !s.Chance(4) {
		var value any
		if err := json.Unmarshal(p.Enum[s.Int(len(p.Enum))].Raw, &value); err == nil && !isFloat(value) {
			return value
		}
	}
	if s.Chance(16) {
		return nil
	}
	switch p.Type {
	case "object":
		return s.object(p)
	case "array":
		list := []any{}
		for range s.Int(5) {
			if len(list) > 0 && s.Chance(4) {
				list = append(list, Copy(list[s.Int(len(list))]))
				continue
			}
			list = append(list, s.Matching(p.Items.Schema))
		}
		return list
	case "string":
		return s.text()
	case "integer", "number":
		return s.number()
	case "boolean":
		return s.Chance(2)
	}
	if p.XIntOrString {
		return pick[any](s, s.text(), s.number())
	}
	return s.Value(2)
}

func isFloat(value any) bool { _, ok := value.(float64); return ok }

func (s *Source) object(p *apiextensionsv1.JSONSchemaProps) map[string]any {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		if !s.Chance(4) {
			object[name] = s.Matching(ptr.To(p.Properties[name]))
		}
	}
	if p.XEmbeddedResource {
		s.resource(object)
	}
	if a := p.AdditionalProperties; a != nil {
		for range s.Int(3) {
			object[s.name()] = s.Matching(a.Schema)
		}
	}
	if s.Chance(8) {
		object[s.name()] = s.Value(2)
	}
	return object
}

// resource adds what every resource has, now and then wrongly.
func (s *Source) resource(object map[string]any) {
	if !s.Chance(8) {
		object["apiVersion"] = pick[any](s, "v1", "apps/v1", "a/b/c", "", int64(1))
	}
	if !s.Chance(8) {
		object["kind"] = pick[any](s, "Pod", "Deployment", "no kind", "", nil)
	}
	if !s.Chance(4) {
		object["metadata"] = s.metadata()
	}
}

func (s *Source) metadata() any {
	metadata := map[string]any{}
	for range s.Int(4) {
		switch s.Int(12) {
		case 0:
			metadata["name"] = s.text()
		case 1:
			metadata["labels"] = map[string]any{s.name(): s.text()}
		case 2:
			metadata["annotations"] = pick[any](s, map[string]any{s.name(): s.text()}, map[string]any{}, nil)
		case 3:
			metadata["finalizers"] = []any{s.text()}
		case 4:
			metadata[s.name()] = s.text()
		case 5:
			metadata["generation"] = s.number()
		case 6:
			metadata["creationTimestamp"] = pick[any](s, nil, "2020-01-02T03:04:05Z", "x")
		case 7:
			metadata["ownerReferences"] = []any{map[string]any{"kind": s.text(), "name": s.text(), "a": "b"}}
		case 8:
			metadata["namespace"] = s.text()
		case 9:
			metadata["labels"] = s.Value(1)
		case 10:
			metadata["Name"] = s.text()
		case 11:
			return s.Value(1)
		}
	}
	return metadata
}

// Changed is a copy of value with a few places in it replaced by others.
func (s *Source) Changed(value any, p *apiextensionsv1.JSONSchemaProps) any {
	if s.Chance(12) {
		return s.Matching(p)
	}
	switch x := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(x)) {
			switch {
			case s.Chance(4):
				out[name] = s.Changed(x[name], member(p, name))
			case s.Chance(16):
			default:
				out[name] = Copy(x[name])
			}
		}
		return out
	case []any:
		out := []any{}
		for _, element := range x {
			if s.Chance(3) {
				element = s.Changed(element, items(p))
			}
			out = append(out, Copy(element))
		}
		if len(out) > 1 && s.Chance(4) {
			out[0], out[1] = out[1], out[0]
		}
		return out
	}
	return value
}

func member(p *apiextensionsv1.JSONSchemaProps, name string) *apiextensionsv1.JSONSchemaProps {
	if p == nil {
		return nil
	}
	if child, ok := p.Properties[name]; ok {
		return &child
	}
	if p.AdditionalProperties != nil {
		return p.AdditionalProperties.Schema
	}
	return nil
}

func items(p *apiextensionsv1.JSONSchemaProps) *apiextensionsv1.JSONSchemaProps {
	if p == nil || p.Items == nil {
		return nil
	}
	return p.Items.Schema
}

// Copy is a deep copy of a JSON value.
func Copy(value any) any {
	switch x := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for name, member := range x {
			out[name] = Copy(member)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, element := range x {
			out[i] = Copy(element)
		}
		return out
	}
	return value
}
