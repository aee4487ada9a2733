package schema

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// completeness checks that each member and item that the value validations of v (a node of the structure, or one
// under its allOf, anyOf, oneOf or not) speak of is specified by the structure s at the same place.
func completeness(sPath, vPath *field.Path, v, s *props) field.ErrorList {
	errs := nestedCompleteness(sPath, vPath.Child("not"), v.Not, s)
	for i := range v.AllOf {
		errs = append(errs, nestedCompleteness(sPath, vPath.Child("allOf").Index(i), &v.AllOf[i], s)...)
	}
	for i := range v.AnyOf {
		errs = append(errs, nestedCompleteness(sPath, vPath.Child("anyOf").Index(i), &v.AnyOf[i], s)...)
	}
	for i := range v.OneOf {
		errs = append(errs, nestedCompleteness(sPath, vPath.Child("oneOf").Index(i), &v.OneOf[i], s)...)
	}
	return errs
}

func nestedCompleteness(sPath, vPath *field.Path, v, s *props) field.ErrorList {
	if v == nil {
		return nil
	}
	missing := func(sPath, vPath *field.Path) *field.Error {
		return field.Required(sPath, fmt.Sprintf("because it is defined in %s", vPath))
	}
	if s == nil {
		return field.ErrorList{missing(sPath, vPath)}
	}
	errs := completeness(sPath, vPath, v, s)
	if v.Items != nil {
		var items *props
		if s.Items != nil {
			items = s.Items.Schema
		}
		errs = append(errs, nestedCompleteness(sPath.Child("items"), vPath.Child("items"), v.Items.Schema, items)...)
	}
	for name := range v.Properties {
		child := v.Properties[name]
		sChild, vChild := sPath.Child("properties").Key(name), vPath.Child("properties").Key(name)
		if specified, ok := s.Properties[name]; ok {
			errs = append(errs, nestedCompleteness(sChild, vChild, &child, &specified)...)
		} else {
			errs = append(errs, missing(sChild, vChild))
		}
	}
	return errs
}
