package rules

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// topology checks what p says of how lists and maps are merged.
func (w *walker) topology(path *field.Path, p *props) field.ErrorList {
	errs := validateMapType(path, p)
	errs = append(errs, w.listType(path, p)...)
	if listType(p) == "map" {
		errs = append(errs, validateMapList(path, p)...)
	}
	if w.mapKeys {
		errs = append(errs, validateMapKeys(p, path)...)
	}
	return errs
}

// mustBe reports a type that a keyword demands.
func mustBe(path *field.Path, p *props, text string) *field.Error {
	if p.Type == "" {
		return field.Required(path.Child("type"), text)
	}
	return field.Invalid(path.Child("type"), p.Type, text)
}

func validateMapType(path *field.Path, p *props) field.ErrorList {
	if p.XMapType == nil {
		return nil
	}
	var errs field.ErrorList
	if p.Type != "object" {
		errs = append(errs, mustBe(path, p, "must be object if x-kubernetes-map-type is specified"))
	}
	if t := *p.XMapType; t != "atomic" && t != "granular" {
		errs = append(errs, field.NotSupported(path.Child("x-kubernetes-map-type"), t, []string{"atomic", "granular"}))
	}
	return errs
}

func (w *walker) listType(path *field.Path, p *props) field.ErrorList {
	var errs field.ErrorList
	at := path.Child("x-kubernetes-list-type")
	if p.XListType != nil && p.Type != "array" {
		errs = append(errs, mustBe(path, p, "must be array if x-kubernetes-list-type is specified"))
	} else if w.atomicSets && hasSetOfNonAtomic(p) {
		const text = "must be atomic as item of a list with x-kubernetes-list-type=set"
		keyword := "x-kubernetes-map-type"
		if p.Items.Schema.Type == "array" {
			keyword = "x-kubernetes-list-type"
		}
		errs = append(errs, field.Invalid(path.Child("items", keyword), p.Items.Schema.XListType, text)) // that of lists in both cases
	}
	types := []string{"atomic", "set", "map"}
	if p.XListType != nil && !slices.Contains(types, *p.XListType) {
		errs = append(errs, field.NotSupported(at, *p.XListType, types))
	}
	if len(p.XListMapKeys) > 0 {
		const text = "must be map if x-kubernetes-list-map-keys is non-empty"
		if p.XListType == nil {
			errs = append(errs, field.Required(at, text))
		} else if *p.XListType != "map" {
			errs = append(errs, field.Invalid(at, *p.XListType, text))
		}
	}
	return errs
}

// validateMapList checks a list whose items are told apart by keys.
func validateMapList(path *field.Path, p *props) field.ErrorList {
	var errs field.ErrorList
	keysAt, itemsAt := path.Child("x-kubernetes-list-map-keys"), path.Child("items")
	if len(p.XListMapKeys) == 0 {
		errs = append(errs, field.Required(keysAt, "must not be empty if x-kubernetes-list-type is map"))
	}
	if p.Items == nil {
		return append(errs, field.Required(itemsAt, "must have a schema if x-kubernetes-list-type is map"))
	}
	item := p.Items.Schema
	if item == nil {
		return append(errs, field.Invalid(itemsAt, internalItems(p.Items), "must only have a single schema if x-kubernetes-list-type is map"))
	}
	if item.Type != "object" {
		return append(errs, field.Invalid(itemsAt.Child("type"), item.Type, "must be object if parent array's x-kubernetes-list-type is map"))
	}
	for i, k := range p.XListMapKeys {
		if key, ok := item.Properties[k]; !ok {
			errs = append(errs, field.Invalid(keysAt, p.XListMapKeys, "entries must all be names of item properties"))
		} else if key.Type == "array" || key.Type == "object" {
			// The type shown is the item's, as kube-apiserver has it.
			errs = append(errs, field.Invalid(itemsAt.Child("properties").Key(k).Child("type"), item.Type, "must be a scalar type if parent array's x-kubernetes-list-type is map"))
		}
		if slices.Contains(p.XListMapKeys[:i], k) {
			errs = append(errs, field.Invalid(keysAt, p.XListMapKeys, "must not contain duplicate entries"))
		}
	}
	return errs
}

// validateMapKeys checks that all items of a set or map have what tells them apart.
func validateMapKeys(p *props, path *field.Path) field.ErrorList {
	t := listType(p)
	if p.Items == nil || p.Items.Schema == nil || t != "set" && t != "map" {
		return nil
	}
	var errs field.ErrorList
	item, at := p.Items.Schema, path.Child("items")
	if item.Nullable {
		errs = append(errs, field.Forbidden(at.Child("nullable"), "cannot be nullable when x-kubernetes-list-type is "+t))
	}
	if t == "set" {
		return errs
	}
	for _, k := range p.XListMapKeys {
		key, ok := item.Properties[k]
		if !ok {
			continue // told by validateMapList
		}
		at := at.Child("properties").Key(k)
		if key.Default == nil && !slices.Contains(item.Required, k) {
			errs = append(errs, field.Required(at.Child("default"), "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"))
		}
		if key.Nullable {
			errs = append(errs, field.Forbidden(at.Child("nullable"), "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"))
		}
	}
	return errs
}
