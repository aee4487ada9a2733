package rules

import (
	"context"
	"fmt"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/keelson-project/keelson/crd/cel"
	"github.com/keelson-project/keelson/crd/schema"
	crdvalidation "github.com/keelson-project/keelson/crd/validation"
)

// validateDefaults checks that each default is a value that the schema at its place accepts, in the form in which
// objects have it. It changes the defaults of s, which is the root of a structural schema.
func validateDefaults(ctx context.Context, s *schema.Schema, r *requirements, path *field.Path) field.ErrorList {
	d := defaultsChecker{requirements: r, left: cel.NewBudget()}
	return d.node(ctx, path, s.Root(), surroundings{})
}

type defaultsChecker struct {
	*requirements
	left cel.Budget // for the rules on all defaults
}

// surroundings is where a node stands in the nearest resource around it.
type surroundings struct {
	resource   *schema.Schema
	steps      []string // from the resource to the node; "" is an item
	insideMeta bool     // in the resource's apiVersion, kind or metadata
}

func (in surroundings) step(name string) surroundings {
	in.steps = append(in.steps[:len(in.steps):len(in.steps)], name)
	return in
}

// object is the smallest resource that has value at its place.
func (in surroundings) object(value any) map[string]any {
	for i := len(in.steps) - 1; i >= 0; i-- {
		if in.steps[i] == "" {
			value = []any{value}
		} else {
			value = map[string]any{in.steps[i]: value}
		}
	}
	obj, ok := value.(map[string]any)
	if !ok {
		obj = map[string]any{}
	}
	for name, something := range map[string]string{"apiVersion": "validation/v1", "kind": "Validation"} {
		if _, ok := obj[name]; !ok {
			obj[name] = something
		}
	}
	return obj
}

// node checks the default of s and those below. Defaults of additionalProperties are not looked at: none is ever used.
func (d *defaultsChecker) node(ctx context.Context, path *field.Path, s *schema.Schema, in surroundings) field.ErrorList {
	if !s.HasDefaults() || d.left < 0 {
		return nil
	}
	if s.Embedded {
		in = surroundings{resource: s}
	}
	var errs field.ErrorList
	if s.Default != nil {
		if in.insideMeta {
			errs = d.inMeta(ctx, path.Child("default"), s, in)
		} else {
			errs = d.outside(ctx, path.Child("default"), s, in)
		}
	}
	errs = append(errs, d.node(ctx, path.Child("items"), s.Items, in.step(""))...)
	for _, name := range sortedKeys(s.Properties) {
		member := in.step(name)
		member.insideMeta = in.insideMeta || s.Embedded && isMeta(name)
		errs = append(errs, d.node(ctx, path.Child("properties").Key(name), s.Properties[name], member)...)
	}
	return errs
}

// inMeta checks a default for part of a resource's metadata, by the rules of metadata.
func (d *defaultsChecker) inMeta(ctx context.Context, at *field.Path, s *schema.Schema, in surroundings) field.ErrorList {
	obj := in.object(kruntime.DeepCopyJSONValue(s.Default))
	var problem error
	if err := schema.CheckEmbedded(nil, obj, in.resource); err != nil {
		problem = err
	} else if errs := schema.ValidateEmbedded(ctx, nil, obj, in.resource); len(errs) > 0 {
		problem = errs.ToAggregate()
	}
	if problem != nil {
		return field.ErrorList{field.Invalid(at, s.Default, fmt.Sprintf("must result in valid metadata: %v", problem))}
	}
	return d.value(ctx, at, s, in)
}

// outside checks any other default.
func (d *defaultsChecker) outside(ctx context.Context, at *field.Path, s *schema.Schema, in surroundings) field.ErrorList {
	var errs field.ErrorList
	unspecified := d.prunedDefaults && s.Unspecified(s.Default)
	problem := schema.CheckEmbedded(at, s.Default, s)
	if problem == nil {
		_ = schema.Coerce(at, s.Default, s)
	}
	if unspecified { // and shown without what Coerce has dropped
		errs = append(errs, field.Invalid(at, kruntime.DeepCopyJSONValue(s.Default), "must not have unknown fields"))
	}
	if problem != nil {
		return append(errs, problem)
	}
	if problems := schema.ValidateEmbedded(ctx, at, s.Default, s); len(problems) > 0 {
		return append(errs, problems...)
	}
	return append(errs, d.value(ctx, at, s, in)...)
}

// value checks a default by the keywords of its schema, and then by its rules. Of what is int-or-string kube-apiserver takes any default.
func (d *defaultsChecker) value(ctx context.Context, at *field.Path, s *schema.Schema, in surroundings) field.ErrorList {
	v, err := crdvalidation.NewForDefaults(s.WithoutIntOrString())
	if err != nil { // its patterns have been compiled before
		return field.ErrorList{field.InternalError(at, err)}
	}
	if errs := v.Validate(at, s.Default); len(errs) > 0 {
		return errs
	}
	return cel.ValidateDefault(ctx, at, s, s == in.resource, &d.left)
}
