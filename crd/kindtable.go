package crd

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/keelson-project/keelson/apiserver/resource"
)

// kindColumns are those of CustomResourceDefinitions in tables.
func kindColumns() []resource.Column {
	wide := func(name, kind, description string, value func(resource.Object) any) resource.Column {
		return resource.Column{Name: name, Type: kind, Description: description, Priority: 1, Value: value}
	}
	return []resource.Column{
		{Name: "Scope", Type: "string", Description: "Cluster/Namespaced", Path: []string{"spec", "scope"}},
		{Name: "Versions", Type: "string", Description: "Served versions", Value: servedVersions},
		{
			Name: "Created At", Type: "date", Path: []string{"metadata", "creationTimestamp"}, Verbatim: true,
			Description: "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
		},
		{Name: "Group", Type: "string", Description: "API group", Priority: 1, Path: []string{"spec", "group"}},
		{Name: "Kind", Type: "string", Description: "CustomResource kind", Priority: 1, Path: []string{"spec", "names", "kind"}},
		wide("ShortNames", "string", "Short names", func(obj resource.Object) any {
			names, _, _ := unstructured.NestedStringSlice(obj, "spec", "names", "shortNames")
			return strings.Join(names, ",")
		}),
		wide("Established", "boolean", "Established status", isEstablished),
	}
}

// servedVersions names them, sorted, and which of them is stored.
func servedVersions(obj resource.Object) any {
	field, _, _ := unstructured.NestedFieldNoCopy(obj, "spec", "versions")
	versions, _ := field.([]any)
	var out []string
	for _, v := range versions {
		v, _ := v.(map[string]any)
		name, _ := v["name"].(string)
		if v["served"] != true {
			continue
		}
		if v["storage"] == true {
			name += "(storage)"
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

func isEstablished(obj resource.Object) any {
	field, _, _ := unstructured.NestedFieldNoCopy(obj, "status", "conditions")
	conditions, _ := field.([]any)
	return slices.ContainsFunc(conditions, func(c any) bool {
		condition, _ := c.(map[string]any)
		return condition["type"] == "Established" && condition["status"] == "True"
	})
}
