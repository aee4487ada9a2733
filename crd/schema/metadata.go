package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
)

// CleanMetadata brings metadata into the form that an ObjectMeta has after it was decoded and encoded again:
// unknown members, nulls and empty members are gone. It may return its argument, changed. unknown are the paths
// of the members that ObjectMeta does not have, relative to metadata. The error is the decoder's, for members of
// the wrong type; metadata is unchanged then.
func CleanMetadata(metadata any) (clean map[string]any, unknown []string, err error) {
	if m, ok := metadata.(map[string]any); ok && isPlainMetadata(m) {
		dropEmpty(m)
		return m, nil, nil
	}
	encoded, err := json.Marshal(metadata)
	if err != nil {
		return nil, nil, err
	}
	var meta metav1.ObjectMeta
	strict, err := kjson.UnmarshalStrict(encoded, &meta)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range strict {
		var at kjson.FieldError
		if errors.As(e, &at) {
			unknown = append(unknown, at.FieldPath())
		}
	}
	clean, err = kruntime.DefaultUnstructuredConverter.ToUnstructured(&meta)
	return clean, unknown, err
}

// isPlainMetadata says whether m has only members of ObjectMeta that are strings or hold strings, all of them of
// the right type, so that no detour through the typed form is needed. Most objects are like this.
func isPlainMetadata(m map[string]any) bool {
	for name, value := range m {
		ok := false
		switch name {
		case "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion":
			_, ok = value.(string)
		case "labels", "annotations":
			var values map[string]any
			values, ok = value.(map[string]any)
			for _, v := range values {
				if _, isString := v.(string); !isString {
					return false
				}
			}
		case "finalizers":
			var values []any
			values, ok = value.([]any)
			for _, v := range values {
				if _, isString := v.(string); !isString {
					return false
				}
			}
		case "generation":
			_, ok = value.(int64)
		}
		if !ok {
			return false
		}
	}
	return true
}

func dropEmpty(m map[string]any) {
	for name, value := range m {
		switch v := value.(type) {
		case string:
			if v == "" {
				delete(m, name)
			}
		case map[string]any:
			if len(v) == 0 {
				delete(m, name)
			}
		case []any:
			if len(v) == 0 {
				delete(m, name)
			}
		case int64:
			if v == 0 {
				delete(m, name)
			}
		}
	}
}

// Coerce checks and cleans apiVersion, kind and metadata of the embedded resources in obj, in place (those of obj
// itself are left alone unless s is a Root). unknown are the paths of metadata's unknown members, sorted. The
// error is set where a member has the wrong type.
func Coerce(path *field.Path, obj any, s *Schema) (unknown []string, err *field.Error) {
	if !s.embeds() {
		return nil, nil
	}
	c := coercer{}
	c.coerce(path, obj, s)
	slices.Sort(c.unknown)
	return c.unknown, c.err
}

type coercer struct {
	unknown []string
	err     *field.Error // the first one; it ends the walk
}

func (c *coercer) coerce(path *field.Path, x any, s *Schema) {
	if c.err != nil || !s.embeds() {
		return
	}
	switch x := x.(type) {
	case map[string]any:
		for _, name := range sortedKeys(x) {
			value := x[name]
			if s.Embedded && isMeta(name) {
				c.member(path, x, name)
				value = x[name]
			}
			if p, ok := s.Properties[name]; ok {
				c.coerce(path.Child(name), value, p)
			} else {
				c.coerce(path.Key(name), value, s.Additional)
			}
		}
	case []any:
		for i, value := range x {
			c.coerce(path.Index(i), value, s.Items)
		}
	}
}

// member coerces one of the three members of an embedded resource x.
func (c *coercer) member(path *field.Path, x map[string]any, name string) {
	value := x[name]
	if name != "metadata" {
		if _, ok := value.(string); !ok {
			c.fail(field.Invalid(path.Child(name), value, "must be a string"))
		}
		return
	}
	clean, unknown, err := CleanMetadata(value)
	if err != nil {
		c.fail(field.Invalid(path.Child(name), value, err.Error()))
		return
	}
	x[name] = clean
	for _, u := range unknown {
		c.unknown = append(c.unknown, fmt.Sprintf("%s.%s", path.Child(name), u))
	}
}

func (c *coercer) fail(err *field.Error) {
	if c.err == nil {
		c.err = err
	}
}

// embeds says whether s or a node below it is an embedded resource.
func (s *Schema) embeds() bool { return s != nil && (s.Embedded || s.embedsBelow) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
