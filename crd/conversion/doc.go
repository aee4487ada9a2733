// Package conversion brings custom objects from one version of their kind into another.
//
// A Converter works on many objects at once, in place where it can. A Webhook asks the webhook that a
// CustomResourceDefinition names, with kube-apiserver's ConversionReviews, checks and texts; Webhooks keeps the
// connections. What a schema says of the outcome (pruning, defaults) is the business of whoever asks.
package conversion
