package cel

import (
	"maps"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/keelson-project/keelson/crd/schema"
)

// visible returns s as rules are compiled for it: each resource in it (s itself where root says so, and those with
// x-kubernetes-embedded-resource) has apiVersion, kind, metadata.name and metadata.generateName, and nothing else of
// metadata. Nodes without resources in them are shared with s.
func visible(s *schema.Schema, root bool) *schema.Schema {
	if s == nil {
		return nil
	}
	out := s
	own := func() *schema.Schema {
		if out == s {
			c := *s
			c.Properties = maps.Clone(s.Properties)
			out = &c
		}
		return out
	}
	if items := visible(s.Items, false); items != s.Items {
		own().Items = items
	}
	if additional := visible(s.Additional, false); additional != s.Additional {
		own().Additional = additional
	}
	for name, p := range s.Properties {
		if v := visible(p, false); v != p {
			own().Properties[name] = v
		}
	}
	if (root || s.Embedded) && !specifiesMetadata(s) {
		withMetadata(own())
	}
	return out
}

func specifiesMetadata(s *schema.Schema) bool {
	is := func(s *schema.Schema, name, t string) bool {
		p := s.Properties[name]
		return p != nil && p.Type == t
	}
	return is(s, "kind", "string") && is(s, "apiVersion", "string") && is(s, "metadata", "object") &&
		is(s.Properties["metadata"], "name", "string") && is(s.Properties["metadata"], "generateName", "string")
}

// withMetadata gives s, whose properties are its own, those of resources. Names are as short as they must be: costs
// are estimated from that.
func withMetadata(s *schema.Schema) {
	var name, generateName *schema.Schema
	if metadata := s.Properties["metadata"]; metadata != nil {
		name, generateName = metadata.Properties["name"], metadata.Properties["generateName"]
	}
	const longest = int64(validation.DNS1123SubdomainMaxLength)
	if s.Properties == nil {
		s.Properties = map[string]*schema.Schema{}
	}
	s.Properties["apiVersion"], s.Properties["kind"] = text, text
	s.Properties["metadata"] = &schema.Schema{Type: "object", Properties: map[string]*schema.Schema{
		"name":         limited(name, longest),
		"generateName": limited(generateName, longest-1), // at least one character is added
	}}
}

func limited(s *schema.Schema, longest int64) *schema.Schema {
	if s != nil && s.MaxLength != nil {
		longest = min(longest, *s.MaxLength)
	}
	out := &schema.Schema{Type: "string"}
	out.MaxLength = &longest
	return out
}
