// Package gotypes compares the CustomResourceDefinitions that controller-gen makes of the types of `keelson crd types`
// with those that the types were made of. It needs no server.
package gotypes
