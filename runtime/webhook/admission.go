package webhook

import (
	"context"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Request is what an API server is about to do, and wants to know about.
type Request struct {
	admissionv1.AdmissionRequest
}

// Response says what becomes of a Request. The uid is filled in.
type Response struct {
	admissionv1.AdmissionResponse
	// Patches take the place of Patch, where there are some. A validating webhook must have none.
	Patches []PatchOperation
}

// Warnings are for whoever sent the request; kubectl prints them.
type Warnings []string

// Handler says what becomes of requests. It is called by many goroutines.
type Handler interface {
	Handle(ctx context.Context, req Request) Response
}

// HandlerFunc is a Handler.
type HandlerFunc func(ctx context.Context, req Request) Response

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, req Request) Response { return f(ctx, req) }

// Allowed lets the request pass.
func Allowed(message string) Response {
	return response(true, &metav1.Status{Code: http.StatusOK, Message: message})
}

// Denied refuses the request, as forbidden.
func Denied(message string) Response {
	return response(false, &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: message})
}

// Errored refuses the request with a code, for reasons that may have nothing to do with it.
func Errored(code int32, err error) Response {
	return response(false, &metav1.Status{Code: code, Message: err.Error()})
}

// Patched lets the request pass with changes.
func Patched(message string, patches ...PatchOperation) Response {
	r := Allowed(message)
	r.Patches = patches
	return r
}

// PatchResponseFromRaw lets the request pass with the changes that lead from one JSON object to another.
func PatchResponseFromRaw(original, current []byte) Response {
	patches, err := Diff(original, current)
	if err != nil {
		return Errored(http.StatusInternalServerError, err)
	}
	return Patched("", patches...)
}

// WithWarnings adds warnings.
func (r Response) WithWarnings(warnings ...string) Response {
	r.Warnings = append(r.Warnings[:len(r.Warnings):len(r.Warnings)], warnings...)
	return r
}

func response(allowed bool, result *metav1.Status) Response {
	return Response{AdmissionResponse: admissionv1.AdmissionResponse{Allowed: allowed, Result: result}}
}

type requestKey struct{}

// RequestFrom returns the request that a Validator or Defaulter is called for: who sent it, whether it is a dry run.
// False outside of any.
func RequestFrom(ctx context.Context) (Request, bool) {
	req, ok := ctx.Value(requestKey{}).(*Request)
	if !ok {
		return Request{}, false
	}
	return *req, true
}
