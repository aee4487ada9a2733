package crd

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	crdschema "github.com/keelson-project/keelson/crd/schema"
	crdvalidation "github.com/keelson-project/keelson/crd/validation"
)

type (
	kindVersion = apiextensionsv1.CustomResourceDefinitionVersion
	kindNames   = apiextensionsv1.CustomResourceDefinitionNames
)

// validateKind checks a CustomResourceDefinition by kube-apiserver's rules, in its words and order.
func validateKind(c *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	var errs field.ErrorList
	if want := c.Spec.Names.Plural + "." + c.Spec.Group; c.Name != want {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), c.Name, `must be spec.names.plural+"."+spec.group`))
	}
	path := field.NewPath("spec")
	errs = append(errs, validateGroup(c.Spec.Group, path.Child("group"))...)
	errs = append(errs, validateScope(c.Spec.Scope, path.Child("scope"))...)
	errs = append(errs, validateVersions(c, path)...)
	errs = append(errs, validateNames(&c.Spec.Names, path.Child("names"))...)
	errs = append(errs, validateConversion(c.Spec.Conversion, path.Child("conversion"))...)
	errs = append(errs, validateStored(c)...)
	if state, message := approvalOf(c.Annotations); isCommunityGroup(c.Spec.Group) {
		at := field.NewPath("metadata", "annotations").Key(apiextensionsv1.KubeAPIApprovedAnnotation)
		switch state {
		case approvalMissing:
			errs = append(errs, field.Required(at, message))
		case approvalInvalid:
			errs = append(errs, field.Invalid(at, c.Annotations[apiextensionsv1.KubeAPIApprovedAnnotation], message))
		}
	}
	return errs
}

func validateGroup(group string, at *field.Path) field.ErrorList {
	if group == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if problems := validation.IsDNS1123Subdomain(group); len(problems) > 0 {
		return field.ErrorList{field.Invalid(at, group, strings.Join(problems, ","))}
	}
	if !strings.Contains(group, ".") {
		return field.ErrorList{field.Invalid(at, group, "should be a domain with at least one dot")}
	}
	return nil
}

func validateScope(scope apiextensionsv1.ResourceScope, at *field.Path) field.ErrorList {
	switch scope {
	case apiextensionsv1.ClusterScoped, apiextensionsv1.NamespaceScoped:
		return nil
	case "":
		return field.ErrorList{field.Required(at, "")}
	}
	return field.ErrorList{field.NotSupported(at, scope, []apiextensionsv1.ResourceScope{apiextensionsv1.ClusterScoped, apiextensionsv1.NamespaceScoped})}
}

func validateVersions(c *apiextensionsv1.CustomResourceDefinition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	at := path.Child("versions")
	storage, seen, unique := 0, map[string]bool{}, true
	for i := range c.Spec.Versions {
		v := &c.Spec.Versions[i]
		if v.Storage {
			storage++
		}
		unique = unique && !seen[v.Name]
		seen[v.Name] = true
		if problems := validation.IsDNS1035Label(v.Name); len(problems) > 0 {
			errs = append(errs, field.Invalid(at.Index(i).Child("name"), v.Name, strings.Join(problems, ",")))
		}
		errs = append(errs, validateVersion(v, at.Index(i))...)
	}
	if c.Spec.PreserveUnknownFields {
		errs = append(errs, field.Invalid(path.Child("preserveUnknownFields"), true, "must be false in order to use defaults in the schema"))
	}
	if !unique {
		errs = append(errs, field.Invalid(at, c.Spec.Versions, "must contain unique version names"))
	}
	if storage != 1 {
		errs = append(errs, field.Invalid(at, c.Spec.Versions, "must have exactly one version marked as storage version"))
	}
	return errs
}

func validateVersion(v *kindVersion, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if v.DeprecationWarning != nil {
		errs = append(errs, validateWarning(*v.DeprecationWarning, v.Deprecated, at.Child("deprecationWarning"))...)
	}
	schemaAt := at.Child("schema")
	if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		errs = append(errs, field.Required(schemaAt.Child("openAPIV3Schema"), "schemas are required"))
	} else {
		errs = append(errs, validateRoot(v, schemaAt.Child("openAPIV3Schema"))...)
	}
	for i := range v.AdditionalPrinterColumns {
		errs = append(errs, validateColumn(&v.AdditionalPrinterColumns[i], at.Child("additionalPrinterColumns").Index(i))...)
	}
	if s := v.Subresources; s != nil && s.Scale != nil {
		errs = append(errs, validateScalePaths(s.Scale, at.Child("subresources", "scale"))...)
	}
	return errs
}

func validateWarning(text string, deprecated bool, at *field.Path) field.ErrorList {
	switch {
	case !deprecated:
		return field.ErrorList{field.Invalid(at, text, "can only be set for deprecated versions")}
	case text == "":
		return field.ErrorList{field.Invalid(at, text, "cannot be empty, must be null or a non-empty string")}
	case len(text) > 256:
		return field.ErrorList{field.Invalid(at, text, "must be <= 256 characters")}
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return field.ErrorList{field.Invalid(at, text, "must only contain printable UTF-8 characters; non-printable character found")}
	}
	return nil
}

// validateRoot checks a version's schema: what may stand at its root, and that it is structural.
func validateRoot(v *kindVersion, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	p := v.Schema.OpenAPIV3Schema
	if v.Subresources != nil && v.Subresources.Status != nil && p.Type != "object" {
		errs = append(errs, field.Invalid(at.Child("type"), p.Type, `only "object" is allowed as the type at the root of the schema if the status subresource is enabled`))
	}
	if p.Nullable {
		errs = append(errs, field.Forbidden(at.Child("nullable"), "nullable cannot be true at the root"))
	}
	errs = append(errs, crdschema.ValidateStructural(at, p)...)
	if len(errs) > 0 {
		return errs
	}
	s, err := crdschema.New(p)
	if err != nil {
		return append(errs, field.Invalid(at, "", err.Error()))
	}
	if _, err := crdvalidation.New(s); err != nil {
		errs = append(errs, field.Invalid(at, "", fmt.Sprintf("error building validator: %v", err)))
	}
	return errs
}

