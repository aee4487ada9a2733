package schema

import kruntime "k8s.io/apimachinery/pkg/runtime"

// Default fills in, in place, what obj lacks and s has a default for. A null where s is not nullable counts as
// absent: it gives way to the default, and is removed where there is none and it is an object's member.
func Default(obj map[string]any, s *Schema) {
	if s == nil {
		return
	}
	dropNulls(obj, s)
	fill(obj, s)
}

// dropNulls removes members that are null, not nullable and without default. It looks into unspecified members
// not at all: nothing is known of their nulls.
func dropNulls(x any, s *Schema) {
	if s == nil {
		return
	}
	switch x := x.(type) {
	case map[string]any:
		for name, value := range x {
			child, _ := s.child(name)
			if value == nil && child != nil && !child.Nullable && child.Default == nil {
				delete(x, name)
				continue
			}
			dropNulls(value, child)
		}
	case []any:
		for _, value := range x {
			dropNulls(value, s.Items)
		}
	}
}

func fill(x any, s *Schema) {
	if s == nil {
		return
	}
	switch x := x.(type) {
	case map[string]any:
		for name, p := range s.Properties {
			if p.Default == nil {
				continue
			}
			if value, found := x[name]; !found || value == nil && !p.Nullable {
				x[name] = kruntime.DeepCopyJSONValue(p.Default)
			}
		}
		for name, value := range x {
			if p, ok := s.Properties[name]; ok {
				fill(value, p)
				continue
			}
			if replaced, ok := s.Additional.instead(value); ok {
				value, x[name] = replaced, replaced
			}
			fill(value, s.Additional)
		}
	case []any:
		for i, value := range x {
			if replaced, ok := s.Items.instead(value); ok {
				value, x[i] = replaced, replaced
			}
			fill(value, s.Items)
		}
	}
}

// instead returns the default that takes the place of a null that s does not allow.
func (s *Schema) instead(value any) (any, bool) {
	if value != nil || s == nil || s.Nullable {
		return nil, false
	}
	return kruntime.DeepCopyJSONValue(s.Default), true
}
