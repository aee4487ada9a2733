package crd

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/kube-openapi/pkg/validation/spec"

	crdschema "github.com/keelson-project/keelson/crd/schema"
)

// publishedKind describes a CustomResourceDefinition down to where schemas begin.
func publishedKind() *spec.Schema {
	type p = apiextensionsv1.JSONSchemaProps
	text := func(d string) p { return p{Type: "string", Description: d} }
	truth := func(d string) p { return p{Type: "boolean", Description: d} }
	list := func(d string, item p) p {
		return p{Type: "array", Description: d, Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &item}}
	}
	object := func(d string, members map[string]p, required ...string) p {
		return p{Type: "object", Description: d, Properties: members, Required: required}
	}
	open := true
	anything := func(d string) p { return p{Type: "object", Description: d, XPreserveUnknownFields: &open} }
	names := object("The names of the kind and its resource.", map[string]p{
		"plural": text("The resource's name in URLs."), "singular": text("Lower-case singular; the kind in lower case by default."),
		"kind": text("CamelCase singular."), "listKind": text("The kind of lists; KINDList by default."),
		"shortNames": list("Shorter names for the command line.", text("")), "categories": list("Groups of kinds, such as all.", text("")),
	}, "plural", "kind")
	version := object("One version of the kind.", map[string]p{
		"name": text("The version's name, say v1beta1."), "served": truth("Whether it is served."), "storage": truth("Whether objects are stored in it; true of exactly one."),
		"deprecated": truth("Whether requests for it are answered with a warning."), "deprecationWarning": text("The warning's text."),
		"schema":                   object("How objects look.", map[string]p{"openAPIV3Schema": anything("An OpenAPI v3 schema, structural.")}),
		"subresources":             object("What is read and written apart.", map[string]p{"status": anything("The status subresource."), "scale": anything("The scale subresource.")}),
		"additionalPrinterColumns": list("Columns of tables.", anything("A column: name, type, jsonPath, format, priority, description.")),
		"selectableFields":         list("Fields for field selectors.", anything("A field: jsonPath.")),
	}, "name", "served", "storage")
	root := object("CustomResourceDefinition represents a resource that should be exposed on the API server.", map[string]p{
		"metadata": {Type: "object"},
		"spec": object("What is to be served.", map[string]p{
			"group": text("The API group."), "scope": text("Cluster or Namespaced."), "names": names,
			"versions":              list("The versions, sorted by preference when they are served.", version),
			"conversion":            anything("How objects are converted between versions."),
			"preserveUnknownFields": truth("Deprecated; must be false."),
		}, "group", "names", "scope", "versions"),
		"status": anything("What the server made of it: conditions, acceptedNames, storedVersions."),
	}, "spec")
	return crdschema.Publish(&root, kindGVK, nil)
}
