package rules

import (
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	crdvalidation "github.com/keelson-project/keelson/crd/validation"
)

// Warnings returns what the writer of a definition is told although it is accepted: formats that no value will ever be
// checked for, and sets of what is not scalar. In an update (old is not nil) only what is new is told.
func Warnings(c, old *apiextensionsv1.CustomResourceDefinition) []string {
	var before []string
	if old != nil {
		before = warningsOf(&old.Spec)
	}
	return slices.DeleteFunc(warningsOf(&c.Spec), func(w string) bool { return slices.Contains(before, w) })
}

func warningsOf(spec *apiextensionsv1.CustomResourceDefinitionSpec) []string {
	var formats, sets []string
	note := func(list *[]string, text string) {
		if !slices.Contains(*list, text) {
			*list = append(*list, text)
		}
	}
	for i := range spec.Versions {
		if spec.Versions[i].Schema == nil {
			continue
		}
		anyNode(spec.Versions[i].Schema.OpenAPIV3Schema, func(p *props) bool {
			if p.Format != "" && !crdvalidation.IsSupportedFormat(p.Type, p.Format) {
				note(&formats, fmt.Sprintf("unrecognized format %q", p.Format))
			}
			if listType(p) == "set" && p.Items != nil && p.Items.Schema != nil {
				if t := p.Items.Schema.Type; t == "object" || t == "array" {
					note(&sets, fmt.Sprintf("x-kubernetes-list-type: set for items of type %q is not supported by server-side apply or CEL validation rules", t))
				}
			}
			return false
		})
	}
	slices.Sort(sets)
	return append(formats, sets...)
}
