package lint

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

const (
	// annotationLimit is how large all annotations of an object may be; kubectl apply writes the object into one.
	annotationLimit = 256 << 10
	// storeLimit is how large a request etcd takes by default.
	storeLimit = 1536 << 10
)

func size(_ context.Context, l *linter) {
	switch n := len(l.doc.JSON); {
	case n > storeLimit:
		l.find("", "", "%d KiB are more than etcd stores by default (%d KiB): shorten descriptions, or let deep parts be x-kubernetes-preserve-unknown-fields", n>>10, storeLimit>>10)
	case n > annotationLimit:
		l.findAs(Info, "", "", "%d KiB do not fit into the annotation that kubectl apply writes (%d KiB): tell users to apply it with --server-side", n>>10, annotationLimit>>10)
	}
}

func kindName(_ context.Context, l *linter) {
	if kind := l.crd.Spec.Names.Kind; kind != "" && !unicode.IsUpper(rune(kind[0])) {
		l.find("spec.names.kind", "spec.names.kind", "kinds start with a capital; name it %s, since a kind cannot be renamed later", strings.ToUpper(kind[:1])+kind[1:])
	}
}

// conversion finds fields that objects lose on their way from one served version to another.
func conversion(_ context.Context, l *linter) {
	c := l.crd.Spec.Conversion
	if c != nil && c.Strategy == apiextensionsv1.WebhookConverter {
		return
	}
	if _, declared := l.crd.Annotations["keelson.dev/conversion-rules"]; declared {
		return
	}
	fields := map[string]map[string]*node{}
	var stored string
	for i := range l.crd.Spec.Versions {
		v := &l.crd.Spec.Versions[i]
		if v.Storage {
			stored = v.Name
		}
		if v.Served || v.Storage {
			fields[v.Name] = fieldsOf(v)
		}
	}
	for i, v := range l.crd.Spec.Versions {
		if !v.Served || v.Storage || fields[stored] == nil {
			continue
		}
		var lost []string
		for path := range fields[v.Name] {
			parent := fields[stored][parentOf(path)] // without one, it is the parent that is lost
			if fields[stored][path] == nil && parent != nil && !parent.preserves() {
				lost = append(lost, path)
			}
		}
		if slices.Sort(lost); len(lost) > 0 {
			l.find(fmt.Sprintf("spec.versions[%d]", i), "", "%s of %s is lost, since objects are stored as %s, where it does not exist (%s); add it there, or convert with a webhook",
				lost[0], v.Name, stored, count(len(lost), "such field"))
		}
	}
}

// fieldsOf returns all nodes of a version by their paths; "" is the root.
func fieldsOf(v *apiextensionsv1.CustomResourceDefinitionVersion) map[string]*node {
	out := map[string]*node{}
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return out
	}
	(&node{props: v.Schema.OpenAPIV3Schema}).walk(func(n *node) { out[n.path] = n })
	return out
}

func parentOf(path string) string {
	return path[:max(0, strings.LastIndexAny(strings.TrimSuffix(path, "[]"), ".["))]
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

var kubeVersion = regexp.MustCompile(`^v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$`)

func versionName(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string) {
	if !kubeVersion.MatchString(v.Name) {
		l.find(at+".name", "", "clients take versions named like v1, v1beta1, v1alpha1 for newer than all others; name it so")
	}
}

func statusSubresource(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string) {
	root := rootOf(v, at)
	if root == nil {
		return
	}
	_, has := root.Properties["status"]
	on := v.Subresources != nil && v.Subresources.Status != nil
	switch {
	case has && !on:
		l.find(at+".schema.openAPIV3Schema.properties[status]", ".status", "whoever writes the object writes its status, and each change of it is a new generation; add subresources: {status: {}}")
	case on && !has && !root.preserves():
		l.find(at+".subresources", "", "the schema has no status, so that all that is written to the status subresource is pruned; describe .status")
	}
}

// rootOf is the schema of a version, nil where there is none.
func rootOf(v *apiextensionsv1.CustomResourceDefinitionVersion, at string) *node {
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return nil
	}
	return &node{props: v.Schema.OpenAPIV3Schema, at: at + ".schema.openAPIV3Schema"}
}

func specType(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string) {
	root := rootOf(v, at)
	if root == nil {
		return
	}
	if spec, ok := root.Properties["spec"]; ok && spec.Type != "object" {
		l.find(root.at+".properties[spec]", ".spec", "spec should be of type: object, so that it can have fields; a type cannot be changed later")
	}
}

func printerColumns(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string) {
	if len(v.AdditionalPrinterColumns) == 0 {
		l.find(at, "", "kubectl get shows nothing but names and ages; add additionalPrinterColumns for what users look for")
		return
	}
	for _, c := range v.AdditionalPrinterColumns {
		if c.JSONPath == ".metadata.creationTimestamp" {
			return
		}
	}
	l.find(at+".additionalPrinterColumns", "", "kubectl get does not show the age; add {name: Age, type: date, jsonPath: .metadata.creationTimestamp}")
}

func columnPaths(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string) {
	root := rootOf(v, at)
	if root == nil {
		return
	}
	known := func(path string) bool {
		return path == "" || strings.HasPrefix(path, ".metadata") || path == ".apiVersion" || path == ".kind" || root.find(path)
	}
	for i, c := range v.AdditionalPrinterColumns {
		if !known(c.JSONPath) {
			l.find(fmt.Sprintf("%s.additionalPrinterColumns[%d].jsonPath", at, i), "", "column %s is always empty: the schema has no %s", c.Name, c.JSONPath)
		}
	}
	if v.Subresources == nil || v.Subresources.Scale == nil {
		return
	}
	s := v.Subresources.Scale
	paths := map[string]string{"specReplicasPath": s.SpecReplicasPath, "statusReplicasPath": s.StatusReplicasPath}
	if s.LabelSelectorPath != nil {
		paths["labelSelectorPath"] = *s.LabelSelectorPath
	}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		if !known(paths[name]) {
			l.find(at+".subresources.scale."+name, "", "scale does not work: the schema has no %s", paths[name])
		}
	}
}

// descriptions counts, for the fields of a kind are many.
func descriptions(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string) {
	root := rootOf(v, at)
	if root == nil {
		return
	}
	var missing []*node
	fields := 0
	root.walk(func(n *node) {
		if n.parent == nil || n.name == "" {
			return
		}
		if fields++; n.Description == "" {
			missing = append(missing, n)
		}
	})
	if len(missing) > 0 {
		n := missing[0]
		l.find(n.at, n.path, "%d of %s have no description, this one first; kubectl explain has nothing to say of them", len(missing), count(fields, "field"))
	}
}
