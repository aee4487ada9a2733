package openapi

import (
	"fmt"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/keelson-project/keelson/apiserver/builtin/models"
	"github.com/keelson-project/keelson/apiserver/resource"
)

const gvkExtension = "x-kubernetes-group-version-kind"

// modelName is the name under which a version of d is published.
func modelName(d *resource.Definition, v *resource.Version) string {
	if n, ok := v.Schema.(Named); ok {
		return n.ModelName()
	}
	parts := strings.Split(d.Group, ".")
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(append(parts, v.Name, d.Names.Kind), ".")
}

func listName(d *resource.Definition, v *resource.Version) string {
	if _, ok := v.Schema.(Named); ok {
		return modelName(d, v) + "List"
	}
	return strings.TrimSuffix(modelName(d, v), d.Names.Kind) + d.Names.ListKind
}

func reference(model string) spec.Ref { return spec.MustCreateRef(models.RefPrefix + model) }

func refSchema(model string) *spec.Schema {
	return &spec.Schema{SchemaProps: spec.SchemaProps{Ref: reference(model)}}
}

// components collects the schemas of a document: those of its kinds, and all that they refer to.
type components struct {
	models  Models
	schemas map[string]*spec.Schema
	missing []string
}

// addKind adds the schemas of a version of d and of its list.
func (c *components) addKind(d *resource.Definition, v *resource.Version) {
	s := v.Schema.OpenAPI()
	c.add(modelName(d, v), s)
	list := listName(d, v)
	if _, ok := v.Schema.(Named); ok {
		c.need(list)
		return
	}
	c.add(list, listSchema(d, v, s))
}

// add publishes a schema under a name and what it refers to.
func (c *components) add(name string, s *spec.Schema) {
	if c.schemas[name] != nil {
		return
	}
	c.schemas[name] = s
	models.EachRef(s, c.need)
}

// need publishes one of the models.
func (c *components) need(name string) {
	if c.schemas[name] != nil {
		return
	}
	s := c.models.Schema(name)
	if s == nil {
		c.missing = append(c.missing, name)
		return
	}
	c.add(name, s)
}

func (c *components) err() error {
	if len(c.missing) > 0 {
		return fmt.Errorf("openapi: schemas refer to unknown models: %s", strings.Join(c.missing, ", "))
	}
	return nil
}

// listSchema is that of a list of custom resources.
func listSchema(d *resource.Definition, v *resource.Version, item *spec.Schema) *spec.Schema {
	s := &spec.Schema{}
	s.Typed("object", "")
	s.Description = fmt.Sprintf("%s is a list of %s", d.Names.ListKind, d.Names.Kind)
	s.Required = []string{"items"}
	items := spec.ArrayProperty(refSchema(modelName(d, v)))
	items.Description = fmt.Sprintf("List of %s. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md", d.Names.Plural)
	meta := &spec.Schema{SchemaProps: spec.SchemaProps{
		Description: "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
		AllOf:       []spec.Schema{*refSchema(models.ListMeta)},
	}}
	s.Properties = map[string]spec.Schema{"items": *items, "metadata": *meta}
	for _, name := range []string{"apiVersion", "kind"} {
		if p, ok := item.Properties[name]; ok {
			s.Properties[name] = p
		}
	}
	s.AddExtension(gvkExtension, []any{map[string]any{"group": d.Group, "version": v.Name, "kind": d.Names.ListKind}})
	return s
}
