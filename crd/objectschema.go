package crd

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/keelson-project/keelson/apiserver/resource"
	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/published"
	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/crd/validation"
)

// objectSchema is the resource.Schema of one version of a custom kind. It holds the encoded schema, and decodes
// and compiles it when first asked to prune, default or validate.
type objectSchema struct {
	gvk        kschema.GroupVersionKind
	of         *head         // whose schemas these are
	version    int           // its index in of
	shape      *objectSchema // the first of the Definition's that is equal
	print      string        // see head.print
	selectable []string      // names of fields
	scale      *apiextensionsv1.CustomResourceSubresourceScale

	parse   sync.Once
	parsed  *schema.Schema
	compile sync.Once
	checker *validation.Validator
	rules   *cel.Validator // nil: the schema has no rules
	err     error          // of parsing; an accepted schema has none
}

var (
	_ resource.Schema          = (*objectSchema)(nil)
	_ resource.TypeChecker     = (*objectSchema)(nil)
	_ resource.StatusValidator = (*objectSchema)(nil)
	_ resource.RuleValidator   = (*objectSchema)(nil)
	_ resource.Salvager        = (*objectSchema)(nil)
)

func newObjectSchema(h *head, version int) *objectSchema {
	v := &h.Spec.Versions[version]
	s := &objectSchema{
		gvk: kschema.GroupVersionKind{Group: h.Spec.Group, Version: v.Name, Kind: h.Spec.Names.Kind},
		of:  h, version: version, print: h.print,
	}
	for _, f := range v.SelectableFields {
		s.selectable = append(s.selectable, strings.TrimPrefix(f.JSONPath, "."))
	}
	if v.Subresources != nil {
		s.scale = v.Subresources.Scale
	}
	s.shape = s
	return s
}

// raw is openAPIV3Schema, encoded, nil where there is none. It is made for each call, and should be called once.
func (s *objectSchema) raw() []byte {
	raw := s.of.schemas.of(s.version)
	if s.of.Spec.PreserveUnknownFields {
		return preserveAll(raw)
	}
	return raw
}

// shareShapes notes which of the versions have equal schemas.
func shareShapes(versions []resource.Version) {
	for i := range versions {
		s := versions[i].Schema.(*objectSchema)
		for j := range i {
			if first := versions[j].Schema.(*objectSchema); first.of.schemas.places[first.version] == s.of.schemas.places[s.version] {
				s.shape = first.shape
				break
			}
		}
	}
}

// SameShape implements resource.ShapeComparer.
func (s *objectSchema) SameShape(other resource.Schema) bool {
	o, ok := other.(*objectSchema)
	return ok && s.shape == o.shape
}

// isStructural says whether an encoded schema is one. It is asked only of those that some server, years ago, accepted
// without looking.
func isStructural(raw []byte) bool {
	var props apiextensionsv1.JSONSchemaProps
	if raw == nil || json.Unmarshal(raw, &props) != nil {
		return false
	}
	_, err := schema.New(&props)
	return err == nil && len(schema.ValidateStructural(nil, &props)) == 0
}

// preserveAll is what spec.preserveUnknownFields of older days means today.
func preserveAll(raw []byte) []byte {
	var props apiextensionsv1.JSONSchemaProps
	if raw != nil && json.Unmarshal(raw, &props) != nil {
		return raw
	}
	yes := true
	props.Type, props.XPreserveUnknownFields = "object", &yes
	if out, err := json.Marshal(props); err == nil {
		return out
	}
	return raw
}

// structural returns the decoded schema, nil where there is none.
func (s *objectSchema) structural() *schema.Schema {
	s.parse.Do(func() {
		raw := s.raw()
		if raw == nil {
			return
		}
		if s.parsed, s.err = schema.Parse(raw); s.err == nil {
			s.parsed.PruneDefaults()
			s.parsed = s.parsed.Share()
			s.rules = cel.New(s.parsed)
		}
	})
	return s.parsed
}

func (s *objectSchema) validator() (*validation.Validator, error) {
	structural := s.structural()
	s.compile.Do(func() {
		if s.err == nil {
			s.checker, s.err = validation.New(structural)
		}
	})
	return s.checker, s.err
}

// Prune implements resource.Schema.
func (s *objectSchema) Prune(obj resource.Object) []string {
	structural := s.structural()
	var unknown []string
	if metadata, ok := obj["metadata"]; ok {
		if clean, inMetadata, err := schema.CleanMetadata(metadata); err == nil {
			obj["metadata"] = clean
			for _, u := range inMetadata {
				unknown = append(unknown, "metadata."+u)
			}
		}
	}
	unknown = append(unknown, schema.Prune(obj, structural)...)
	return append(unknown, schema.Coerce(nil, obj, structural)...)
}

// Salvage implements resource.Salvager.
func (s *objectSchema) Salvage(obj resource.Object) error {
	structural := s.structural()
	schema.DropMalformedMetadata(obj)
	schema.Prune(obj, structural)
	schema.DropMalformed(obj, structural)
	return s.CheckTypes(obj)
}

