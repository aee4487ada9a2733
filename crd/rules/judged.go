package rules

import (
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
)

// judged is the form of a spec that kube-apiserver checks: what all versions say alike has moved to the top, and is
// gone from the versions.
type judged struct {
	*apiextensionsv1.CustomResourceDefinitionSpec // its Versions are as they were written
	versions                                      []version
	top                                           version // without a name: what all versions have in common
}

// version is what a version has besides its names and flags.
type version struct {
	*apiextensionsv1.CustomResourceDefinitionVersion // nil in judged.top

	schema       *apiextensionsv1.CustomResourceValidation
	subresources *apiextensionsv1.CustomResourceSubresources
	columns      []apiextensionsv1.CustomResourceColumnDefinition
	selectable   []apiextensionsv1.SelectableField
}

func judge(spec *apiextensionsv1.CustomResourceDefinitionSpec) *judged {
	j := &judged{CustomResourceDefinitionSpec: spec, versions: make([]version, len(spec.Versions))}
	for i := range spec.Versions {
		v := &spec.Versions[i]
		j.versions[i] = version{v, v.Schema, v.Subresources, v.AdditionalPrinterColumns, v.SelectableFields}
	}
	lift(j, func(v *version) **apiextensionsv1.CustomResourceValidation { return &v.schema })
	lift(j, func(v *version) **apiextensionsv1.CustomResourceSubresources { return &v.subresources })
	lift(j, func(v *version) *[]apiextensionsv1.CustomResourceColumnDefinition { return &v.columns })
	lift(j, func(v *version) *[]apiextensionsv1.SelectableField { return &v.selectable })
	return j
}

// lift moves one part of the versions to the top, if it is the same in all of them.
func lift[T any](j *judged, part func(*version) *T) {
	if len(j.versions) == 0 {
		return
	}
	first := *part(&j.versions[0])
	for i := range j.versions[1:] {
		if !apiequality.Semantic.DeepEqual(*part(&j.versions[i+1]), first) {
			return
		}
	}
	*part(&j.top) = first
	var none T
	for i := range j.versions {
		*part(&j.versions[i]) = none
	}
}

func (v *version) props() *props {
	if v.schema == nil {
		return nil
	}
	return v.schema.OpenAPIV3Schema
}

func (v *version) hasStatus() bool { return v.subresources != nil && v.subresources.Status != nil }

// subresourcesOf returns those of the first version of a name, or those of all.
func (j *judged) subresourcesOf(name string) *apiextensionsv1.CustomResourceSubresources {
	perVersion := func(v version) bool { return v.subresources != nil }
	if !slices.ContainsFunc(j.versions, perVersion) {
		return j.top.subresources
	}
	for i := range j.versions {
		if j.versions[i].Name == name {
			return j.versions[i].subresources
		}
	}
	return nil
}

// schemaOf returns the schema of the first version of a name; ok is false where there is no such version.
func (j *judged) schemaOf(name string) (s *apiextensionsv1.CustomResourceValidation, ok bool) {
	for i := range j.Versions {
		if j.Versions[i].Name == name {
			return j.Versions[i].Schema, true
		}
	}
	return nil, false
}

func (j *judged) anyStatus() bool {
	return j.top.hasStatus() || slices.ContainsFunc(j.versions, func(v version) bool { return v.hasStatus() })
}

// firstVersion is the name that stood for the definition before there were several.
func (j *judged) firstVersion() string {
	if len(j.versions) == 0 {
		return ""
	}
	return j.versions[0].Name
}

// schemas returns all that there are.
func (j *judged) schemas() []*props {
	var all []*props
	if p := j.top.props(); p != nil {
		all = append(all, p)
	}
	for i := range j.versions {
		if p := j.versions[i].props(); p != nil {
			all = append(all, p)
		}
	}
	return all
}

// hasSchemaWith says whether a node of any schema is as asked for.
func (j *judged) hasSchemaWith(is func(*props) bool) bool {
	return slices.ContainsFunc(j.schemas(), func(p *props) bool { return anyNode(p, is) })
}

// anyNode says whether p or any schema inside it, wherever it stands, is as asked for.
func anyNode(p *props, is func(*props) bool) bool {
	if p == nil {
		return false
	}
	if is(p) {
		return true
	}
	found := false
	eachChild(p, func(c *props) { found = found || anyNode(c, is) })
	return found
}

// eachChild visits the schemas right inside p, of every keyword that has any.
func eachChild(p *props, visit func(*props)) {
	list := func(l []props) {
		for i := range l {
			visit(&l[i])
		}
	}
	members := func(m map[string]props) {
		if len(m) == 0 {
			return
		}
		child := new(props) // one for all: visit does not keep it
		for _, name := range sortedKeys(m) {
			*child = m[name]
			visit(child)
		}
	}
	optional := func(c *props) {
		if c != nil {
			visit(c)
		}
	}
	if p.Items != nil {
		optional(p.Items.Schema)
		list(p.Items.JSONSchemas)
	}
	list(p.AllOf)
	list(p.AnyOf)
	list(p.OneOf)
	optional(p.Not)
	members(p.Properties)
	if p.AdditionalProperties != nil {
		optional(p.AdditionalProperties.Schema)
	}
	members(p.PatternProperties)
	if p.AdditionalItems != nil {
		optional(p.AdditionalItems.Schema)
	}
	members(p.Definitions)
	for _, name := range sortedKeys(p.Dependencies) {
		optional(p.Dependencies[name].Schema)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
