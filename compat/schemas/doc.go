// Package schemas has only tests: Keelson's pruning, defaulting and validation of custom objects side by side with
// those of kube-apiserver, in one process, on the corpus and on random schemas and objects.
package schemas
