// Package client speaks to a Kubernetes API server: create, read, update, patch, apply, delete, watch.
//
//	c, err := client.New(client.Config{Host: "https://10.0.0.1:6443", BearerTokenFile: path}, client.Options{Scheme: scheme})
//	var pods corev1.PodList
//	err = c.List(ctx, &pods, client.InNamespace("default"), client.MatchingLabels{"app": "web"})
//
// # Objects
//
// An object is a pointer to an API type that the Scheme knows, an *unstructured.Unstructured, or a
// *metav1.PartialObjectMetadata (the server then sends no more than metadata). What the server answers is
// decoded into the object that was passed; on an error the object is as it was, but for its apiVersion and kind.
// Each and EachOf go through collections that are too large to hold.
//
// # Errors
//
// A request that failed is an *Error: which request, why, and what may be done. In it is an *apierrors.StatusError where
// the server answered, as errors.As and the functions of apimachinery's api/errors (IsNotFound, ...) find. A kind that
// the server does not have is a *meta.NoKindMatchError.
//
// # Patience
//
// There is no limit of requests a second to guess: where the server asks for patience (429 or 5xx with Retry-After),
// requests wait as told and try again, for as long as their context allows. Reads whose connection broke are sent again;
// a write is not, for it may have happened.
//
// # On the wire
//
// Built-in kinds are asked for in protobuf, and written in it once the server has answered in it; untyped objects may be
// answered in CBOR; everything else is JSON. A server that speaks JSON only answers the same requests. Where a kind is
// served is asked once, a group's version at a time, and again when it is not there, ten times a second at most.
//
// # Views
//
// A Client is an interface, and views of one are Clients: DryRun, Namespaced, WithFieldOwner, WithFieldValidation,
// SkipApplied, and whatever an Interceptor makes.
package client
