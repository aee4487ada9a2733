// Package compat has only tests: unmodified Kubernetes clients against the built binary. kubectl is told what to do by
// the stories in testdata; client-go and controller-runtime are used as their own users do.
//
// The suite starts the binary that KEELSON names (../bin/keelson if it is not set) in an empty directory. Where
// KEELSON_COMPAT_KUBECONFIG names a kubeconfig, that server is asked instead: the same suite passes against
// kube-apiserver, which is what proves it right.
package compat