// CheckTypes implements resource.TypeChecker: metadata that is none is no object at all. All other types are
// matters of Validate.
func (s *objectSchema) CheckTypes(obj resource.Object) error {
	if metadata, ok := obj["metadata"]; ok {
		if err := schema.CheckMetadata(metadata); err != nil {
			return err
		}
	}
	if err := schema.CheckEmbedded(nil, obj, s.structural()); err != nil {
		return err
	}
	return nil
}

// Default implements resource.Schema.
func (s *objectSchema) Default(obj resource.Object) { schema.Default(obj, s.structural()) }

// Validate implements resource.Schema.
func (s *objectSchema) Validate(ctx context.Context, obj, old resource.Object) field.ErrorList {
	return s.ValidateAfter(ctx, obj, old, nil)
}

// ValidateAfter implements resource.RuleValidator.
func (s *objectSchema) ValidateAfter(ctx context.Context, obj, old resource.Object, found field.ErrorList) field.ErrorList {
	checker, err := s.validator()
	if err != nil {
		return field.ErrorList{field.InternalError(nil, fmt.Errorf("the schema of %s: %w", s.gvk, err))}
	}
	var errs field.ErrorList
	if old == nil {
		errs = checker.Validate(nil, obj)
	} else {
		errs = checker.ValidateUpdate(nil, obj, old)
	}
	errs = append(errs, validateScale(obj, s.scale)...)
	errs = append(errs, schema.ValidateEmbedded(ctx, nil, obj, s.structural())...)
	errs = append(errs, s.checkLists(obj, old)...)
	return append(errs, s.checkRules(ctx, obj, old, found, errs)...)
}

// ValidateStatus implements resource.StatusValidator.
func (s *objectSchema) ValidateStatus(ctx context.Context, obj, old resource.Object, found field.ErrorList) field.ErrorList {
	checker, err := s.validator()
	if err != nil {
		return field.ErrorList{field.InternalError(nil, fmt.Errorf("the schema of %s: %w", s.gvk, err))}
	}
	var errs field.ErrorList
	if status, ok := obj["status"]; ok {
		errs = checker.Property("status").ValidateUpdate(field.NewPath("status"), status, old["status"])
	}
	errs = append(errs, validateScaleStatus(obj, s.scale)...)
	errs = append(errs, s.checkLists(obj, old)...)
	return append(errs, s.checkRules(ctx, obj, old, found, errs)...)
}

// checkLists is forgiving as a whole: an object in which any list had duplicates before may have some now.
func (s *objectSchema) checkLists(obj, old resource.Object) field.ErrorList {
	errs := validation.ValidateLists(nil, obj, s.structural())
	if len(errs) > 0 && old != nil && len(validation.ValidateLists(nil, old, s.structural())) > 0 {
		return nil
	}
	return errs
}

// checkRules evaluates the CEL rules of the schema, once the object has proved to be of the right shape. Without
// that Kubernetes does not evaluate any, and says so.
func (s *objectSchema) checkRules(ctx context.Context, obj, old resource.Object, found ...field.ErrorList) field.ErrorList {
	if s.rules == nil {
		return nil
	}
	for _, errs := range found {
		if slices.ContainsFunc(errs, isOfShape) {
			return field.ErrorList{field.Invalid(nil, nil, "some validation rules were not checked because the "+
				"object was invalid; correct the existing errors to complete validation")}
		}
	}
	var before any
	if old != nil {
		before = old
	}
	return s.rules.Validate(ctx, nil, obj, before, cel.Options{
		Unchanged: func(err *field.Error) { resource.AddWarning(ctx, err.Error()) },
	})
}

// isOfShape says whether err leaves an object without the shape that rules rely on.
func isOfShape(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}

// Fingerprint changes when the published schema does; see package openapi.
func (s *objectSchema) Fingerprint() string {
	if s.print != "" {
		return s.print + s.gvk.Version
	}
	sum := sha256.New()
	fmt.Fprintln(sum, s.gvk, s.selectable)
	sum.Write(s.raw())
	return string(sum.Sum(nil))
}

// OpenAPI implements resource.Schema.
func (s *objectSchema) OpenAPI() *spec.Schema {
	out := &spec.Schema{}
	if json.Unmarshal(s.AppendOpenAPI(nil, false), out) == nil {
		return out
	}
	// Something in it is too large (a number): the shape is not known then.
	out = spec.MapProperty(nil)
	out.AdditionalProperties = nil
	return out
}

// AppendOpenAPI appends the published schema to b, as JSON in the form of OpenAPI v2 or v3; see package openapi.
func (s *objectSchema) AppendOpenAPI(b []byte, v2 bool) []byte {
	o := published.Options{GVK: s.gvk, Selectable: s.selectable, V2: v2, Open: s.of.Spec.PreserveUnknownFields}
	s.of.schemas.lend(s.version, func(raw []byte) {
		if s.of.isTrue(apiextensionsv1.NonStructuralSchema) && !isStructural(raw) {
			raw = nil
		}
		b = o.Append(b, raw)
	})
	return b
}
