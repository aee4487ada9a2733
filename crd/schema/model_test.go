package schema_test

import (
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"

	"github.com/keelson-project/keelson/crd/schema"
	"github.com/keelson-project/keelson/internal/randschema"
)

// The dumb models build new values where the package changes those that it is given, and know no short ways.

// pruned is what Prune leaves of x, and the paths that it returns.
func pruned(x any, s *schema.Schema, at string, resource, kept bool) (any, []string) {
	var gone []string
	switch x := x.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range x {
			path := name
			if at != "" {
				path = at + "." + name
			}
			child, specified := childOf(s, name)
			switch {
			case value == nil && child != nil && !child.Nullable && child.Default == nil:
			case (resource || s != nil && s.Embedded) && slices.Contains([]string{"apiVersion", "kind", "metadata"}, name):
				out[name] = withoutNulls(value, child)
			case specified:
				var more []string
				out[name], more = pruned(value, child, path, false, false)
				gone = append(gone, more...)
			case kept || s != nil && s.PreserveUnknown:
				out[name] = value
			default:
				gone = append(gone, path)
			}
		}
		return out, gone
	case []any:
		kept = kept || s != nil && s.PreserveUnknown
		if kept && s.Items == nil {
			return x, nil
		}
		var items *schema.Schema
		if s != nil {
			items = s.Items
		}
		out := []any{}
		for i, element := range x {
			left, more := pruned(element, items, fmt.Sprintf("%s[%d]", at, i), false, kept)
			out, gone = append(out, left), append(gone, more...)
		}
		return out, gone
	}
	return x, nil
}

func childOf(s *schema.Schema, name string) (child *schema.Schema, specified bool) {
	if s == nil {
		return nil, false
	}
	if child, ok := s.Properties[name]; ok {
		return child, true
	}
	return s.Additional, s.Additional != nil || s.AnyAdditional
}

func withoutNulls(x any, s *schema.Schema) any {
	switch x := x.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range x {
			child, _ := childOf(s, name)
			if value != nil || child == nil || child.Nullable || child.Default != nil {
				out[name] = withoutNulls(value, child)
			}
		}
		return out
	case []any:
		if s == nil {
			return x
		}
		out := []any{}
		for _, element := range x {
			out = append(out, withoutNulls(element, s.Items))
		}
		return out
	}
	return x
}

// defaulted is what Default makes of x.
func defaulted(x any, s *schema.Schema) any {
	if s == nil {
		return x
	}
	switch x := x.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, p := range s.Properties {
			if value, ok := x[name]; p.Default != nil && (!ok || value == nil && !p.Nullable) {
				out[name] = defaulted(randschema.Copy(p.Default), p)
			}
		}
		for name, value := range x {
			if _, done := out[name]; done {
				continue
			}
			child, _ := childOf(s, name)
			_, named := s.Properties[name]
			out[name] = defaulted(instead(value, child, named), child)
		}
		return out
	case []any:
		out := []any{}
		for _, element := range x {
			out = append(out, defaulted(instead(element, s.Items, false), s.Items))
		}
		return out
	}
	return x
}

func instead(value any, s *schema.Schema, named bool) any {
	if value == nil && s != nil && !s.Nullable && !named {
		return randschema.Copy(s.Default)
	}
	return value
}

// cleaned is what CleanMetadata makes of metadata: by way of an ObjectMeta, always.
func cleaned(metadata any) (map[string]any, error) {
	encoded, err := json.Marshal(metadata)
	if err != nil {
		return nil, err
	}
	var meta metav1.ObjectMeta
	if err := kjson.UnmarshalCaseSensitivePreserveInts(encoded, &meta); err != nil {
		return nil, err
	}
	return kruntime.DefaultUnstructuredConverter.ToUnstructured(&meta)
}
