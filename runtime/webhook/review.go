package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// MaxAdmissionBytes is the largest AdmissionReview that is read: two objects of the largest size and what comes with them.
const MaxAdmissionBytes = 7 << 20

// protocolError is something that is no review, or cannot be read.
type protocolError struct {
	code    int32
	reason  metav1.StatusReason
	message string
}

func (e *protocolError) Error() string { return e.message }

func badRequest(format string, args ...any) error {
	return &protocolError{http.StatusBadRequest, metav1.StatusReasonBadRequest, fmt.Sprintf(format, args...)}
}

// readReview reads the body of a request that brings JSON.
func readReview(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &protocolError{http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "a review is sent by POST, not by " + r.Method}
	}
	content := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(content); err != nil || media != "application/json" {
		return nil, &protocolError{
			http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType,
			fmt.Sprintf("the content type is %q, expected application/json", content),
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &protocolError{
			http.StatusRequestEntityTooLarge, metav1.StatusReasonRequestEntityTooLarge, fmt.Sprintf("the review is larger than %d bytes", limit),
		}
	case err != nil:
		return nil, badRequest("reading the review: %v", err)
	case len(body) == 0:
		return nil, badRequest("the body is empty")
	}
	return body, nil
}

// answer writes a review, or the Status of an error instead.
func answer(w http.ResponseWriter, log logr.Logger, review []byte, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		e := &protocolError{code: http.StatusInternalServerError, reason: metav1.StatusReasonInternalError, message: err.Error()}
		_ = errors.As(err, &e)
		log.Info("a request that is no review", "code", e.code, "reason", e.message)
		review, _ = json.Marshal(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: e.code, Reason: e.reason, Message: e.message,
		})
		w.WriteHeader(int(e.code))
	}
	if _, err := w.Write(review); err != nil {
		log.V(1).Info("the answer was not taken", "reason", err.Error())
	}
}

// AdmissionHandler serves h over HTTP: AdmissionReviews of admission.k8s.io/v1, and of v1beta1, which look the same. The
// handler's context holds log with the request's particulars.
func AdmissionHandler(h Handler, log logr.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readReview(w, r, MaxAdmissionBytes)
		if err == nil {
			body, err = review(r.Context(), h, body, log)
		}
		answer(w, log, body, err)
	})
}

// review answers an AdmissionReview.
func review(ctx context.Context, h Handler, body []byte, log logr.Logger) ([]byte, error) {
	var in admissionv1.AdmissionReview
	if err := utiljson.Unmarshal(body, &in); err != nil {
		return nil, badRequest("the body is no AdmissionReview: %v", err)
	}
	known := in.APIVersion == "admission.k8s.io/v1" || in.APIVersion == "admission.k8s.io/v1beta1"
	if in.Kind != "AdmissionReview" || !known {
		return nil, badRequest("expected an AdmissionReview of admission.k8s.io/v1, got kind %q of %q", in.Kind, in.APIVersion)
	}
	if in.Request == nil {
		return nil, badRequest("the AdmissionReview has no request")
	}
	req := Request{AdmissionRequest: *in.Request}
	log = log.WithValues("uid", req.UID, "operation", req.Operation, "resource", req.Resource.Resource, "namespace", req.Namespace, "name", req.Name)
	resp := handle(logr.NewContext(ctx, log), h, req, log)
	if err := resp.complete(req); err != nil {
		log.Error(err, "the patch cannot be encoded")
		resp = Errored(http.StatusInternalServerError, fmt.Errorf("the patch cannot be encoded: %w", err))
		_ = resp.complete(req) // it has none
	}
	return json.Marshal(admissionv1.AdmissionReview{TypeMeta: in.TypeMeta, Response: &resp.AdmissionResponse})
}

func handle(ctx context.Context, h Handler, req Request, log logr.Logger) (resp Response) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // a panic's value
			panic(p)
		}
		log.Error(fmt.Errorf("panic: %v", p), "a webhook panicked", "stack", string(debug.Stack()))
		resp = Errored(http.StatusInternalServerError, fmt.Errorf("panic: %v [recovered]", p))
	}()
	return h.Handle(ctx, req)
}

// complete fills in what the wire wants.
func (r *Response) complete(req Request) error {
	r.UID = req.UID
	if r.Result == nil {
		r.Result = &metav1.Status{}
	}
	if r.Result.Code == 0 {
		if r.Result.Code = http.StatusOK; !r.Allowed {
			r.Result.Code = http.StatusForbidden
		}
	}
	if len(r.Patches) > 0 {
		patch, err := json.Marshal(r.Patches)
		if err != nil {
			return err
		}
		r.Patch = patch
	}
	if r.PatchType = nil; !r.Allowed { // servers ignore it
		r.Patch = nil
	}
	if len(r.Patch) > 0 {
		r.PatchType = new(admissionv1.PatchTypeJSONPatch)
	}
	return nil
}
