package lint

import (
	"context"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// rule is a Rule with what it does: once for the kind, for each version, or for each node of a schema. at is where
// the version stands in the CustomResourceDefinition.
type rule struct {
	Rule
	kind    func(context.Context, *linter)
	version func(l *linter, v *apiextensionsv1.CustomResourceDefinitionVersion, at string)
	node    func(*linter, *node)
}

func allRules() []rule {
	return []rule{
		{Rule: Rule{refusedID, Error, "what the server refuses"}, kind: refused},
		{Rule: Rule{"unknown-field", Error, "fields of the CustomResourceDefinition that there are not, such as maxLenght"}, kind: unknownFields},

		{Rule: Rule{"size", Warning, "definitions that kubectl apply cannot write, or etcd not store"}, kind: size},
		{Rule: Rule{"kind-name", Warning, "kinds that do not start with a capital"}, kind: kindName},
		{Rule: Rule{"conversion", Warning, "served versions with different fields and no conversion, which lose them"}, kind: conversion},

		{Rule: Rule{"version-name", Warning, "versions that are not named like v1, v1beta1"}, version: versionName},
		{Rule: Rule{"status-subresource", Warning, "a status without its subresource, or the other way around"}, version: statusSubresource},
		{Rule: Rule{"spec-type", Warning, "a spec that is no object"}, version: specType},
		{Rule: Rule{"printer-columns", Info, "no columns for kubectl get, or none for the age"}, version: printerColumns},
		{Rule: Rule{"column-path", Warning, "columns and scale paths of fields that the schema does not have"}, version: columnPaths},
		{Rule: Rule{"description", Info, "fields without a description, which kubectl explain shows"}, version: descriptions},

		{Rule: Rule{"list-type", Warning, "lists of objects that do not say how server-side apply merges them"}, node: listType},
		{Rule: Rule{"set-items", Warning, "sets of what is no scalar, which server-side apply and CEL do not support"}, node: setItems},
		{Rule: Rule{"unbounded-keys", Info, "maps with any number of keys"}, node: unboundedKeys},
		{Rule: Rule{"preserve-unknown", Warning, "fields whose content nobody checks"}, node: preserveUnknown},
		{Rule: Rule{"enum-default", Info, "optional enums that do not say what their absence means"}, node: enumDefault},
		{Rule: Rule{"integer-format", Info, "integers that do not say how large they get"}, node: integerFormat},
		{Rule: Rule{"float", Info, "numbers with fractions, which clients round in different ways"}, node: float},
		{Rule: Rule{"format", Warning, "formats that the server does not check"}, node: format},
		{Rule: Rule{"pattern-anchor", Info, "patterns that accept anything around what they describe"}, node: patternAnchor},
		{Rule: Rule{"field-name", Info, "fields that are not named in lowerCamelCase"}, node: fieldName},
		{Rule: Rule{"rule-message", Info, "CEL rules whose failure shows the rule itself to the user"}, node: ruleMessage},
		{Rule: Rule{"rule-bounds", Warning, "values that CEL rules look at, of any size"}, node: ruleBounds},
		{Rule: Rule{"rule-cost", Warning, "CEL rules whose estimated cost is close to the limit"}, version: ruleCosts},
	}
}