var (
	columnTypes   = []string{"boolean", "date", "integer", "number", "string"}
	columnFormats = []string{"byte", "date", "date-time", "double", "float", "int32", "int64", "password"}
)

func validateColumn(c *apiextensionsv1.CustomResourceColumnDefinition, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	mustBe := "must be one of " + strings.Join(columnTypes, ",")
	switch {
	case c.Type == "":
		errs = append(errs, field.Required(at.Child("type"), mustBe))
	case !slices.Contains(columnTypes, c.Type):
		errs = append(errs, field.Invalid(at.Child("type"), c.Type, mustBe))
	}
	if c.Format != "" && !slices.Contains(columnFormats, c.Format) {
		errs = append(errs, field.Invalid(at.Child("format"), c.Format, "must be one of "+strings.Join(columnFormats, ",")))
	}
	if c.JSONPath == "" {
		errs = append(errs, field.Required(at.Child("JSONPath"), ""))
	} else if _, err := parsePath(c); err != nil {
		errs = append(errs, field.Invalid(at.Child("JSONPath"), c.JSONPath, err.Error()))
	}
	return errs
}

func validateScalePaths(s *apiextensionsv1.CustomResourceSubresourceScale, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	check := func(path, name, prefix, text string) {
		switch {
		case path == "":
			errs = append(errs, field.Required(at.Child(name), ""))
		case !simplePath(path):
			errs = append(errs, field.Invalid(at.Child(name), path, "must be a json path without array notation: "+path))
		case prefix != "" && !strings.HasPrefix(path, prefix):
			errs = append(errs, field.Invalid(at.Child(name), path, text))
		}
	}
	check(s.SpecReplicasPath, "specReplicasPath", ".spec.", "should be a json path under .spec")
	check(s.StatusReplicasPath, "statusReplicasPath", ".status.", "should be a json path under .status")
	if p := s.LabelSelectorPath; p != nil && *p != "" && !strings.HasPrefix(*p, ".spec.") {
		check(*p, "labelSelectorPath", ".status.", "should be a json path under either .status or .spec")
	}
	return errs
}

// simplePath says whether a path is made of names alone.
func simplePath(path string) bool {
	return strings.HasPrefix(path, ".") && len(path) > 1 && !strings.ContainsAny(path, "[]{}()*? ") && !strings.Contains(path, "..")
}

func validateNames(n *kindNames, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, r := range []struct{ name, value string }{{"plural", n.Plural}, {"singular", n.Singular}, {"kind", n.Kind}, {"listKind", n.ListKind}} {
		if r.value == "" {
			errs = append(errs, field.Required(at.Child(r.name), ""))
		}
	}
	label := func(at *field.Path, value, say string) {
		lower := value
		if say != "" {
			lower = strings.ToLower(value)
		}
		if problems := validation.IsDNS1035Label(lower); len(problems) > 0 {
			errs = append(errs, field.Invalid(at, value, say+strings.Join(problems, ",")))
		}
	}
	label(at.Child("plural"), n.Plural, "")
	label(at.Child("singular"), n.Singular, "")
	const mixed = "may have mixed case, but should otherwise match: "
	label(at.Child("kind"), n.Kind, mixed)
	label(at.Child("listKind"), n.ListKind, mixed)
	for i, s := range n.ShortNames {
		label(at.Child("shortNames").Index(i), s, "")
	}
	if n.Kind != "" && n.Kind == n.ListKind {
		errs = append(errs, field.Invalid(at.Child("listKind"), n.ListKind, "kind and listKind may not be the same"))
	}
	for i, s := range n.Categories {
		label(at.Child("categories").Index(i), s, "")
	}
	return errs
}

func validateStored(c *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	at := field.NewPath("status", "storedVersions")
	stored := c.Status.StoredVersions
	if len(stored) == 0 {
		return field.ErrorList{field.Invalid(at, stored, "must have at least one stored version")}
	}
	var errs field.ErrorList
	known := map[string]bool{}
	for i := range c.Spec.Versions {
		v := &c.Spec.Versions[i]
		known[v.Name] = true
		if v.Storage && !slices.Contains(stored, v.Name) {
			errs = append(errs, field.Invalid(at, stored, "must have the storage version "+v.Name))
		}
	}
	for i, v := range stored {
		if !known[v] {
			errs = append(errs, field.Invalid(at.Index(i), v, fmt.Sprintf("missing from spec.versions; %[1]s was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in %[1]s and removes %[1]s from status.storedVersions", v)))
		}
	}
	return errs
}

// validateKindUpdate checks what may not change once a kind is served.
func validateKindUpdate(c, old *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	const immutable = "field is immutable"
	path := field.NewPath("spec")
	var errs field.ErrorList
	same := func(now, before string, names ...string) {
		if now != before {
			errs = append(errs, field.Invalid(path.Child(names[0], names[1:]...), now, immutable))
		}
	}
	established := slices.ContainsFunc(old.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
	})
	if established {
		same(string(c.Spec.Scope), string(old.Spec.Scope), "scope")
		same(c.Spec.Names.Kind, old.Spec.Names.Kind, "names", "kind")
	}
	same(c.Spec.Group, old.Spec.Group, "group")
	same(c.Spec.Names.Plural, old.Spec.Names.Plural, "names", "plural")
	return errs
}
