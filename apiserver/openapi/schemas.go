package openapi

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/published"
	"github.com/keelson-project/keelson/internal/jsonscan"
)

const gvkExtension = "x-kubernetes-group-version-kind"

// modelName is the name under which a version of d is published.
func modelName(d *resource.Definition, v *resource.Version) string {
	if n, ok := v.Schema.(Named); ok {
		return n.ModelName()
	}
	return customName(d, v, d.Names.Kind)
}

func listName(d *resource.Definition, v *resource.Version) string {
	if _, ok := v.Schema.(Named); ok {
		return modelName(d, v) + "List"
	}
	return customName(d, v, d.Names.ListKind)
}

func customName(d *resource.Definition, v *resource.Version, kind string) string {
	parts := strings.Split(d.Group, ".")
	slices.Reverse(parts)
	return strings.Join(append(parts, v.Name, kind), ".")
}

// closure collects models and all that they refer to.
type closure struct {
	models  Models
	entries map[string]models.Entry
	missing []string
}

func (c *closure) need(names ...string) {
	for _, name := range names {
		if _, ok := c.entries[name]; ok {
			continue
		}
		e, ok := c.models.Entry(name)
		if !ok {
			c.missing = append(c.missing, name)
			continue
		}
		c.entries[name] = e
		c.needRefs(e.Schema)
	}
}

// needRefs adds what an encoded schema refers to.
func (c *closure) needRefs(raw []byte) {
	const ref = `"$ref":"` + models.RefPrefix
	for {
		i := bytes.Index(raw, []byte(ref))
		if i < 0 {
			return
		}
		raw = raw[i+len(ref):]
		end := bytes.IndexByte(raw, '"')
		if end < 0 {
			return
		}
		c.need(string(raw[:end]))
		raw = raw[end:]
	}
}

// needOperations adds what the operations of paths refer to, but for the names in own.
func (c *closure) needOperations(paths []path, own ...string) {
	for i := range paths {
		for j := range paths[i].operations {
			for _, model := range []string{paths[i].operations[j].body, paths[i].operations[j].result} {
				if model != "" && !slices.Contains(own, model) {
					c.need(model)
				}
			}
		}
	}
}

// append appends the models as members, sorted. about says whose document it is for.
func (c *closure) append(b []byte, v2 bool, about audience) ([]byte, error) {
	if len(c.missing) > 0 {
		slices.Sort(c.missing)
		return nil, fmt.Errorf("openapi: schemas refer to unknown models: %s", strings.Join(slices.Compact(c.missing), ", "))
	}
	names := make([]string, 0, len(c.entries))
	for name := range c.entries {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		e := c.entries[name]
		b = append(jsonscan.AppendString(comma(b), name), ':')
		if v2 {
			b = appendModelV2(b, e.Schema)
		} else {
			b = append(b, e.Schema...)
		}
		b = appendKinds(b, about.kindsOf(name, e.Kinds))
	}
	return b, nil
}

// appendKinds adds to the object at the end of b the kinds that it is the schema of.
func appendKinds(b []byte, kinds []schema.GroupVersionKind) []byte {
	if len(kinds) == 0 {
		return b
	}
	b = append(comma(b[:len(b)-1]), `"`+gvkExtension+`":[`...)
	for _, k := range kinds {
		b = published.AppendGVK(comma(b), k)
	}
	return append(b, `]}`...)
}

// appendKind appends the schemas of a version of a kind that is no model, and of its list, as members.
func appendKind(b []byte, d *resource.Definition, v *resource.Version, v2 bool) ([]byte, error) {
	b = append(jsonscan.AppendString(comma(b), modelName(d, v)), ':')
	s, ok := v.Schema.(Publisher)
	if !ok {
		return nil, fmt.Errorf("openapi: the schema of %s has no published form", d.GroupVersionKind(v.Name))
	}
	b = s.AppendOpenAPI(b, v2)
	b = append(jsonscan.AppendString(append(b, ','), listName(d, v)), ':')
	return appendList(b, d, v, v2), nil
}

// appendList appends the schema of a list of custom objects.
func appendList(b []byte, d *resource.Definition, v *resource.Version, v2 bool) []byte {
	const conventions = "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
	b = jsonscan.AppendString(append(b, `{"description":`...), d.Names.ListKind+" is a list of "+d.Names.Kind)
	b = published.AppendTypeMeta(append(b, `,"type":"object","required":["items"],"properties":{`...))
	b = jsonscan.AppendString(append(b, `,"items":{"description":`...), "List of "+d.Names.Plural+". "+conventions)
	prefix := refV3
	if v2 {
		prefix = refV2
	}
	b = appendRef(append(b, `,"type":"array","items":`...), prefix, modelName(d, v))
	docs := metav1.PartialObjectMetadataList{}.SwaggerDoc()
	b = published.AppendMetadata(append(b, `},"metadata":`...), docs["metadata"], models.ListMeta, v2)
	kind := d.GroupVersionKind(v.Name)
	kind.Kind = d.Names.ListKind
	b = published.AppendGVK(append(b, `},"`+gvkExtension+`":[`...), kind)
	return append(published.AppendSelectable(append(b, ']'), v.SelectableFields), '}')
}

// appendModelV2 says in v2 what it can of a schema in v3 form, as Kubernetes does of its own kinds: no defaults, no
// nullable, no oneOf and the like.
func appendModelV2(b, raw []byte) []byte {
	t, ok := jsonscan.Parse(raw, nil)
	if !ok {
		return append(b, `{}`...)
	}
	return (&modelWriter{raw, t}).schema(b, 0)
}

type modelWriter struct {
	raw  []byte
	tape jsonscan.Tape
}

func (w *modelWriter) schema(b []byte, i int) []byte {
	t := w.tape
	b = append(b, '{')
	either, typed := false, false
	for k := i + 1; k < int(t[i].Next); k = int(t[k+1].Next) {
		value := t.Text(w.raw, k+1)
		key := string(t.Key(w.raw, k))
		switch key {
		case "anyOf", "oneOf":
			either = true
			continue
		case "allOf":
			if ref := t.Member(w.raw, k+2, "$ref"); int(t[k+1].Next) > k+2 && ref > 0 {
				typed = true
				b = appendRefMember(comma(b), t.Text(w.raw, ref))
			}
			continue
		case "not", "default", "nullable":
			continue
		case "$ref":
			typed = true
			b = appendRefMember(comma(b), value)
			continue
		case "type", "x-kubernetes-int-or-string":
			typed = true
		}
		b = append(append(comma(b), t.Text(w.raw, k)...), ':')
		switch {
		case key == "properties":
			b = w.properties(b, k+1)
		case (key == "items" || key == "additionalProperties") && value[0] == '{':
			b = w.schema(b, k+1)
		default:
			b = append(b, value...)
		}
	}
	if either && !typed { // Quantity and the like, whose text form always works
		b = append(comma(b), `"type":"string"`...)
	}
	return append(b, '}')
}

func (w *modelWriter) properties(b []byte, i int) []byte {
	b = append(b, '{')
	for k := i + 1; k < int(w.tape[i].Next); k = int(w.tape[k+1].Next) {
		b = append(append(comma(b), w.tape.Text(w.raw, k)...), ':')
		b = w.schema(b, k+1)
	}
	return append(b, '}')
}

func appendRefMember(b, quoted []byte) []byte {
	name := bytes.TrimPrefix(quoted[1:len(quoted)-1], []byte(models.RefPrefix))
	return append(append(append(b, `"$ref":"`+refV2...), name...), '"')
}
