// Package conversion brings custom objects from one version of their kind into another.
//
// A Converter works on many objects at once, in place where it can. There are two:
//
// A Webhook asks the webhook that a CustomResourceDefinition names, with kube-apiserver's ConversionReviews, checks and
// texts; Webhooks keeps the connections.
//
// Rules need nobody. They are the text of an annotation (RulesAnnotation) of the CustomResourceDefinition:
//
//	hub: v1                                    # the version that all others are converted through
//	versions:
//	  v1beta1:                                 # its rules, in order into the hub, backwards out of it
//	  - move: {v1beta1: spec.host, v1: spec.network.hostname}
//	  - move: {v1beta1: spec.tls, v1: spec.security}
//	    values: {required: Strict}             # words of v1beta1, and what they are in v1
//	  - only: {v1: "spec.listeners[*].protocol"}
//	    default: TCP                           # what objects get that never had the field
//	  - only: {v1beta1: spec.theme}            # waits in DataAnnotation where there is no field for it
//	  - compute:                               # in CEL; self is the object, or the item at the last [*]
//	      v1: {spec.size: 'string(self.spec.sizeGb) + "Gi"'}
//	      v1beta1: {spec.sizeGb: 'int(self.spec.size.replace("Gi", ""))'}
//	samples:
//	  v1: [{spec: {size: 20Gi}}]               # laid over the objects on which the rules are tried
//
// ParseRules reads them, Rules.Check tries them on objects made of the schemas: what goes to another version and comes
// back must be what it was. docs/conversion-rules.md explains them to authors.
//
// What a schema says of the outcome (pruning, defaults) is the business of whoever asks for a conversion.
package conversion
