// Package client speaks to a Kubernetes API server: create, read, update, patch, apply, delete, watch.
//
//	c, err := client.New(client.Config{Host: "https://10.0.0.1:6443", BearerTokenFile: path}, client.Options{Scheme: scheme})
//	var pods corev1.PodList
//	err = c.List(ctx, &pods, client.InNamespace("default"), client.MatchingLabels{"app": "web"})
//
// An object is a pointer to an API type that the Scheme knows, an *unstructured.Unstructured, or a
// *metav1.PartialObjectMetadata (the server then sends no more than metadata). What the server answers is
// decoded into the object that was passed; on an error the object is as it was, but for its apiVersion and kind.
//
// Errors of the server are *apierrors.StatusError. A kind that it does not have is a *meta.NoKindMatchError.
// Where the server asks for patience (429 or 503 with Retry-After), requests wait as told and try again, for as
// long as their context allows.
package client
